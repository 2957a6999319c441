"""The public forms: without script, without an account; shown once more before they are sent; each a sealed case."""

import pytest
from tests.control.abuse.reporting import ABUSE, WEAKNESS, fill, mailed, papers, rows, source, token
from tests.support.pages import Visitor


def counts(site):
    return rows(site, "SELECT (SELECT count(*) FROM case_file), (SELECT count(*) FROM case_letter)")[0]


def test_looking_changes_nothing_and_each_page_is_closed_to_everything(site):
    visitor = Visitor(site.url)
    for path in ("/report-abuse", "/security"):
        answer = visitor.get(path)
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "<script" not in answer.text
        assert "style=" not in answer.text
        assert "no-store" in answer.headers["Cache-Control"]
    assert counts(site) == (0, 0)


def test_a_report_of_abuse_becomes_a_case_matched_by_our_token(site):
    message, pasted = source(site)
    visitor = Visitor(site.url)
    done = fill(visitor, "/report-abuse", {**ABUSE, "source": pasted})
    assert done.status == 200
    assert "Thank you. We have it." in done.text
    [(kind, cause, reference, tenant, found, state)] = rows(
        site, "SELECT kind, cause, reference, tenant_id, message_id, state FROM case_file")  # fmt: skip
    assert (kind, cause, tenant, found, state) == ("abuse", "form", site.firm.tenant, message, "open")
    assert reference in done.text
    assert "We are done with it" in done.text
    assert "If we can, we mail you" in done.text
    [paper] = papers(site)
    assert pasted in paper
    assert "They want my password." in paper
    assert rows(site, "SELECT kind, done_at FROM case_letter") == [("received", None)]
    assert rows(site, "SELECT confirmed_at FROM case_reporter") == [(None,)]
    assert b"ann@example.net" not in rows(site, "SELECT address_ct FROM case_reporter")[0][0]


def test_a_weakness_becomes_a_disclosure_with_consent_to_be_named(site):
    done = fill(Visitor(site.url), "/security", WEAKNESS)
    assert "VDP-" in done.text
    assert "We judge how bad it is" in done.text
    assert rows(site, "SELECT kind, severity, state FROM case_file") == [("disclosure", "", "open")]
    assert rows(site, "SELECT count(*) FROM disclosure_credit WHERE published_at IS NULL") == [(1,)]
    assert "Change the number" in papers(site)[0]
    assert "Ada Finder" not in Visitor(site.url).get("/security").text


def test_without_an_address_nobody_is_mailed(site):
    done = fill(Visitor(site.url), "/report-abuse", {**ABUSE, "address": ""})
    assert "You left no address" in done.text
    assert counts(site) == (1, 0)


def test_what_is_wrong_is_told_by_its_field_and_what_was_typed_stays(site):
    visitor = Visitor(site.url)
    visitor.get("/report-abuse")
    wrong = visitor.post("/report-abuse", do="look", what="", source="", words="", address="<nobody>")
    assert wrong.status == 422
    for words in ("Choose what is wrong", 'href="#what-0"', 'href="#source"', 'href="#address"', 'aria-invalid="true"',
                  'aria-describedby="address-e', "&lt;nobody&gt;"):  # fmt: skip
        assert words in wrong.text, words
    visitor.get("/security")
    wrong = visitor.post("/security", do="look", **{**WEAKNESS, "name": ""})
    assert "Write the name" in wrong.text
    assert "Change the number" in wrong.text
    assert counts(site) == (0, 0)


def test_it_may_be_changed_before_it_is_sent(site):
    visitor = Visitor(site.url)
    visitor.get("/report-abuse")
    visitor.post("/report-abuse", do="look", **ABUSE)
    back = visitor.post("/report-abuse", do="back", **ABUSE)
    assert "They want my password." in back.text
    assert 'value="deceives" checked' in back.text
    assert counts(site) == (0, 0)


@pytest.mark.parametrize("path", ["/report-abuse", "/security"])
def test_who_presses_without_having_been_shown_it_sends_nothing(site, path):
    """A scanner that sends a form as it found it, a form of another site, another browser, other words than were shown."""
    typed = ABUSE if path == "/report-abuse" else WEAKNESS
    first, second = Visitor(site.url), Visitor(site.url)
    first.get(path)
    sure = first.post(path, do="look", **typed)
    shown = token(sure.text)
    assert Visitor(site.url).post(path, do="send", shown=shown, **typed).status == 403
    second.get(path)
    assert second.post(path, do="send", shown=shown, **typed).status == 403
    assert first.post(path, do="send", **typed).status == 403
    other = {**typed, "address": "somebody@else.example"}
    assert first.post(path, do="send", shown=shown, **other).status == 403
    assert first.post(path, do="send", shown=shown + "x", **typed).status == 403
    assert counts(site) == (0, 0)


def test_pressed_twice_it_is_one_case(site):
    visitor = Visitor(site.url)
    visitor.get("/report-abuse")
    sure = visitor.post("/report-abuse", do="look", **ABUSE)
    shown = token(sure.text)
    for _ in range(2):
        visitor.last = sure.text
        assert visitor.post("/report-abuse", do="send", shown=shown, **ABUSE).status == 200
    assert counts(site) == (1, 1)


def test_an_address_is_mailed_once_a_day_however_many_report_with_it(site):
    for n in range(3):
        fill(Visitor(site.url), "/report-abuse", {**ABUSE, "words": f"{n}"})
    assert counts(site) == (3, 1)


