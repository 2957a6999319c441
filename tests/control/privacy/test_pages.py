"""Notices to be served otherwise and reports of abuse, as the people see them who answer for them."""

from datetime import timedelta
from uuid import uuid4

from tests.control.ledger.house import House
from tests.support import pages
from tests.support.firm import now

from troth.keys import places

ANN = "ann@home.example"


def staff(site, role):
    found = site.visitor(pages.join(site.operator, f"S {role} <{uuid4().hex}@operator.test>", role))
    found.get("/")
    found.post("/scope", client=str(site.firm.tenant))
    return found


def message(site):
    return House(site.firm, site.folder).tell(ANN)


def waiting(site, left="1 day"):
    made = message(site)
    site.operator.database.fill(
        "INSERT INTO serve_otherwise VALUES (%s, %s, %s, %s, now_v1() - interval '2 days', now_v1() + %s::interval)",
        made, site.firm.tenant, site.firm.people[ANN], site.firm.category, left,
    )  # fmt: skip
    return made


def reported(site, words="I know nobody there."):
    made, one, person = uuid4(), message(site), site.firm.people[ANN]
    wrapped = site.operator.database.run("SELECT data_key FROM person WHERE id = %s", person)[0][0]
    sealed = site.firm.keys.person(wrapped, person).seal(
        b'{"reason":"stranger","words":"%s"}' % words.encode(), places.abuse(made)
    )
    site.operator.database.fill(
        "INSERT INTO abuse_report (id, tenant_id, message_id, person_id, category_id, at, words_ct)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        made, site.firm.tenant, one, person, site.firm.category, now() - timedelta(hours=3), sealed,
    )  # fmt: skip
    return made


def test_a_notice_waits_with_its_clock_on_the_first_page_and_is_done_with_how(site):
    member = site.visitor(site.member)
    assert "Nothing waits" in member.get("/services").text
    made, late = waiting(site), waiting(site, "-1 hour")
    agenda = member.get("/").text
    assert "2 notices and requests are to be served otherwise" in agenda
    listed = member.get("/services").text
    for words in (ANN, "Rent notices", "Late", "left"):
        assert words in listed, words
    path = f"/services/{made}"
    assert "Its clock ends" in member.get(path).text
    wrong = member.post(path, how="other", note="")
    assert (wrong.status, "this is what an auditor will read" in wrong.text) == (422, True)
    assert "Choose how it was served" in member.post(path, how="", note="x").text
    page = member.post(path, how="post", note="Recorded, RR123")
    assert page.url == f"{site.url}/services"
    assert "Recorded, RR123" in page.text
    assert "Recorded. The notice’s clock has ended." in page.text
    member.get(f"/services/{late}")
    page = member.post(f"/services/{late}", how="portal", note="")
    assert ", late" in page.text
    assert "Nothing waits" in page.text
    assert "to be served otherwise" not in member.get("/").text
    assert member.get(f"/services/{uuid4()}").status == 404


def test_what_somebody_asks_for_who_cannot_be_mailed_waits_a_month(site):
    member, about = site.visitor(site.member), message(site)
    for act in (1, 2, 2):
        site.operator.database.run("SELECT own_request_v1(%s, %s, %s::smallint)", uuid4(), about, act)
    assert "2 notices and requests are to be served otherwise" in member.get("/").text
    listed = member.get("/services").text
    for words in ("A copy of everything that is held", "To be erased", "make sure that it is the recipient", "left"):
        assert words in listed, words
    [(erasure,)] = site.operator.database.run("SELECT message_id FROM serve_otherwise WHERE asks = 'erasure'")
    page = member.post(f"/services/{erasure}", how="by-hand", note="Passport seen")
    assert (page.url, "Passport seen" in page.text) == (f"{site.url}/services", True)
    assert "Recorded. The clock of their request for erasure has ended" in page.text
    [(copy,)] = site.operator.database.run("SELECT message_id FROM serve_otherwise WHERE asks = 'copy'")
    page = member.post(f"/services/{copy}", how="post", note="")
    assert "Recorded. The clock of their request for a copy has ended." in page.text
    assert "notice’s clock" not in page.text


