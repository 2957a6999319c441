"""The desks, looked at: abuse from the public form to the stopped account, a weakness from the form to thanks in public."""

import pytest
from tests.control.abuse.conftest import MAIL
from tests.control.abuse.reporting import ABUSE, WEAKNESS, fill, mailed, rows, source
from tests.control.abuse.test_views import act, staff, step
from tests.support import pages
from tests.support.pages import Visitor


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path, more=MAIL)
    yield running
    pages.stop(running)


def only(site):
    [(case,)] = rows(site, "SELECT id FROM case_file")
    return case


def test_an_abuse_case_from_the_form_to_a_stopped_account(look, site):
    looker = look()
    looker.look_at("/report-abuse", "desk-report")
    page = looker.page
    page.get_by_role("button", name="Look at it once more").click()
    looker.picture("desk-report-faults-390-dark")
    looker.console.clear()  # the browser tells of the 422
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    _, pasted = source(site)
    page.get_by_label("It pretends to come from somebody else").check()
    page.get_by_label("The message, with all of its header lines").fill(pasted)
    page.get_by_label("What happened, in your words").fill("They want my password.")
    page.get_by_label("Your address").fill("ann@example.net")
    looker.picture("desk-report-typed-1440-light")
    page.get_by_role("button", name="Look at it once more").click()
    looker.picture("desk-report-sure-1440-light")
    page.get_by_role("button", name="Send the report").click()
    assert "Thank you. We have it." in page.content()
    looker.picture("desk-report-sent-1440-light")
    sent = page.url.removeprefix(site.url)
    looker.look_at(sent, "desk-report-sent")
    looker.look_at(sent.partition("?")[0], "desk-report-page")
    case, one = only(site), staff(site)
    operator = look()
    operator.take(one)
    operator.look_at("/abuse/cases", "desk-abuse-cases")
    operator.look_at(f"/abuse/cases/{case}", "desk-abuse-case")
    step(one, case, "acknowledge", words="")
    operator.look_at(f"/abuse/cases/{case}/confirm", "desk-abuse-confirm")
    operator.page.get_by_label("What was found").fill("Their key was stolen; it is revoked.")
    operator.page.get_by_role("button", name="It is abuse").click()
    assert "All mail of Firm firm is stopped" in operator.page.content()
    operator.look_at(f"/abuse/cases/{case}", "desk-abuse-stopped")
    assert rows(site, "SELECT started_by FROM pause WHERE released_at IS NULL") == [("abuse",)]


def test_what_no_token_names_is_given_its_client(look, site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    case, one = only(site), staff(site)
    operator = look()
    operator.take(one)
    operator.look_at("/disclosures", "desk-disclosures-none")
    operator.look_at(f"/abuse/cases/{case}/client", "desk-abuse-client")
    operator.page.get_by_label("Client", exact=True).select_option(label="Firm firm")
    operator.page.get_by_role("button", name="It is this client’s").click()
    assert "as a person found" in operator.page.content()


def test_a_disclosure_from_the_form_to_thanks_in_public(look, site):
    looker = look()
    looker.look_at("/security", "desk-security")
    done = fill(Visitor(site.url), "/security", WEAKNESS)
    path = done.url.removeprefix(site.url).partition("?")[0]
    looker.look_at(path, "desk-security-page")
    looker.go(mailed(site))
    looker.page.get_by_role("button", name="Yes, tell me how it goes on").click()
    assert "We tell you how it goes on" in looker.page.content()
    case, one = only(site), staff(site)
    operator = look()
    operator.take(one)
    operator.look_at("/disclosures", "desk-disclosures")
    step(one, case, "acknowledge", words="")
    step(one, case, "assess", value="high", words="Anybody could read any message by its number.")
    operator.look_at(f"/disclosures/{case}", "desk-disclosure")
    operator.look_at(f"/disclosures/{case}/tell", "desk-disclosure-tell")
    act(one, f"/disclosures/{case}/tell", words="It is mended by Friday.")
    step(one, case, "resolve", value="fixed", words="Mended in this week’s release.")
    operator.look_at(f"/disclosures/{case}/credit", "desk-disclosure-credit")
    operator.page.get_by_label("What for").fill("a weakness of the message page")
    operator.page.get_by_role("button", name="Publish it").click()
    operator.look_at(f"/disclosures/{case}", "desk-disclosure-credited")
    looker.look_at("/security", "desk-security-thanks")
    assert "Ada Finder" in looker.page.content()
