"""A question from the public form to the answer that everybody reads, and a document from the request to the file, looked at."""

import pytest
from tests.control.asking.asking import DOCUMENTS, MAIL, REQUEST, confirmed, contacts, link, rows
from tests.control.evidence.conftest import Room
from tests.support import pages

from troth.keys.keyring import OPERATOR

OTHER = {
    "name": "Paper Mill",
    "purpose": "Prints letters",
    "data": "Names and addresses",
    "country": "IE",
    "since": "2026-01-01",
}


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path, more=MAIL)
    yield running
    pages.stop(running)


def evidence(site):
    keyset = rows(site, "SELECT operator_keyset FROM installation")[0][0]
    return Room(site.operator, site.firm, site.operator.keyring.tenant(OPERATOR, keyset)).kept().id


def test_a_question_from_the_form_to_the_public_answer(look, site):
    contacts(site, contacts={"postal": "1 Row\nLeeds", "telephone": "+44 113 496 0000"}, subprocessors=[OTHER])
    looker = look()
    for name in ("contacts", "subprocessors", "questions"):
        looker.look_at(f"/trust/p-firm/{name}", f"asking-{name}")
    looker.look_at("/trust/p-firm/ask", "asking-form")
    page = looker.page
    page.get_by_role("button", name="Send it").click()
    assert "Nothing was sent yet" in page.content()
    looker.picture("asking-form-faults")
    looker.console.clear()  # the browser tells of the 422
    page.get_by_label("Your name").fill("Ada Asker")
    page.get_by_label("Your address").fill("ada@example.net")
    page.get_by_label("Your question").fill("How long are bodies kept?")
    page.get_by_role("button", name="Send it").click()
    assert "look into your mailbox" in page.content()
    looker.picture("asking-kept")
    looker.look_at(link(site), "asking-confirm")
    page.get_by_role("button", name="Yes, it was me").click()
    assert "An answer is mailed" in page.content()
    looker.look_at(link(site), "asking-asked")
    [(asked,)] = rows(site, "SELECT id FROM asked")
    operator = look()
    operator.take(site.visitor(site.staff))
    operator.look_at("/desk/questions", "asking-desk")
    operator.look_at(f"/desk/questions/{asked}", "asking-one")
    operator.look_at(f"/desk/questions/{asked}/answer", "asking-answer")
    operator.page.get_by_label("What is mailed to them").fill("For 30 days.")
    operator.page.get_by_role("button", name="Send the answer").click()
    operator.look_at(f"/desk/questions/{asked}/publish", "asking-publish")
    operator.page.get_by_role("button", name="Publish").click()
    operator.look_at(f"/desk/questions/{asked}", "asking-published")
    looker.look_at("/trust/p-firm/questions", "asking-answered")


def test_a_document_from_the_request_to_the_file(look, site):
    piece = evidence(site)
    looker = look()
    looker.look_at(DOCUMENTS, "asking-documents")
    asked = confirmed(site, DOCUMENTS, REQUEST)
    operator = look()
    operator.take(site.visitor(site.staff))
    operator.look_at(f"/desk/questions/{asked}/grant", "asking-grant")
    operator.page.get_by_label("Test by Ash & Co").check()
    operator.page.get_by_label("What is mailed to them").fill("Here it is.")
    operator.page.get_by_role("button", name="Grant them").click()
    assert "The documents are granted" in operator.page.content()
    looker.look_at(link(site, "asked-answer"), "asking-granted")
    with looker.page.expect_download() as took:
        looker.page.get_by_role("button", name="Take it").click()
    assert took.value.suggested_filename == "report.pdf"
    assert rows(site, "SELECT piece FROM asked_taken") == [(piece,)]
