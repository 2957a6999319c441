"""Cases of abuse and of weaknesses as staff handle them: from a form to a stopped account, and to thanks in public."""

import re
from uuid import uuid4

import psycopg
import pytest
from tests.control.abuse.reporting import ABUSE, WEAKNESS, fill, mailed, rows, source
from tests.support import pages
from tests.support.pages import Visitor


def staff(site, role="security"):
    found = site.visitor(pages.join(site.operator, f"S {role} <{uuid4().hex}@operator.test>", role))
    found.get("/")
    return found


def stops(site):
    return rows(site, "SELECT tenant_id, effect, started_by, reason FROM pause WHERE released_at IS NULL")


def step(visitor, case, name, **typed):
    visitor.get(f"/incidents/{case}/{name}")
    answer = visitor.post(f"/incidents/{case}/{name}", **typed)
    assert answer.status == 200, answer.text[-3000:]
    return answer


def act(visitor, path, **typed):
    visitor.get(path)
    return visitor.post(path, **typed)


def only(site):
    [(case,)] = rows(site, "SELECT id FROM case_file")
    return case


def test_confirmed_abuse_stops_the_account_at_once(site):
    _, pasted = source(site)
    fill(Visitor(site.url), "/report-abuse", {**ABUSE, "source": pasted})
    case, one = only(site), staff(site)
    listed = one.get("/abuse/cases").text
    assert "ABU-" in listed
    assert "Firm firm" in listed
    page = one.get(f"/abuse/cases/{case}").text
    for words in (
        "by our own token in it",
        "ann@example.net",
        "not confirmed: they are told nothing",
        "They want my password.",
    ):
        assert words in page, words
    assert "Confirm abuse" not in page
    step(one, case, "acknowledge", words="")
    asked = one.get(f"/abuse/cases/{case}/confirm").text
    assert "All mail of Firm firm is stopped at once" in asked
    assert "Write it" in one.post(f"/abuse/cases/{case}/confirm", words="").text
    assert stops(site) == []
    step(one, case, "update", words="I rang them.")
    done = act(one, f"/abuse/cases/{case}/confirm", words="Their key was stolen.")
    assert "Abuse is confirmed" in done.text
    assert "All mail of Firm firm is stopped" in done.text
    [(reference,)] = rows(site, "SELECT reference FROM case_file")
    assert stops(site) == [(site.firm.tenant, "stop-delivery", "abuse", f"Abuse was confirmed: {reference}")]
    assert rows(site, "SELECT state, outcome FROM case_file") == [("resolved", "confirmed")]
    assert rows(site, "SELECT count(*) FROM case_clock WHERE met_at IS NULL AND void_at IS NULL") == [(0,)]


