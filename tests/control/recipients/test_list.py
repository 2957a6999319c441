"""The pages of recipients: the client's own alone, found by address, state and pathway; one with all that is written."""

import hashlib
import re
from datetime import timedelta

import pytest
from tests.control.imports.working_with import hand_in, import_of, work
from tests.control.messages.test_list import way
from tests.support.firm import make_firm, now
from tests.support.pages import join

from troth.keys.ids import uuid7, wire

_REF = re.compile(r'<small class="mono">(rcp_a_[0-9a-f]{32})</small>')


def many(firm, n: int, status: int = 2) -> list[str]:
    found = [f"r{n}-{status}-{each}@{firm.name}" for each in range(n)]
    for each in found:
        firm.person(each, status)
    return found


def test_every_recipient_is_on_one_page_in_either_direction(site):
    many(site.firm, 60)
    many(site.firm, 53, status=1)
    site.operator.database.fill(
        "UPDATE person SET expires_at = now_v1() - interval '1 day' WHERE status = 2 AND tenant_id = %s",
        site.firm.tenant,
    )
    member = site.visitor(site.member)
    for query, n in (("", 113), ("?state=pending", 53), ("?state=expired", 60), ("?pathway=confirmation-link", 60),
                     ("?state=verified", 0), ("?state=erased", 0)):  # fmt: skip
        seen, path, pages_seen = [], f"/recipients{query}", []
        while path:
            answer = member.get(path)
            assert answer.status == 200
            pages_seen.append(path)
            seen.append(_REF.findall(answer.text))
            path = way(answer, "Older")
        assert len({ref for page in seen for ref in page}) == sum(map(len, seen)) == n, query
        if len(pages_seen) > 1:
            back = way(member.get(pages_seen[-1]), "Newer")
            assert _REF.findall(member.get(back).text) == seen[-2], query


def test_a_recipient_is_found_by_address_which_is_in_no_address_bar(site):
    address = many(site.firm, 3)[1]
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)
    member.get("/recipients")
    found = member.post("/recipients/find", q=f"  {address.upper()} ")
    assert address not in found.url.lower()
    assert len(_REF.findall(found.text)) == 1
    ref = _REF.findall(found.text)[0]
    assert address in member.get(f"/recipients/{ref}").text
    assert outsider.get(f"/recipients/{ref}").status == 404
    assert outsider.get(found.url.removeprefix(site.url)).status == 422
    assert "Nobody is registered" in outsider.get("/recipients").text
    assert "is not registered for this client" in member.post("/recipients/find", q="no@where.example").text
    part = member.post("/recipients/find", q="r3")
    assert part.status == 422
    assert "a part cannot be found" in part.text
    for nonsense in ("state=x", "pathway=x", "after=x", "who=x"):
        assert member.get(f"/recipients?{nonsense}").status == 422
    assert member.get("/recipients/rcp_a_x").status == 404
    looks = "SELECT count(*) FROM ledger_pending WHERE kind IN ('access:recipient:list', 'access:recipient:view')"
    assert site.operator.admin.execute(looks).fetchone()[0] >= 2


def test_a_role_that_sees_no_content_sees_states_and_no_addresses(site):
    address = many(site.firm, 2)[0]
    support = site.visitor(join(site.operator, "S Upport <support@operator.test>", "support"))
    support.get("/clients")
    support.post("/scope", client=str(site.firm.tenant))
    page = support.get("/recipients")
    assert address not in page.text
    assert "not shown" in page.text
    one = support.get(f"/recipients/{_REF.findall(page.text)[0]}")
    assert "not who they are" in one.text
    assert "@mail" not in one.text.partition("<main")[2]
    assert support.get("/recipients/new").status == 404
    assert support.get(f"/recipients/{_REF.findall(page.text)[0]}/erase").status == 404


def test_one_tells_its_whole_history(site):
    firm, admin = site.firm, site.operator.admin
    person = firm.person("hist@mail.example", status=1)
    admin.execute(
        "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, created_at, expires_at, asked_by)"
        " VALUES (sha256('s'), %s, %s, 'confirmation-link', %s, %s, %s)",
        (firm.tenant, person, now() - timedelta(days=4), now() - timedelta(days=1), f"key:{firm.key}"))  # fmt: skip
    admin.execute(
        "UPDATE person SET status = 2, pathway = 'confirmation-link', verified_at = now_v1() - interval '3 days',"
        " expires_at = now_v1() + interval '300 days', timezone = 'Asia/Tokyo' WHERE id = %s", (person,))  # fmt: skip
    admin.execute(
        "INSERT INTO consent (id, tenant_id, person_id, kind, basis, at, detail_ct)"
        " VALUES (%s, %s, %s, 1, 'form', now_v1(), '\\x02')", (uuid7(now()), firm.tenant, person))  # fmt: skip
    page = site.visitor(site.member).get(f"/recipients/{wire('rcp', 'a', person)}").text
    for words in ("Asked to confirm", "not answered in time", "asked by a program", "Verified", "Registered", "Asia/Tokyo",
                  "Express consent", "every category", "Confirmation link", "Messages to them", "Look on the list"):  # fmt: skip
        assert words in page, words


