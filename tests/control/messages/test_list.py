"""The list of messages: every one is on some page, an address is told by no address bar, and another client's is not there."""

import html
import re
from datetime import timedelta

import pytest
from tests.support import pages, seeding
from tests.support.firm import now

_REF = re.compile(r'<th role="rowheader" scope="row"><a href="/messages/(msg_a_[0-9a-f]{32})"')
_WAY = r'href="([^"]+)">{}<'


def refs(answer):
    return _REF.findall(answer.text)


def way(answer, word):
    found = re.search(_WAY.format(word), answer.text)
    return html.unescape(found[1]) if found else None


def test_every_message_is_on_one_page_and_the_way_back_is_the_same(site):
    seeding.people(site.firm, 30)
    seeding.messages(site.firm, 170, weeks=1, real=0)
    member = site.visitor(site.member)
    there, path = [], "/messages"
    while path:
        answer = member.get(path)
        there.append(refs(answer))
        path, last = way(answer, "Older"), path
    assert [len(page) for page in there] == [50, 50, 50, 20]
    everyone = [ref for page in there for ref in page]
    assert len(set(everyone)) == 170
    assert everyone == sorted(everyone, reverse=True)
    back, path = [], last
    while path:
        answer = member.get(path)
        back.append(refs(answer))
        path = way(answer, "Newer")
    assert back[1:] == there[::-1][1:]


def test_the_oldest_first_is_the_same_list_the_other_way_round(site):
    seeding.people(site.firm, 30)
    seeding.messages(site.firm, 120, weeks=1, real=0)
    member = site.visitor(site.member)
    head = re.search(r'aria-sort="descending" class="n"><a href="([^"]+)">Accepted', member.get("/messages").text)[1]
    assert head == "/messages?sort=oldest"
    there, path = [], head
    while path:
        answer = member.get(path)
        there.append(refs(answer))
        path, last = way(answer, "Newer"), path
    assert [len(page) for page in there] == [50, 50, 20]
    everyone = [ref for page in there for ref in page]
    assert everyone == sorted(set(everyone))
    assert refs(member.get(way(member.get(last), "Older"))) == there[1]
    assert way(member.get(last), "Oldest") == head
    assert 'aria-sort="ascending"' in answer.text


@pytest.mark.parametrize("typed", ["tenant3@example.net", "TENANT3@Example.NET", "  tenant3@example.net "])
def test_an_address_is_found_and_told_by_no_address_bar_nor_log(site, typed):
    seeding.people(site.firm, 10)
    seeding.messages(site.firm, 100, weeks=1, real=0)
    member = site.visitor(site.member)
    member.get("/messages")
    found = member.post("/messages/find", q=typed)
    assert found.status == 200
    assert "who=" in found.url
    assert "tenant3" not in found.url.lower()
    assert len(refs(found)) == 10
    assert member.get(found.url.removeprefix(site.url)).text.count("tenant3@example.net") >= 10
    assert "tenant3" not in (site.folder / "pages.log").read_text()
    leaves = site.operator.admin.execute("SELECT leaf FROM ledger_pending WHERE kind LIKE 'access:%'").fetchall()
    assert leaves
    assert not [leaf for (leaf,) in leaves if "@" in leaf]
    other = site.visitor(site.outsider).get(found.url.removeprefix(site.url))
    assert other.status == 422
    assert "tenant3" not in other.text


def test_an_address_is_found_under_an_older_layer_of_the_index(operator, tmp_path):
    from tests.support.firm import make_firm

    firm = make_firm(operator)
    seeding.people(firm, 3)
    seeding.messages(firm, 30, weeks=1, real=0)
    newer = operator.secrets.with_new_blind_layer()
    operator.database.fill("UPDATE installation SET secrets_ct = %s", newer.seal(operator.keyring._kms))
    operator.secrets = newer
    site = pages.start(operator, tmp_path, firm=firm)
    try:
        member = site.visitor(site.member)
        member.get("/messages")
        assert len(refs(member.post("/messages/find", q="tenant1@example.net"))) == 10
    finally:
        pages.stop(site)


