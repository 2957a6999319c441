"""Imports promise people: a file is looked at line by line, a second person approves what was found, and then it counts."""

import re

from tests.control.imports.working_with import hand_in, import_of, work
from tests.support.pages import free_port

from troth.outside.dns import Resolver

FILE = (
    "E-Mail,Time zone,Shoe size\r\nana@example.net,Europe/Lisbon,38\r\nbad@,,\r\nbo@example.net,Mars/Olympus,\r\n"
    "ANA@example.net,Europe/Lisbon,\r\ncy@example.net\r\n\r\nzoë@example.net,,\r\n"
    "di@example.net,,\r\nDi@Example.net,Asia/Tokyo,\r\nem@example.net,,\r\n"
).encode()


def people(site, firm=None):
    query = "SELECT count(*) FROM person WHERE tenant_id = %s"
    return site.operator.admin.execute(query, ((firm or site.firm).tenant,)).fetchone()[0]


def test_a_file_goes_from_the_form_to_recipients_through_two_people(site):
    member, second = site.visitor(site.member), site.visitor(site.staff)
    before = people(site)
    answer = hand_in(member, "/recipients/import", FILE)
    assert answer.status == 200, answer.text
    assert "looked at, line by line" in answer.text
    subject = import_of(answer)
    assert work(site.operator) == 1
    page = member.get(f"/imports/{subject}").text
    assert "Not looked at: the column Shoe size." in page
    for line, words in ((3, "@"), (4, "no time zone"), (5, "same as line 2"), (6, "has 1 cell, and"), (8, "SMTPUTF8"),
                        (9, "Line 10 is about the same one"), (10, "Line 9 is about")):  # fmt: skip
        row = re.search(rf'scope="row">Line {line}</th><td role="cell" class="long" data-label="Why">([^<]+)<', page)
        assert row, f"{line} {page}"
        assert words in row[1], row[1]
    assert people(site) == before
    assert "ana@example.net" in page
    sample = member.get("/recipients/import/sample.csv")
    assert sample.text.splitlines()[0].startswith("email,timezone,consent,consent_given_at")
    left = member.get(f"/imports/{subject}/left-out.csv")
    assert left.text.splitlines()[0] == "line,code,reason"
    assert len(left.text.splitlines()) == 8
    member.get(f"/imports/{subject}")
    refused = member.post(f"/imports/{subject}/propose", reason="")
    assert refused.status == 422
    assert "Say why" in refused.text
    assert "Tick this" in refused.text
    change = member.post(f"/imports/{subject}/propose", reason="they joined", left_out="on")
    assert change.status == 200
    assert "2 rows of “people.csv” are imported" in change.text
    assert "waits for a second person" in member.get(f"/imports/{subject}").text
    assert work(site.operator) == 0, "nothing is carried out before somebody approved"
    second.get("/clients")
    second.post("/scope", client=str(site.firm.tenant))
    shown = second.get(change.url.removeprefix(site.url))
    assert "Each gets a confirmation mail, within its client’s limits" in shown.text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', shown.text)
    assert second.post(f"{change.url.removeprefix(site.url)}/approve", digest=digest[1]).status == 200
    assert people(site) == before
    assert work(site.operator) == 1
    done = member.get(f"/imports/{subject}").text
    assert "<b>2</b> added" in done
    assert "<dt>Asked to confirm</dt><dd>0</dd><dt>Wait to be asked</dt><dd>2<small>" in done
    asked = "SELECT import_ask_take_v1(id) FROM person WHERE blind_index = %s"
    assert site.operator.admin.execute(asked, (site.firm.index("ana@example.net"),)).fetchone() == (True,)
    assert (
        "<dt>Asked to confirm</dt><dd>1</dd><dt>Wait to be asked</dt><dd>1<small>"
        in member.get(f"/imports/{subject}").text
    )
    assert people(site) == before + 2
    zone = "SELECT status, timezone FROM person WHERE blind_index = %s"
    assert site.operator.admin.execute(zone, (site.firm.index("ana@example.net"),)).fetchone() == (1, "Europe/Lisbon")
    kinds = "SELECT array_agg(kind ORDER BY id) FROM ledger_pending WHERE kind LIKE 'privacy:import:%'"
    assert site.operator.admin.execute(kinds).fetchone()[0] == ["privacy:import:receive", "privacy:import:apply"]
    for table in ("import_part", "import_chunk"):
        assert site.operator.admin.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_the_sample_is_a_file_that_is_taken_whole_and_a_doubt_is_shown(site):
    member = site.visitor(site.member)
    sample = member.get("/recipients/import/sample.csv").text.encode()
    cells = b"," * (sample.partition(b"\r\n")[0].count(b","))
    subject = import_of(hand_in(member, "/recipients/import", sample + b"ann@gmaill.com" + cells + b"\r\n"))
    assert work(site.operator) == 1
    page = member.get(f"/imports/{subject}").text
    assert "<dt>Rows that are taken</dt><dd><b>4</b></dd><dt>Lines left out</dt><dd>0</dd>" in page
    assert "Taken with a doubt</dt><dd>1</dd>" in page
    assert "was gmail.com meant?" in page
    assert "5,doubt," in member.get(f"/imports/{subject}/left-out.csv").text
    member.get(f"/imports/{subject}")
    change = member.post(f"/imports/{subject}/propose", reason="they joined")
    assert "Taken with a doubt: 1" in change.text


