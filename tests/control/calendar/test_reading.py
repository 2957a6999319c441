"""The calendar, read: each programme has what it promises, and each duty counts from what shows that it was done."""

from datetime import timedelta

from troth.rules import duties


def test_each_programme_has_what_it_promises_and_the_house_its_own_once(cast):
    found = cast.agenda()
    wanted = {f"{code}:{duty.code}" for profile, code in
              {"property": "p-homes", "construction": "p-sites", "retail": "p-shops"}.items()
              for duty in duties.of_profile(profile) if not duty.house}  # fmt: skip
    assert set(found) == wanted | {f"installation:{duty.code}" for duty in duties.DUTIES if duty.house}


def test_one_programme_sees_the_house_only_where_it_promises_that(cast):
    homes, sites = cast.agenda("p-homes"), cast.agenda("p-sites")
    assert "installation:penetration-test" in homes
    assert "installation:penetration-test" not in sites
    assert not [key for key in homes if key.startswith(("p-sites", "p-shops"))]


def test_what_was_never_done_is_due_after_the_promise_began(cast):
    one = cast.agenda()["p-homes:restore-drill"]
    assert (one.state, one.done_at, one.days) == ("later", None, 92)
    assert one.due_at <= one.promised_at
    assert timedelta(days=92) <= one.promised_at - cast.now() <= timedelta(days=93)
    cast.move(days=94)
    assert cast.agenda()["p-homes:restore-drill"].state == "overdue"


def test_accepted_evidence_does_it_until_its_own_last_day(cast):
    cast.move(days=94)
    made = cast.hand_in("INF-9", "restore-drill", "property")
    one = cast.agenda()["p-homes:restore-drill"]
    assert (one.state, one.ref) == ("later", made.id)
    assert one.promised_at.date() - one.done_at.date() == timedelta(days=93)  # the end of the last day


def test_evidence_of_the_house_does_it_for_a_programme_and_not_the_other_way_round(cast):
    made = cast.hand_in("VDP-3", "safe-harbour", public=True)
    found = cast.agenda()
    assert {found[f"{code}:safe-harbour"].ref for code in ("p-homes", "p-sites", "p-shops")} == {made.id}
    cast.hand_in("INC-6", "isolation-exercise", "retail")
    found = cast.agenda()
    assert found["p-homes:isolation-exercise"].ref is None
    assert found["p-shops:isolation-exercise"].ref is not None


def test_what_is_withdrawn_or_not_yet_accepted_does_nothing(cast):
    made = cast.hand_in("CPL-5", "training", "property")
    assert cast.agenda()["p-homes:training"].ref == made.id
    cast.operator.control.execute(
        "SELECT evidence_withdraw_v1(%s, 'not ours', %s)", (made.id, cast.operator.sessions[0])
    )
    assert cast.agenda()["p-homes:training"].ref is None


def test_a_review_with_nothing_to_look_at_waits(cast):
    found = cast.agenda()
    assert found["p-sites:dmarc-review"].state == "waits"
    assert found["p-sites:complaint-review"].due_at is None
    assert found["p-sites:access-review"].due_at is not None
    assert list(found.values())[-1].due_at is None  # at the end


def test_a_stricter_policy_of_the_operator_is_sooner_at_once(cast):
    cast.operator.govern("policy", None, "operator", {"schedule": {"penetration_test": 30, "restore_drill": 10}})
    found = cast.agenda()
    assert found["installation:penetration-test"].days == 30
    assert found["p-homes:restore-drill"].promised_at - cast.now() <= timedelta(days=11)