def test_what_no_token_names_needs_its_client_first(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    case, one = only(site), staff(site)
    step(one, case, "acknowledge", words="")
    one.get(f"/incidents/{case}/resolve")
    refused = one.post(f"/incidents/{case}/resolve", value="confirmed", words="It is.")
    assert "whose client" in refused.text or "client’s mail it was" in refused.text
    assert one.get(f"/abuse/cases/{case}/confirm").status == 404
    assert stops(site) == []
    page = act(one, f"/abuse/cases/{case}/client", client="")
    assert page.status == 422
    assert "Choose a client." in page.text
    assert "Choose a client." in act(one, f"/abuse/cases/{case}/client", client="nonsense").text
    told = act(one, f"/abuse/cases/{case}/client", client=str(site.other.tenant))
    assert "as a person found" in told.text
    act(one, f"/abuse/cases/{case}/client", client=str(site.firm.tenant))
    act(one, f"/abuse/cases/{case}/confirm", words="It is.")
    assert [each[0] for each in stops(site)] == [site.firm.tenant]


def test_where_policy_stops_nothing_a_person_may(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    case, one = only(site), staff(site)
    step(one, case, "acknowledge", words="")
    act(one, f"/abuse/cases/{case}/client", client=str(site.other.tenant))
    asked = one.get(f"/abuse/cases/{case}/confirm").text
    assert "stops nothing by itself" in asked
    act(one, f"/abuse/cases/{case}/confirm", words="It is.", stop="yes")
    [(tenant, effect, by, _)] = stops(site)
    assert (tenant, effect) == (site.other.tenant, "stop-delivery")
    assert by != "abuse"


def test_what_is_no_abuse_stops_nothing(site):
    fill(Visitor(site.url), "/report-abuse", {**ABUSE, "source": source(site)[1]})
    case, one = only(site), staff(site)
    step(one, case, "acknowledge", words="")
    step(one, case, "resolve", value="unfounded", words="They had agreed.")
    assert stops(site) == []


def test_a_reporter_who_said_yes_is_written_to(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    path = mailed(site)
    case, one = only(site), staff(site)
    step(one, case, "acknowledge", words="")
    assert one.get(f"/abuse/cases/{case}/tell").status == 404
    reporter = Visitor(site.url)
    reporter.get(path)
    reporter.post(path, do="yes")
    assert "Write to the reporter" in one.get(f"/abuse/cases/{case}").text
    told = act(one, f"/abuse/cases/{case}/tell", words="We stopped it.")
    assert "Your mail waits to be sent" in told.text
    assert "A mail to the reporter was written, and waits to be sent" in told.text
    assert "We stopped it." in told.text
    mails = "SELECT kind FROM case_letter ORDER BY at, kind"
    assert rows(site, mails) == [("received",), ("update",)]
    once = re.search(r'name="once" value="([^"]+)"', one.get(f"/abuse/cases/{case}/tell").text)[1]
    for _ in range(2):  # pressed twice
        act(one, f"/abuse/cases/{case}/tell", words="It is over.", once=once)
        act(one, f"/incidents/{case}/note", words="Once is enough.", once=once[:-1] + ("0" if once[-1] != "0" else "1"))
    assert rows(site, mails) == [("received",), ("update",), ("update",)]
    assert rows(site, "SELECT kind, count(*) FROM case_entry WHERE kind IN ('note', 'written') GROUP BY 1 ORDER BY 1") == [
        ("note", 1), ("written", 2)]  # fmt: skip
    assert "4,000 characters" in act(one, f"/abuse/cases/{case}/tell", words="x" * 4_001).text


def test_a_disclosure_from_form_to_thanks(site):
    fill(Visitor(site.url), "/security", WEAKNESS)
    case, one = only(site), staff(site)
    assert "VDP-" in one.get("/disclosures").text
    step(one, case, "acknowledge", words="")
    step(one, case, "assess", value="high", words="Anybody could.")
    [(due,)] = rows(site, "SELECT due_at - started_at FROM case_clock WHERE name = 'patch'")
    assert 13.99 < due.total_seconds() / 86_400 < 14.001
    assert one.get(f"/disclosures/{case}/credit").status == 404
    step(one, case, "resolve", value="fixed", words="Mended.")
    assert "Ada Finder" in one.get(f"/disclosures/{case}").text
    assert "Ada Finder" not in Visitor(site.url).get("/security").text
    act(one, f"/disclosures/{case}/credit", what="a weakness of the message page")
    shown = Visitor(site.url).get("/security").text
    assert "Ada Finder" in shown
    assert "a weakness of the message page" in shown
    act(one, f"/disclosures/{case}/unname")
    assert "Ada Finder" not in Visitor(site.url).get("/security").text
    act(one, f"/disclosures/{case}/consent", name="A. Finder", words="In a letter.")
    act(one, f"/disclosures/{case}/credit", what="")
    shown = rows(
        site, "SELECT encode(sha256(convert_to(name || E'\\n' || what, 'UTF8')), 'hex') FROM disclosure_credit"
    )
    leaf = "SELECT leaf::jsonb ->> 'paper' FROM ledger_pending WHERE kind = 'cases:disclosure:credit' ORDER BY id DESC LIMIT 1"
    assert rows(site, leaf) == shown, "the ledger has the digest of what is shown"
    consents = rows(
        site, "SELECT leaf::jsonb ->> 'by' <> '' FROM ledger_pending WHERE kind LIKE '%%:credit-consent' ORDER BY id"
    )
    assert consents == [(False,), (True,)], "with the form, then by a person"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="consent comes with the report"):
        site.operator.control.execute("SELECT disclosure_consent_v1(%s, '\\x01aa')", (case,))
    assert "A. Finder" in Visitor(site.url).get("/security").text


@pytest.mark.parametrize(
    "path", ["/abuse/cases", "/disclosures", "/disclosures/{}", "/abuse/cases/{}", "/disclosures/{}/tell"]
)
def test_a_clients_people_see_none_of_it(site, path):
    fill(Visitor(site.url), "/security", WEAKNESS)
    assert site.visitor(site.member).get(path.format(only(site))).status == 404


def test_roles_that_may_not_act_see_no_address_and_take_no_step(site):
    fill(Visitor(site.url), "/report-abuse", {**ABUSE, "source": source(site)[1]})
    case, auditor = only(site), staff(site, "auditor")
    page = auditor.get(f"/abuse/cases/{case}").text
    assert "ann@example.net" not in page
    assert "left an address" in page
    assert auditor.get(f"/abuse/cases/{case}/confirm").status == 404
    assert auditor.get(f"/disclosures/{case}").status == 404
    assert staff(site, "support").get("/disclosures").text.count("VDP-") == 0


def test_empty_lists_say_what_opens_a_case(site):
    one = staff(site)
    assert "Nothing is open" in one.get("/abuse/cases").text
    assert "Nothing is open" in one.get("/disclosures").text
    assert re.search(r'href="/report-abuse"', one.get("/abuse/cases").text)
