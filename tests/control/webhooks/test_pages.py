"""Webhooks as pages: added with a secret shown once, tested, rotated, disabled, removed; nobody else's."""

import re

import pytest
from tests.support import pages

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{20,}")


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


def said(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " ").replace("&#x27;", "'")


def add(site, visitor, **more):
    visitor.get("/webhooks/new")
    return visitor.post("/webhooks/new", **{"url": "https://hooks.example.com/troth", "which": "all", **more})


def one(site, query, *values):
    return site.operator.admin.execute(query, values).fetchone()


def test_an_endpoint_is_added_and_its_secret_shown_once(site):
    visitor = site.visitor(site.member)
    assert "No endpoint yet" in said(visitor.get("/webhooks").text)
    shown = add(site, visitor, which="some", types="email.bounced")
    assert SECRET.search(shown.text)
    assert "no-store" in shown.headers["cache-control"]
    text = said(visitor.get("/webhooks").text)
    assert "https://hooks.example.com/troth" in text
    assert "email.bounced" in text
    assert "Not tried yet" in text
    assert not SECRET.search(visitor.last)


WRONG = [
    ({"url": ""}, "url"),
    ({"url": "ftp://hooks.example.com"}, "url"),
    ({"url": "https://127.0.0.1/x"}, "url"),
    ({"url": "https://[::1]/x"}, "url"),
    ({"url": "https://user:pass@example.com/"}, "url"),
    ({"url": "https://" + "a" * 2100 + ".example.com"}, "url"),
    ({"which": "some"}, "types"),
    ({"which": "some", "types": "email.opened"}, "types"),
]


def test_what_no_webhook_goes_to_is_said_at_its_field(site):
    visitor = site.visitor(site.member)
    for more, field in WRONG:
        answer = add(site, visitor, **more)
        assert answer.status == 422, more
        assert f'href="#f-{field}"' in answer.text, more
    assert one(site, "SELECT count(*) FROM webhook_endpoint") == (0,)


def test_an_endpoint_is_tested_rotated_switched_and_removed(site):
    visitor = site.visitor(site.member)
    add(site, visitor)
    path = f"/webhooks/{one(site, 'SELECT id FROM webhook_endpoint')[0]}"
    visitor.get(path)
    assert "A test event is queued" in said(visitor.post(f"{path}/test").text)
    assert "webhook.test" in said(visitor.get(path).text)
    refused = visitor.post(f"{path}/rotate", hours="169")
    assert refused.status == 422
    assert "0 to 168 hours" in said(refused.text)
    assert visitor.post(f"{path}/rotate", hours="soon").status == 422
    rotated = visitor.post(f"{path}/rotate", hours="2")
    assert SECRET.search(rotated.text)
    assert one(site, "SELECT count(*) FROM webhook_secret") == (2,)
    visitor.get(path)
    assert "Nothing more is sent" in said(visitor.post(f"{path}/disable").text)
    assert "Disabled" in said(visitor.get(path).text)
    assert "disabled already" in said(visitor.post(f"{path}/disable").text)
    assert "from now on is sent" in said(visitor.post(f"{path}/enable").text)
    site.operator.database.fill("UPDATE webhook_outbox SET state = 4, done_at = now_v1()")
    assert "Send again what was given up" in said(visitor.get(path).text)
    assert "go out again" in said(visitor.post(f"{path}/replay").text)
    assert visitor.post(f"{path}/explode").status == 404
    visitor.get(path)
    assert "The endpoint is removed" in said(visitor.post(f"{path}/remove").text)
    assert visitor.get(path).status == 404
    by = "SELECT count(*) FROM ledger_pending WHERE leaf LIKE '%%' || %s || '%%'"
    assert one(site, by, f"account:{site.member.account}") != (0,)


def test_an_endpoint_is_its_clients_and_for_those_who_manage_it(site):
    visitor = site.visitor(site.member)
    add(site, visitor)
    path = f"/webhooks/{one(site, 'SELECT id FROM webhook_endpoint')[0]}"
    other = site.visitor(site.outsider)
    assert other.get(path).status == 404
    other.get("/webhooks")
    assert other.post(f"{path}/remove").status == 404
    viewer = pages.join(site.operator, "Vera View <vera@firm.test>", "viewer", site.firm.tenant)
    assert site.visitor(viewer).get("/webhooks").status == 404
    staff = site.visitor(site.staff)
    assert "Choose" in said(staff.get("/webhooks").text) or staff.get("/webhooks").status == 200
    assert one(site, "SELECT count(*) FROM webhook_endpoint") == (1,)
