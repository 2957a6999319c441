"""A domain is added in the pages: its key is made, its records shown, a second person approves; what is typed is kept."""

import json
import re

import pytest
from tests.support import pages

NAME = "post.firm.example"


def added(asking, name=NAME, reason="Rent reminders"):
    member = asking.visitor(asking.member)
    member.get("/domains/new")
    return member, member.post("/domains/new", name=name, reason=reason)


def test_a_domain_is_proposed_with_its_key_and_shows_what_to_publish(asking):
    member, page = added(asking, f"  https://{NAME.upper()}/x ")
    assert page.status == 200, page.text[:500]
    for text in (NAME, "A second person looks at", "v=spf1 include:_spf.relay.test -all", f"troth1._domainkey.{NAME}",
                 "v=DKIM1; k=rsa; p=MII", f"_dmarc.{NAME}", "v=DMARC1; p=reject; rua=mailto:dmarc@bounces.troth.test",
                 f"bounce.{NAME}", "bounces.troth.test.", "<dd>CNAME</dd>", f"_smtp._tls.{NAME}", "v=TLSRPTv1"):  # fmt: skip
        assert text in page.text, text
    [strings] = re.findall(r"<pre[^>]*>(&quot;v=DKIM1.*?)</pre>", page.text)
    parts = re.findall(r"&quot;(.*?)&quot;", strings)
    assert len(parts) == 2
    assert all(len(part) <= 255 for part in parts)
    assert "".join(parts) in page.text
    assert "_report._dmarc" not in page.text  # the operator's own zone is none of the client's business
    listed = member.get("/domains").text
    assert f"{NAME}</a> waits for a second person" in listed
    found = asking.operator.admin.execute(
        "SELECT k.state, k.bits, c.state FROM dkim_key k JOIN change c ON c.subject = k.domain_id WHERE c.code = %s",
        (NAME,),
    ).fetchall()
    assert found == [("active", 2048, 1)]
    seen = asking.visitor(asking.outsider).get(page.url.removeprefix(asking.url))
    assert seen.status == 404


def test_staff_see_what_the_installation_itself_publishes(asking):
    staff = asking.visitor(asking.staff)
    staff.get("/")
    staff.post("/scope", client=str(asking.firm.tenant))
    page = staff.get(f"/domains/{asking.firm.domain}").text
    assert f"{asking.firm.name}._report._dmarc.bounces.troth.test" in page


@pytest.mark.parametrize(
    ("name", "reason", "says"),
    [
        ("", "Why", "Write the domain that mail is to come from"),
        ("no_underscore.example", "Why", ""),
        ("a" * 254 + ".example", "Why", "at most 253 characters"),
        ("localhost", "Why", ""),
        ("mail.firm.example", "Why", "is there already"),
        (NAME, "", "Say why, for the person who approves."),
    ],
)
def test_what_is_wrong_names_the_field_and_keeps_what_was_typed(asking, name, reason, says):
    _, page = added(asking, name, reason)
    assert page.status == 422
    assert says in page.text
    assert 'aria-invalid="true"' in page.text
    assert f'value="{name}"' in page.text
    assert asking.operator.admin.execute("SELECT count(*) FROM dkim_key WHERE selector = 'troth1'").fetchone() == (0,)


def test_the_same_domain_is_not_proposed_twice(asking):
    member, _ = added(asking)
    member.get("/domains/new")
    assert "waits for a second person" in member.post("/domains/new", name=NAME, reason="Again").text


def test_check_now_asks_once_in_a_while_and_the_page_says_that_it_is_asked(asking):
    member = asking.visitor(asking.member)
    at = f"/domains/{asking.firm.domain}"
    asking.operator.database.fill("UPDATE domain_state SET checked_at = now_v1() - interval '1 minute'")
    page = member.get(at)
    assert "Check now" in page.text
    page = member.post(f"{at}/look")
    assert "The DNS is being asked" in page.text
    assert 'hx-trigger="every 2s"' in page.text
    assert "asked a moment ago" in member.post(f"{at}/look").text
    asking.operator.database.fill("UPDATE domain_state SET checked_at = now_v1()")
    assert "The DNS is being asked" not in member.get(at).text


def test_views_say_who_sees_what(asking):
    asking.operator.database.fill("UPDATE domain_state SET views = %s", json.dumps([
        {"who": "192.0.2.53", "own": False, "holds": False, "ttl": 3600,
         "findings": [{"ok": False, "code": "dmarc.policy", "sentence": "It says none."}]},
        {"who": "ns1.firm.example", "own": True, "holds": True, "ttl": 0, "findings": []},
    ]))  # fmt: skip
    page = asking.visitor(asking.member).get(f"/domains/{asking.firm.domain}").text
    for text in ("Who sees what", "192.0.2.53", "DMARC policy", "3,600 s", "the domain’s own server"):
        assert text in page, text


