"""API keys as pages: shown once, working after a second person, rotated beside the old secret, ended at once by one."""

import re
from datetime import timedelta

import pytest
from tests.support import pages
from tests.support.firm import now

from troth.keys.api_keys import parse_key

KEY = re.compile(r"troth_a_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


def said(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " ").replace("&#x27;", "'")


def asked(**more):
    return {"name": "Billing", "which": "some", "categories": "rent", "mode": "live", "networks": "", "rate": "",
            "days": "90", "reason": "A program needs a key", **more}  # fmt: skip


def one(site, query, *values):
    return site.operator.admin.execute(query, values).fetchone()


def approve(site):
    change = one(site, "SELECT id, digest FROM change WHERE kind = 'api-key' AND state = 1")
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (*change, site.operator.sessions[1]))
    return change[0]


def path_of(site, name):
    return f"/keys/{one(site, 'SELECT id FROM api_key WHERE name = %s', name)[0]}"


def test_a_key_is_made_shown_once_and_works_after_a_second_person(site):
    visitor = site.visitor(site.member)
    assert "Make a key" in said(visitor.get("/keys").text)
    visitor.get("/keys/new")
    networks = "192.0.2.7, 2001:DB8::/32\n192.0.2.7"
    shown = visitor.post("/keys/new", **asked(networks=networks, rate="1,200", days="30"))
    assert shown.status == 200
    assert "no-store" in shown.headers["cache-control"]
    key = parse_key(KEY.search(shown.text)[0])
    assert one(site, "SELECT count(*) FROM api_key WHERE name = 'Billing'") == (0,)
    assert "Billing waits for its second person" in said(visitor.get("/keys").text)
    approve(site)
    row = one(site, "SELECT hash, mode, networks::text[], expires_at FROM api_key WHERE name = 'Billing'")
    assert row[:3] == (key.hash, 1, ["192.0.2.7/32", "2001:db8::/32"])
    assert abs(row[3] - now() - timedelta(days=30)) < timedelta(minutes=5)
    text = said(visitor.get(path_of(site, "Billing")).text)
    assert "at most 1,200 messages an hour" in text
    assert "192.0.2.7/32 , 2001:db8::/32" in text
    for path in ("/keys", path_of(site, "Billing")):
        assert not KEY.search(visitor.get(path).text)


WRONG = [
    ({"name": " "}, "name", "Name the program"),
    ({"name": "n" * 81}, "name", "at most 80 characters"),
    ({"which": "few"}, "which", "Choose one of the two"),
    ({"categories": ""}, "categories", "no category"),
    ({"categories": "none-such"}, "categories", "There is no category none-such here"),
    ({"mode": "trial"}, "mode", "Choose live or test"),
    ({"networks": "the office"}, "networks", "the is no network"),
    ({"networks": "192.0.2.0/33"}, "networks", "192.0.2.0/33 is no network"),
    ({"networks": "\n".join(f"10.0.{n}.0/24" for n in range(51))}, "networks", "at most 50 networks"),
    ({"rate": "0"}, "rate", "from 1 to"),
    ({"rate": "fast"}, "rate", "whole number of messages an hour"),
    ({"rate": "1000001"}, "rate", "from 1 to 1,000,000"),
    ({"days": "91"}, "days", "from 1 to 90 days"),
    ({"days": ""}, "days", "from 1 to 90"),
    ({"reason": ""}, "reason", "Say why"),
]


def test_what_no_key_may_be_is_said_at_its_field(site):
    visitor = site.visitor(site.member)
    visitor.get("/keys/new")
    for more, field, says in WRONG:
        answer = visitor.post("/keys/new", **asked(**more))
        assert answer.status == 422, more
        assert says in said(answer.text), more
        assert f'href="#f-{field}"' in answer.text, more
        assert not KEY.search(answer.text), more
    assert one(site, "SELECT count(*) FROM change WHERE kind = 'api-key' AND state = 1") == (0,)


def test_a_key_is_rotated_beside_its_old_secret(site):
    visitor = site.visitor(site.member)
    path = path_of(site, "key")
    text = said(visitor.get(f"{path}/rotate").text)
    assert "the old one works on for 72 h beside it" in text
    refused = visitor.post(f"{path}/rotate", days="91", reason="")
    assert refused.status == 422
    assert "from 1 to 90 days" in said(refused.text)
    shown = visitor.post(f"{path}/rotate", days="60", reason="Every 60 days")
    key = parse_key(KEY.search(shown.text)[0])
    approve(site)
    rows = site.operator.admin.execute("SELECT hash FROM api_key_secret WHERE key_id = %s", (site.firm.key,)).fetchall()
    assert {bytes(h) for (h,) in rows} == {key.hash, site.firm.key_hash}
    text = said(visitor.get(path).text)
    assert "Works beside it" in text
    assert "In force" in text
    assert "Changed: a new secret" in text
    visitor.post(f"{path}/revoke", secret=str(one(site, "SELECT id FROM snapshot WHERE subject = %s AND version = 1", site.firm.key)[0]), reason="the program has changed over")  # fmt: skip
    assert "Works beside it" not in said(visitor.get(path).text)
    assert one(site, "SELECT revoked_at FROM api_key WHERE id = %s", site.firm.key) == (None,)


