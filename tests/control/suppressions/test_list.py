"""The list of suppressions: the client's own alone, every entry on one page, an address's history, nothing of others."""

import re
from uuid import uuid4

from tests.control.messages.test_list import way
from tests.support import django_ready, seeding  # noqa: F401  # rooms are imported outside a server

from troth.control.recipients import agreeing
from troth.control.recipients.reading import BASES
from troth.control.suppressions.words import WAYS
from troth.keys.ids import wire
from troth.rules.consent_given import MONTHS, RECORDED

_INDEX = re.compile(r'<small class="mono">([0-9a-f]{8})</small>')


def test_every_entry_is_on_one_page_though_they_share_a_moment(site):
    seeding.people(site.firm, 20)
    seeding.suppressions(site.firm, 130)
    site.operator.database.fill("UPDATE suppression SET created_at = (SELECT max(created_at) FROM suppression)")
    site.operator.database.fill("UPDATE opt_out SET created_at = (SELECT max(created_at) FROM suppression)")
    member = site.visitor(site.member)
    seen, path = [], "/suppressions"
    while path:
        answer = member.get(path)
        assert answer.status == 200
        seen.append(re.findall(r"<tr role=\"row\"><th role=\"rowheader\".*?</tr>", answer.text, re.DOTALL))
        path, last = way(answer, "Older"), path
    assert [len(page) for page in seen] == [50, 50, 43]
    back = way(member.get(last), "Newer")
    assert _INDEX.findall(member.get(back).text) == _INDEX.findall("".join(seen[1]))
    assert len(set(_INDEX.findall("".join(map("".join, seen))))) >= 130
    other, path = [], "/suppressions?sort=oldest"
    while path:
        answer = member.get(path)
        other += _INDEX.findall(answer.text)
        path = way(answer, "Newer")
    assert other == _INDEX.findall("".join(map("".join, seen)))[::-1]


def test_an_address_has_its_history_and_another_clients_reason_is_not_told(site):
    address = seeding.people(site.firm, 20)[5]
    seeding.suppressions(site.firm, 60)
    site.other.person(address)
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)
    member.get("/suppressions")
    found = member.post("/suppressions/find", q=address)
    assert address not in found.url
    assert "They want no more of one category, rent" in found.text
    assert len(_INDEX.findall(found.text)) == 2
    outsider.get("/suppressions")
    theirs = outsider.post("/suppressions/find", q=address)
    assert "not on this client’s list" in theirs.text
    assert "bounce" not in theirs.text.partition("</form>")[2].partition('class="empty"')[2]
    assert _INDEX.findall(outsider.get("/suppressions").text) == []
    assert outsider.get(found.url.removeprefix(site.url)).status == 422
    looks = "SELECT count(*) FROM ledger_pending WHERE kind = 'access:suppression:list' AND tenant_id = %s"
    assert site.operator.admin.execute(looks, (site.firm.tenant,)).fetchone()[0] >= 1
    assert site.operator.admin.execute(looks, (site.other.tenant,)).fetchone()[0] == 0


def test_reasons_narrow_and_nonsense_is_said(site):
    seeding.people(site.firm, 5)
    seeding.suppressions(site.firm, 60)
    member = site.visitor(site.member)
    assert len(_INDEX.findall(member.get("/suppressions?reason=complaint").text)) == 10
    assert len(_INDEX.findall(member.get("/suppressions?reason=category-opt-out").text)) == 6
    assert "the message that told it" in member.get("/suppressions?reason=hard-bounce").text
    for wrong in ("reason=because", "who=x", "after=AAAA"):
        assert member.get(f"/suppressions?{wrong}").status == 422, wrong
    member.get("/suppressions")
    assert member.post("/suppressions/find", q="sam").status == 422
    assert member.post("/suppressions/find", q="").url == f"{site.url}/suppressions"


def test_how_somebody_opted_out_is_told_in_words(site):
    """By a mail, by the link, on their own page: what the consent ledger has of it."""
    member, rows, words = site.visitor(site.member), site.operator.database.run, {}
    for n, (basis, source) in enumerate([*((each, "unsubscribe") for each in WAYS), ("own-page", "own-page")]):
        address = f"way{n}@example.net"
        person, index = site.firm.person(address), site.firm.index(address)
        rows("SELECT opt_out_v1(%s, %s, %s, %s)", site.firm.tenant, index, site.firm.category, source)
        what = (site.firm.tenant, [uuid4()], [person], [site.firm.category], [3], [basis], [None], [None], [None])
        recorded = """SELECT consent_v1(%s, %s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[],
                                        %s::timestamptz[], %s::timestamptz[], %s::bytea[])"""
        rows(recorded, *what)
        member.get("/suppressions")
        words[basis, source] = member.post("/suppressions/find", q=address).text
        told = member.get(f"/recipients/{wire('rcp', 'a', person)}").text
        assert BASES[basis] in told
        assert f">{basis}<" not in told
    for (basis, source), text in words.items():
        assert f"<small>{WAYS[basis]}</small>" in text, (basis, source)
    listed = member.get("/suppressions").text
    for raw in ("mailto", "one-click", ">own-page", ">unsubscribe<"):
        assert raw not in listed


def test_no_basis_of_consent_is_without_its_words():
    known = {*WAYS, *MONTHS, RECORDED, agreeing._BASIS}
    assert set(BASES) == known
    assert not [each for each in BASES.values() if each in known]
