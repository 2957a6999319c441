"""What a programme promises is what the policy in force says: from a change's commit on, in no cache, and never looser."""

import json

import pytest

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Invalid
from troth.control.trust import catalogue, promised
from troth.control.trust.look import Programme
from troth.rules.profile import load_profile

SHORTER = {"bounce": {"soft_retry_minutes": [30, 180, 1080], "soft_window_minutes": 1440}}
_OLDER = ("response", "schedule", "targets", "hosting", "trust")


@pytest.fixture
def page(database):
    """A connection as a page's, autocommitting."""
    return database.open("troth_control")


@pytest.fixture
def homes(firm):
    return Programme(firm.programme, "p-firm", "property")


def said(connection, programme, claim="BNC-2"):
    told = {each.claim.id: each for each in promised.promised(connection, programme)}
    return told[claim].sentence.replace("\N{NO-BREAK SPACE}", " ")


def propose(firm, page, code, artefact):
    """Through the only door there is; gives the change as its approver sees it."""
    proposal = Proposal("policy", code, artefact, "for the test", None, subject)
    made = changes.propose(page, firm.operator.sessions[0], proposal)
    return changes.find(page, made.id, (None,))


def subject(page):
    return changes.subject_of(page, "policy", "programme:p-firm", None)


def refused(firm, page, code, artefact):
    with pytest.raises(Invalid) as found:
        propose(firm, page, code, artefact)
    return {each.field: (each.code, each.hint) for each in found.value.problems}


def test_a_programme_promises_what_its_profile_names_in_the_catalogues_order(firm, page, homes):
    found = promised.promised(page, homes)
    wanted = [each.id for each in catalogue.claims() if each.promised_by("property")]
    assert [each.claim.id for each in found] == wanted
    looser = {"LIM-1", "LIM-2", "SND-2"}  # of the firm of the tests, which sends much
    assert {each.claim.id for each in found if each.sentence != each.claim.shipped("property")} == looser


def test_a_shorter_window_is_said_when_its_approval_is_committed_and_not_before(firm, page, database, homes):
    """Four eyes, then the commit: what somebody else reads in between is the old sentence."""
    change = propose(firm, page, "operator", SHORTER)
    assert "within 48 h" in said(page, homes)
    with page.transaction():
        changes.approve(page, firm.operator.sessions[1], change)
        assert "within 24 h" in said(page, homes)  # its own transaction sees its own change
        assert "after 1 h, 6 h and 36 h), within 48 h" in said(database.open("troth_control"), homes)
    assert "after 30 min, 3 h and 18 h), within 24 h" in said(database.open("troth_control"), homes)


def test_an_approval_that_is_undone_says_nothing(firm, page, homes):
    change = propose(firm, page, "operator", SHORTER)
    with page.transaction(force_rollback=True):
        changes.approve(page, firm.operator.sessions[1], change)
    assert "within 48 h" in said(page, homes)


def test_a_longer_window_or_fewer_waits_are_refused(firm, page, homes):
    found = refused(firm, page, "operator", {"bounce": {"soft_window_minutes": 2881}})
    assert "to 2881 where a level above has 2880" in found["policy.bounce.soft_window_minutes"][1]
    found = refused(firm, page, "operator", {"bounce": {"soft_retry_minutes": [60, 360]}})
    assert "each of as many" in found["policy.bounce.soft_retry_minutes"][1]
    assert "within 48 h" in said(page, homes)


def test_what_the_installation_shares_is_the_strictest_programmes(firm, page, homes):
    assert promised.in_force(page, homes).installation.override_hours == 168
    own = json.loads(json.dumps(load_profile("property").document))
    own["installation"]["override_hours"] = 24
    firm.operator.govern("policy", None, "programme:p-firm", own, subject(page))
    assert promised.in_force(page, homes).installation.override_hours == 24


def test_a_promise_older_than_these_sections_says_what_its_profile_says(firm, page, homes):
    older = {name: body for name, body in load_profile("property").document.items() if name not in _OLDER}
    firm.operator.govern("policy", None, "programme:p-firm", older, subject(page))
    assert said(page, homes, "EML-11").startswith("Less than 1.8 %")
    assert "us-east-1" in said(page, homes, "INF-1")


def test_where_no_promise_is_in_force_nothing_is_promised(firm, page, homes):
    assert promised.promised(page, Programme(firm.programme, "p-nobody", "property")) == []
    firm.operator.govern("policy", None, "operator", {"limits": {"tenant_hour": 9_999_999}})
    assert promised.promised(page, homes) == [], (
        "a level that contradicts the promise: nothing is sent, nothing is said"
    )


@pytest.mark.parametrize("level", ["operator", "programme:p-firm"])
@pytest.mark.parametrize("said_of_it", ["{", "[]", "nonsense"])
def test_a_level_that_is_no_level_promises_nothing_and_breaks_nothing(firm, page, database, homes, level, said_of_it):
    firm.operator.govern("policy", None, "operator", {})
    database.fill("ALTER TABLE snapshot DISABLE TRIGGER ALL")
    database.fill("ALTER TABLE snapshot DROP CONSTRAINT snapshot_check")
    database.fill("UPDATE snapshot SET artefact = %s WHERE kind = 'policy' AND code = %s", said_of_it, level)
    assert promised.promised(page, homes) == []


@pytest.mark.parametrize(
    ("section", "name", "value", "claim"),
    [
        ("hosting", "region", "eu-west-1", "INF-1"),
        ("hosting", "zones", 9, "INF-1"),
        ("hosting", "snapshot_days", 3000, "INF-8"),
        ("hosting", "log_days", 3000, "LOG-4"),
        ("response", "breach_authority", "1 h", "INC-5"),
        ("response", "detection", "1 min", "INC-1"),
    ],
)
def test_what_no_control_shows_cannot_be_promised(firm, page, section, name, value, claim):
    whole = json.loads(json.dumps(load_profile("property").document))
    whole[section][name] = value
    code, hint = refused(firm, page, "programme:p-firm", whole)[f"policy.{section}.{name}"]
    assert code == "unshown"
    assert claim in hint
    assert "no control yet" in hint
    if name != "region":
        assert refused(firm, page, "operator", {section: {name: value}})[f"policy.{section}.{name}"][0] == "unshown"


def test_an_amount_that_a_control_measures_may_be_told(firm, page, homes):
    whole = json.loads(json.dumps(load_profile("property").document))
    whole["targets"]["daily_volume"] = 4_321
    change = propose(firm, page, "programme:p-firm", whole)
    changes.approve(page, firm.operator.sessions[1], change)
    assert said(page, homes, "EML-12").startswith("About 4,321 messages")