def test_a_file_that_waits_says_what_for(site):
    member = site.visitor(site.member)
    subject = import_of(hand_in(member, "/recipients/import", b"email\na@example.net\n"))
    assert work(site.operator, asks=Resolver([("127.0.0.1", free_port())], timeout=0.2)) == 0
    assert "It waits. The DNS does not answer" in member.get(f"/imports/{subject}").text


def test_the_forms_of_a_file_are_the_kinds_own(site):
    member = site.visitor(site.member)
    assert "CSV, or the JSON that its API answers" in member.get("/suppressions/import").text
    assert "CSV or TSV, with a first line" in member.get("/recipients/import").text


def test_what_cannot_be_read_is_said_and_nothing_of_it_is_kept(site):
    member = site.visitor(site.member)
    answer = hand_in(member, "/recipients/import", "email\nzoë@exämple.net\n".encode("latin-1"))
    subject = import_of(answer)
    assert work(site.operator) == 1
    page = member.get(f"/imports/{subject}").text
    assert "Line 2 is not UTF-8" in page
    assert "nothing of the file is kept" in page
    assert site.operator.admin.execute("SELECT count(*) FROM import_part").fetchone() == (0,)
    declared = hand_in(member, "/recipients/import", "email\nzoe@exämple.net\n".encode("latin-1"), encoding="latin-1")
    work(site.operator)
    assert "zoe@xn--exmple-cua.net" in member.get(f"/imports/{import_of(declared)}").text


def test_a_form_that_lacks_something_says_so_and_takes_nothing(site):
    member = site.visitor(site.member)
    empty = hand_in(member, "/recipients/import", b"", source="")
    assert empty.status == 422
    assert "Say where these rows come from" in empty.text
    assert "The file is empty" in empty.text
    none = hand_in(member, "/recipients/import", FILE, pathway="employer-invitation")
    assert none.status == 422, "the client's policy does not accept it"
    assert "Choose one of these" in none.text
    assert "Choose the file again" in none.text
    forged = member.send("/recipients/import", {"csrfmiddlewaretoken": "x" * 64, "source": "s"}, {"file": ("a", FILE)})
    assert forged.status == 403
    assert site.operator.admin.execute("SELECT count(*) FROM import").fetchone() == (0,)


def test_an_import_is_its_clients_own_and_can_be_let_go(site):
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)
    subject = import_of(hand_in(member, "/recipients/import", FILE))
    assert outsider.get(f"/imports/{subject}").status == 404
    assert outsider.get(f"/imports/{subject}/left-out.csv").status == 404
    assert "Nothing was imported yet" in outsider.get("/imports").text
    assert "people.csv" in member.get("/imports").text
    member.get(f"/imports/{subject}")
    work(site.operator)
    member.get(f"/imports/{subject}")
    assert "Discarded" in member.post(f"/imports/{subject}/drop").text
    assert "its rows are gone" in member.get(f"/imports/{subject}").text
    assert site.operator.admin.execute("SELECT count(*) FROM import_chunk").fetchone() == (0,)
    again = member.post(f"/imports/{subject}/drop")
    assert again.status == 422
    assert "over already" in again.text