def test_a_key_is_changed_and_the_change_is_stopped(asking):
    member = asking.visitor(asking.member)
    at = f"/domains/{asking.firm.domain}"
    assert "The new key signs when every resolver has shown its record" in member.get(f"{at}/rotate").text
    page = member.post(f"{at}/rotate")
    assert "The next key" in page.text
    [selector] = re.findall(r"(t\d{8}-[0-9a-f]{4})\._domainkey", page.text)[:1]
    assert "Change its key" not in page.text
    member.get(f"{at}/rotate")
    again = member.post(f"{at}/rotate")
    assert again.status == 409
    assert "under way" in again.text
    member.get(at)
    assert "the key in force stays" in member.post(f"{at}/rotate/stop").text
    assert asking.operator.admin.execute(
        "SELECT state, private_ct, ended FROM dkim_key WHERE selector = %s", (selector,)
    ).fetchone() == ("retired", None, "by-hand")
    assert "nothing to stop" in member.post(f"{at}/rotate/stop").text


def test_who_may_not_change_a_key_is_told_so(asking):
    viewer = pages.join(asking.operator, "Dot Lune <dot@firm.test>", "viewer", asking.firm.tenant)
    visitor = asking.visitor(viewer)
    at = f"/domains/{asking.firm.domain}"
    page = visitor.get(at)
    assert "Change its key" not in page.text
    assert "Check now" not in page.text
    for path in ("rotate", "look", "rotate/stop"):
        assert visitor.post(f"{at}/{path}").status in (403, 404)


def test_reputation_is_told_by_what_is_wrong_first(asking):
    rows = [
        ("192.0.2.1", "bl.list.test", "clean", "", None), ("192.0.2.1", "reverse-name", "confirmed", "out.test", None),
        ("192.0.2.9", "bl.list.test", "listed", "127.0.0.2 why", None),
        ("192.0.2.9", "no.list.test", "unusable", "it is closed", None),
        ("mail.other.example", "dbl.list.test", "listed", "127.0.1.2", asking.other.tenant),
    ]  # fmt: skip
    for subject, name, state, said, tenant in rows:
        asking.operator.admin.execute(
            "INSERT INTO reputation_look VALUES (gen_random_uuid(), %s, %s, %s, now_v1(), %s, %s)",
            (tenant, subject, name, state, said),
        )
    page = asking.visitor(asking.staff).get("/domains/reputation").text
    places = [page.index(text) for text in ("127.0.0.2 why", "it is closed", "out.test")]
    assert places == sorted(places)
    assert "Something is wrong" in page
    assert "mail.other.example" not in asking.visitor(asking.member).get("/domains/reputation").text


def test_where_nothing_is_watched_the_page_says_how_to_begin(asking):
    assert "sending_addresses" in asking.visitor(asking.staff).get("/domains/reputation").text
    told = asking.visitor(asking.member).get("/domains/reputation").text
    assert "sending_addresses" not in told
    assert "Your operator says which are asked" in told


def test_only_fresh_looks_say_that_nothing_is_listed(asking):
    staff = asking.visitor(asking.staff)

    def look(name, state, hours):
        asking.operator.admin.execute(
            "INSERT INTO reputation_look VALUES (gen_random_uuid(), NULL, '192.0.2.1', %s, now_v1() - %s * interval '1 hour', %s, '')",
            (name, hours, state),
        )
        return staff.get("/domains/reputation").text

    assert "Not asked lately" in look("bl.list.test", "clean", 4)
    assert "Nothing is listed" in look("bl.list.test", "clean", 1)
    assert "No list can be believed" in look("bl.list.test", "unusable", 0)


def test_the_next_key_says_who_shows_it_and_when_it_signs(asking):
    member, at = asking.visitor(asking.member), f"/domains/{asking.firm.domain}"
    member.get(f"{at}/rotate")
    page = member.post(f"{at}/rotate").text
    [selector] = re.findall(r"(t\d{8}-[0-9a-f]{4})\._domainkey", page)[:1]
    assert "goes on signing until every place that is asked shows the new one" in page
    assert "the new key’s record in strings" in page
    places = [{"who": who, "own": False, "holds": True, "ttl": 0, "findings": [], "keys": {selector: word}}
              for who, word in (("192.0.2.1", "shown"), ("192.0.2.2", "missing"), ("192.0.2.3", "silent"))]  # fmt: skip
    asking.operator.database.fill("UPDATE domain_state SET views = %s", json.dumps(places))
    page = member.get(at).text
    for text in ("Shows it", "Not yet", "No answer"):
        assert text in page, text
    asking.operator.database.fill(
        "UPDATE dkim_key SET seen_at = '2026-03-01 10:00Z' WHERE selector = %s", selector
    )  # an hour, as the settings have it
    page = member.get(at).text
    assert re.search(
        r"since <time[^>]*2026-03-01T10:00[^>]*>.*It signs from <time[^>]*2026-03-01T11:00", page, re.DOTALL
    )
    row = page[page.index(f">{selector}</th>") :]
    assert "to be published" not in row[: row.index("</tr>")]