def test_a_flood_is_bounded_and_told(site):
    site.operator.database.fill(
        "INSERT INTO desk_day VALUES ('abuse:form', (now_v1() AT TIME ZONE 'UTC')::date, '', 500, 1)"
    )
    full = fill(Visitor(site.url), "/report-abuse", ABUSE)
    assert full.status == 429
    assert "abuse@in.example" in full.text
    assert counts(site) == (0, 0)


def test_a_flood_of_letters_shuts_no_form(site):
    site.operator.database.fill(
        "INSERT INTO desk_day VALUES ('abuse', (now_v1() AT TIME ZONE 'UTC')::date, '', 500, 1)"
    )
    assert fill(Visitor(site.url), "/report-abuse", ABUSE).status == 200
    assert counts(site) == (1, 1)


def test_nobody_at_an_address_of_ours_is_mailed(site):
    for n, domain in enumerate(("in.example", "IN.example", "firm.example")):
        typed = {**ABUSE, "address": f"abuse@{domain}", "words": f"{n}"}
        assert fill(Visitor(site.url), "/report-abuse", typed).status == 200
    assert counts(site) == (3, 0)
    assert rows(site, "SELECT 1 FROM case_reporter") == []


def test_whoever_typed_an_address_cannot_confirm_it(site):
    """Only the link in our mail to it can: the form's own shows how the report stands, and stops the mail."""
    visitor = Visitor(site.url)
    done = fill(visitor, "/report-abuse", {**ABUSE, "address": "victim@example.org"})
    path = done.url.removeprefix(site.url).partition("?")[0]
    shown = visitor.get(path)
    assert "Yes, tell me" not in shown.text
    assert "use the link in our mail" in shown.text
    assert "We tell you how it goes on" not in visitor.post(path, do="yes").text
    assert rows(site, "SELECT confirmed_at FROM case_reporter") == [(None,)]
    assert "Nothing more is mailed to you" in visitor.post(path, do="stop").text
    assert "Nothing more is mailed to you" not in visitor.get(path).text
    assert "We tell you" not in visitor.get(f"{path}?yes").text, "it did not happen"
    assert rows(site, "SELECT confirmed_at, stopped_at IS NOT NULL FROM case_reporter") == [(None, True)]


def test_the_page_of_a_report_asks_before_it_tells_and_stops(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    path, page = mailed(site), Visitor(site.url)
    for _ in range(2):
        assert "We tell you" not in page.get(f"{path}?yes").text, "looking changes nothing"
    shown = page.get(path)
    assert "Yes, tell me how it goes on" in shown.text
    assert "They want my password" not in shown.text
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert rows(site, "SELECT confirmed_at FROM case_reporter") == [(None,)]
    told = page.post(path, do="yes")
    assert "We tell you how it goes on" in told.text
    assert "Yes, tell me" not in told.text
    assert rows(site, "SELECT confirmed_how FROM case_reporter") == [("button",)]
    page.post(path, do="nonsense")
    stopped = page.post(path, do="stop")
    assert "Nothing more is mailed to you" in stopped.text
    assert rows(site, "SELECT stopped_at IS NOT NULL FROM case_reporter") == [(True,)]
    page.post(path, do="yes")
    assert rows(site, "SELECT stopped_at FROM case_reporter") == [(None,)]
    kinds = [kind for (kind,) in rows(site, "SELECT kind FROM case_entry ORDER BY at, id")]
    assert sorted(kinds) == ["form", "open", "reporter-stop", "reporter-yes", "reporter-yes"]


def test_changing_ones_mind_fills_no_case_and_the_last_word_is_stop(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    [(case,)] = rows(site, "SELECT id FROM case_file")
    say = "SELECT case_reporter_say_v1(%s, %s)"
    for _ in range(20):
        for word in ("yes", "stop", "stop"):
            site.operator.control.execute(say, (case, word))
    found = rows(site, "SELECT count(*) FROM case_entry WHERE kind LIKE 'reporter-%%'")
    assert found == [(10,)]
    assert rows(site, "SELECT stopped_at IS NOT NULL FROM case_reporter") == [(True,)]


def test_another_link_shows_nothing(site):
    for wrong in ("x", "A" * 48, "%00"):
        gone = Visitor(site.url).get(f"/report/{wrong}")
        assert gone.status == 404


def test_security_txt_is_served_for_the_installation_and_each_programme(site):
    visitor = Visitor(site.url)
    text = visitor.get("/.well-known/security.txt")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f"Canonical: {site.url}/.well-known/security.txt" in text.text
    assert "Contact: mailto:security@in.example" in text.text
    other = visitor.get("/.well-known/security.txt", Host="firm.example")
    assert "Canonical: https://firm.example/.well-known/security.txt" in other.text


def test_a_programmes_own_contacts_are_what_two_people_approved(site):
    site.operator.govern("programme", None, "p-firm", {
        "name": "P", "profile": "property", "domain": "firm.example",
        "contacts": {"security": "psirt@firm.example", "abuse": "stop@firm.example", "languages": ["en", "cy"],
                     "encryption": "https://firm.example/key.asc", "policy": "https://firm.example/rules"}}, site.firm.programme)  # fmt: skip
    visitor = Visitor(site.url)
    text = visitor.get("/.well-known/security.txt", Host="firm.example").text
    for line in ("Contact: mailto:psirt@firm.example", "Encryption: https://firm.example/key.asc",
                 "Preferred-Languages: en, cy", "Policy: https://firm.example/rules"):  # fmt: skip
        assert line in text
    assert "stop@firm.example" in visitor.get("/report-abuse", Host="firm.example").text