def test_erasing_asks_and_is_for_good(site):
    person = site.firm.person("gone@mail.example")
    member, path = site.visitor(site.member), f"/recipients/{wire('rcp', 'a', person)}"
    page = member.get(f"{path}/erase")
    assert "no way back" in page.text
    assert "gone@mail.example" in page.text
    assert member.post(f"{path}/erase", sure="yes").status == 422
    assert "Erased" in member.post(f"{path}/erase", sure="Erase").text
    query = "SELECT status, address_ct, data_key FROM person WHERE id = %s"
    assert site.operator.admin.execute(query, (person,)).fetchone() == (4, None, None)
    shown = member.get(path)
    assert "gone@mail.example" not in shown.text
    assert "An erased recipient" in shown.text
    assert member.get(f"{path}/erase").url.endswith(path)


@pytest.fixture
def built(site):
    """A client whose policy takes employers' invitations and vendors' agreements."""
    firm = make_firm(site.operator, "build", "construction")
    return firm, join(site.operator, "B Uilder <builder@build.test>", "admin", firm.tenant)


def test_an_agreement_is_kept_by_its_hash_alone_and_verifies_a_file_of_people(site, built):
    firm, admin = built
    visitor = site.visitor(admin)
    assert "No agreement is kept" in visitor.get("/recipients/agreements").text
    document = b"%PDF signed by both" * 1000

    def keep(data: bytes, **fields: str):
        visitor.get("/recipients/agreements/new")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.last)[1]
        return visitor.send(
            "/recipients/agreements/new", {"csrfmiddlewaretoken": token, **fields}, {"file": ("a.pdf", data)}
        )

    assert keep(b"", name="", signed="yesterday").status == 422
    assert "correct its date" in keep(document, name="Framework", signed="2999-01-01").text
    kept = keep(document, name="Framework 2026", signed="2026-03-01")
    assert kept.status == 200
    assert hashlib.sha256(document).hexdigest() in kept.text
    assert "very document is here" in keep(document, name="Again", signed="2026-03-01").text
    agreement = site.operator.admin.execute("SELECT id, octets FROM agreement").fetchone()
    assert agreement[1] == len(document)
    answer = hand_in(visitor, "/recipients/import", b"email\nv1@ven.example\nv2@ven.example\n",
                     pathway=f"vendor-agreement:{agreement[0]}")  # fmt: skip
    assert answer.status == 200, answer.text
    assert "Framework 2026" in answer.text
    subject = import_of(answer)
    work(site.operator)
    visitor.get(f"/imports/{subject}")
    change = visitor.post(f"/imports/{subject}/propose", reason="the framework names them")
    assert "2 rows of “people.csv” are imported" in change.text
    made = change.url.rpartition("/")[2]
    digest = site.operator.admin.execute("SELECT digest FROM change WHERE id = %s", (made,)).fetchone()[0]
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (made, digest, site.operator.sessions[1]))
    work(site.operator)
    query = "SELECT status, pathway, agreement, expires_at > now_v1() FROM person WHERE tenant_id = %s"
    found = site.operator.admin.execute(query, (firm.tenant,)).fetchall()
    assert found == [(2, "vendor-agreement", hashlib.sha256(document).digest(), True)] * 2
    bad = "SELECT sum(bad) FROM (SELECT (claim_fact_v1('verified', 'epoch')).*) AS f(tenant, n, bad, first)"
    assert site.operator.control.execute(bad).fetchone()[0] == 0
    ref = _REF.findall(visitor.get("/recipients").text)[0]
    page = visitor.get(f"/recipients/{ref}").text
    assert "Verified by an import that two people approved" in page
    assert hashlib.sha256(document).hexdigest() in page


def test_nobody_is_registered_without_the_door(site):
    member = site.visitor(site.member)
    page = member.get("/recipients/new")
    assert "Confirmation link" in page.text
    assert "Employer" not in page.text
    assert member.post("/recipients/new", email="").status == 422
    away = member.post("/recipients/new", email="new@mail.example", pathway="confirmation-link")
    assert away.status == 422
    assert "door does not answer" in away.text
    assert "new@mail.example" in away.text