def test_a_scope_is_changed_and_the_secret_stays(site):
    visitor = site.visitor(site.member)
    path = path_of(site, "key")
    visitor.get(f"{path}/edit")
    proposed = visitor.post(f"{path}/edit", **asked(name="key", networks="192.0.2.0/24", days="9999"))
    assert "/changes/" in proposed.url
    ends = one(site, "SELECT expires_at FROM api_key WHERE id = %s", site.firm.key)
    approve(site)
    row = one(site, "SELECT hash, networks::text[], expires_at FROM api_key WHERE id = %s", site.firm.key)
    assert row == (site.firm.key_hash, ["192.0.2.0/24"], *ends)
    assert "Changed: networks" in said(visitor.get(path).text)


def test_a_leaked_key_is_ended_at_once_by_one_person_with_a_reason(site):
    visitor = site.visitor(site.member)
    path = path_of(site, "key")
    assert "End it at once" in said(visitor.get(path).text)
    refused = visitor.post(f"{path}/revoke", reason=" ")
    assert refused.status == 422
    assert "Say why" in said(refused.text)
    assert one(site, "SELECT revoked_at FROM api_key WHERE id = %s", site.firm.key) == (None,)
    ended = visitor.post(f"{path}/revoke", reason="It was in a public repository")
    assert "The key is ended" in said(ended.text)
    assert one(site, "SELECT revoked_at FROM api_key WHERE id = %s", site.firm.key) != (None,)
    again = visitor.post(f"{path}/revoke", reason="once more")
    assert again.status in (200, 422)
    assert visitor.get(f"{path}/rotate").url.endswith(path)
    assert "rotate" not in visitor.last


def test_a_test_key_says_that_it_sends_nothing(site):
    visitor = site.visitor(site.member)
    visitor.get("/keys/new")
    visitor.post("/keys/new", **asked(name="Trial", which="all", mode="test"))
    approve(site)
    text = said(visitor.get("/keys").text)
    assert "Test: sends nothing" in text
    assert "every category" in text
    assert one(site, "SELECT mode FROM api_key WHERE name = 'Trial'") == (2,)


def test_another_clients_key_and_none_read_the_same(site):
    visitor = site.visitor(site.outsider)
    for path in (f"/keys/{site.firm.key}", f"/keys/{site.firm.key}/rotate", f"/keys/{site.firm.key}/edit"):
        assert visitor.get(path).status == 404
    assert visitor.post(f"/keys/{site.firm.key}/revoke", reason="mine").status == 404
    assert one(site, "SELECT revoked_at FROM api_key WHERE id = %s", site.firm.key) == (None,)


def test_keys_are_for_those_who_manage_them(site):
    viewer = pages.join(site.operator, "Vera View <vera@firm.test>", "viewer", site.firm.tenant)
    maker = pages.join(site.operator, "Dev Loper <dev@firm.test>", "developer", site.firm.tenant)
    assert site.visitor(viewer).get("/keys").status == 404
    visitor = site.visitor(maker)
    assert visitor.get("/keys").status == 200
    assert "End this key" not in visitor.get(path_of(site, "key")).text
    assert visitor.post(f"{path_of(site, 'key')}/revoke", reason="x").status == 404
    alone = pages.join(site.operator, "Ada One <ada@firm.test>", "admin", site.firm.tenant, second=False)
    assert not site.visitor(alone).get("/keys").url.endswith("/keys")


def test_a_key_needs_a_recent_proof(site):
    visitor = site.visitor(site.member)
    site.operator.admin.execute("UPDATE session SET proved_at = now_v1() - interval '1 hour'")
    assert "/prove" in visitor.get("/keys/new").url
    assert visitor.get("/keys").status == 200


def test_without_a_policy_no_key_is_made(site):
    operator = site.operator
    subject = one(site, "SELECT subject FROM governed WHERE kind = 'policy' AND code = 'programme:p-firm'")[0]
    operator.admin.execute("ALTER TABLE governed DISABLE TRIGGER USER")
    operator.admin.execute("UPDATE governed SET retired = true WHERE subject = %s", (subject,))
    answer = site.visitor(site.member).get("/keys/new")
    assert answer.status == 409
    assert "The operator approves" not in said(answer.text)
    assert "no policy in force" in said(answer.text)