def test_ids_in_every_form_lead_to_the_message(site):
    seeding.people(site.firm, 1)
    seeding.messages(site.firm, 3, weeks=1, real=0)
    member = site.visitor(site.member)
    ref = refs(member.get("/messages"))[0]
    message = ref.removeprefix("msg_a_")
    email = site.operator.admin.execute("SELECT email_id FROM message WHERE id = %s", (message,)).fetchone()[0]
    for typed in (ref, message, f"<{message}@mail.firm.example>", str(email), f"em_a_{email.hex}", ref.upper()):
        assert member.post("/messages/find", q=typed).url == f"{site.url}/messages/{ref}", typed
    assert member.post("/messages/find", q="msg_a_" + "0" * 32).status == 404
    for typed in ("tenant1", "@", "a b@example.net", "em_a_1", "x" * 1000, "\0"):
        refused = member.post("/messages/find", q=typed)
        assert refused.status in (200, 422), typed
        assert "Type a whole address" in refused.text or "address" in refused.text


def test_filters_narrow_and_stay_in_the_address_bar(site):
    seeding.people(site.firm, 40)
    seeding.messages(site.firm, 1000, weeks=8, real=0)
    member = site.visitor(site.member)
    count = "SELECT count(*) FROM message WHERE tenant_id = %s AND state = %s"
    for word, state in (
        ("bounced", 8),
        ("failed", 14),
        ("held", 10),
        ("deferred", 7),
        ("queued", 2),
        ("suppressed", 11),
    ):
        there = site.operator.admin.execute(count, (site.firm.tenant, state)).fetchone()[0]
        answer = member.get(f"/messages?state={word}")
        assert len(refs(answer)) == min(there, 50) > 0, word
        assert answer.text.count(f">{word.capitalize()}</span>") == len(refs(answer)), word
    assert member.get("/messages?category=&state=&who=&junk=1").url == f"{site.url}/messages"
    assert member.get("/messages?state=held&category=rent").url == f"{site.url}/messages?category=rent&state=held"
    day = (now() - timedelta(days=20)).date().isoformat()
    in_day = refs(member.get(f"/messages?from={day}&to={day}"))
    assert 15 <= len(in_day) <= 19
    for wrong in (
        "state=lost",
        "category=nothing",
        "from=yesterday",
        f"from={day}&to=2020-01-01",
        "after=x",
        "email=1",
        "who=1",
    ):
        answer = member.get(f"/messages?{wrong}")
        assert answer.status == 422, wrong
        assert "Nothing was looked up" in answer.text


def test_a_page_says_how_far_it_looked(site):
    seeding.people(site.firm, 40)
    seeding.messages(site.firm, 21_000, weeks=8, real=0)
    member = site.visitor(site.member)
    first = member.get("/messages?state=accepted")
    assert "20,000 messages" in first.text
    last = member.get(way(first, "Look further back"))
    assert "No message fits" in last.text
    assert way(last, "Newest") == "/messages?state=accepted"


def test_another_clients_messages_are_not_there(site):
    seeding.people(site.firm, 5)
    seeding.messages(site.firm, 50, weeks=1, real=5)
    ref = refs(site.visitor(site.member).get("/messages"))[0]
    outsider = site.visitor(site.outsider)
    assert refs(outsider.get("/messages")) == []
    missing = outsider.get("/messages/msg_a_" + "7" * 32)
    assert missing.status == 404
    email = site.operator.admin.execute("SELECT email_id FROM message WHERE id = %s", (ref[6:],)).fetchone()[0]
    unlike = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    for path in (f"/messages/{ref}", f"/messages/{ref}/receipt", f"/messages/{email}"):
        answer = outsider.get(path)
        assert answer.status == 404
        assert unlike.sub("", answer.text) == unlike.sub("", missing.text)
    assert refs(outsider.get(f"/messages?email=em_a_{email.hex}")) == []
    accesses = "SELECT count(*) FROM ledger_pending WHERE kind LIKE 'access:%%' AND tenant_id = %s"
    assert site.operator.admin.execute(accesses, (site.other.tenant,)).fetchone()[0] == 0


def test_staff_choose_a_client_first(site):
    staff = site.visitor(site.staff)
    assert "Choose a client first" in staff.get("/messages").text
    assert "Search messages" not in staff.get("/messages").text
    assert staff.post("/messages/find", q="a@example.net").status == 404