def test_staff_who_look_at_no_client_are_told_where_all_that_waits_is_listed(site):
    reported(site)
    found = site.visitor(site.staff)
    assert 'name="next" value="/abuse"' in found.get("/").text
    for path in ("/abuse", "/services"):
        assert "lists what waits, of every client" in found.get(path).text
    assert "Notices to be served otherwise belong to one client each" in found.get("/services").text
    assert "lists what waits" not in found.get("/templates").text


def test_a_report_is_the_operators_to_answer_and_not_the_clients(site):
    made = reported(site)
    member = site.visitor(site.member)
    assert member.get("/abuse").status in (403, 404)
    security = staff(site, "security")
    assert "1 recipient reports abuse" in security.get("/").text
    listed = security.get("/abuse").text
    for words in (ANN, "Has nothing to do with the sender", "I know nobody there.", "Rent"):
        assert words in listed, words
    path = f"/abuse/{made}"
    assert "I know nobody there." in security.get(path).text
    assert security.post(path, outcome=" ").status == 422
    page = security.post(path, outcome="A wrong address in the client’s list; taken out.")
    assert (page.url, "Nobody has reported anything" in page.text) == (f"{site.url}/abuse", True)
    assert "taken out" in page.text
    assert "taken out" in security.get(path).text
    assert site.operator.database.run("SELECT closed_by IS NOT NULL FROM abuse_report WHERE id = %s", made) == [(True,)]


def erase(site):
    site.operator.database.fill(
        "UPDATE person SET status = 4, data_key = NULL, address_ct = NULL, erased_at = now() WHERE id = %s",
        site.firm.people[ANN],
    )


def test_what_staff_wrote_is_sealed_for_the_recipient_and_goes_with_them(site):
    served, told = waiting(site), reported(site)
    member, security = site.visitor(site.member), staff(site, "security")
    member.get(f"/services/{served}")
    assert "Ann’s sister took it in, ŕřž" in member.post(
        f"/services/{served}", how="other", note="Ann’s sister took it in, ŕřž").text  # fmt: skip
    security.get(f"/abuse/{told}")
    assert "Ann rang us" in security.post(f"/abuse/{told}", outcome="Ann rang us").text
    for query in ("SELECT s::text FROM serve_otherwise s", "SELECT r::text FROM abuse_report r"):
        assert "Ann" not in str(site.operator.database.run(query))
    person = site.firm.people[ANN]
    wrapped = site.operator.database.run("SELECT data_key FROM person WHERE id = %s", person)[0][0]
    sealed = site.operator.database.run("SELECT note_ct FROM serve_otherwise")[0][0]
    opened = site.firm.keys.person(wrapped, person).open(sealed, places.service(served))
    assert opened.decode() == "Ann’s sister took it in, ŕřž"
    erase(site)
    for page in (member.get("/services"), security.get("/abuse"), security.get(f"/abuse/{told}")):
        assert "went with the recipient’s erasure" in page.text
        assert "sister" not in page.text
        assert "rang us" not in page.text


def test_of_somebody_who_was_erased_no_words_are_kept(site):
    served, told = waiting(site), reported(site)
    erase(site)
    member, security = site.visitor(site.member), staff(site, "security")
    page = member.get(f"/services/{served}").text
    assert "no words are kept" in page
    assert 'name="note"' not in page
    assert member.post(f"/services/{served}", how="not-needed", note="Ann moved").url == f"{site.url}/services"
    assert 'name="outcome"' not in security.get(f"/abuse/{told}").text
    assert security.post(f"/abuse/{told}", outcome="Ann rang us").url == f"{site.url}/abuse"
    assert "answered without words" in security.last
    assert "answered after the recipient was erased" in security.get(f"/abuse/{told}").text
    assert site.operator.database.run("SELECT how, note_ct, done_at IS NULL FROM serve_otherwise") == [
        ("not-needed", None, False)
    ]
    assert site.operator.database.run("SELECT outcome_ct, closed_at IS NULL FROM abuse_report") == [(None, False)]


def test_an_erased_recipients_words_are_gone_from_the_pages(site):
    made = reported(site, "Secret words")
    erase(site)
    page = staff(site, "security").get(f"/abuse/{made}").text
    assert "an erased recipient" in page
    assert "Secret words" not in page
