"""TRC-2: contacts are published and answered; only what its sender confirmed is owed, so no outsider makes it fail."""

import dataclasses
from datetime import timedelta

import pytest
from tests.control.trust.breaks_asking import asked, confirm, decide
from tests.control.trust.reported import opened
from tests.control.trust.test_desks import move, signed_in
from tests.support.firm import now

from troth.control.trust.found import State
from troth.keys.ids import uuid7
from troth.rules.profile import load_profile

pytestmark = pytest.mark.slow
RULES = load_profile("property").policy


def programme(world):
    return world.firms["property"].programme


def test_it_holds_and_says_what_it_saw(world):
    found = world.check("TRC-2")["TRC-2"]
    assert found.state == "holds", world.why("TRC-2")
    assert {part.evidence["seen"]["asked"] for part in found.parts} == {2}
    assert {part.evidence["seen"]["late"] for part in found.parts} == {0}


def test_without_an_answer_of_the_pages_there_is_no_data(world):
    alone = dataclasses.replace(world, served=None)
    assert alone.state("TRC-2") == State.NO_DATA


def test_what_nobody_confirmed_is_owed_nothing(world):
    for _ in range(5):
        asked(world, programme(world))
    opened(world, RULES, "abuse", None, programme(world))  # a letter that nobody signed
    move(world, days=30)
    assert world.check("TRC-2")["TRC-2"].parts[0].evidence["seen"]["late"] == 0
    assert "ASK-" not in str(world.why("TRC-2"))


def test_what_was_confirmed_and_is_not_answered_in_time_fails_it_for_good(world):
    one = confirm(world, asked(world, programme(world)))
    assert world.state("TRC-2") == "holds", world.why("TRC-2")
    move(world, days=8)
    assert world.state("TRC-2") == "fails"
    decide(world, one, "answered", signed_in(world))
    assert "was due at" in str(world.why("TRC-2"))
    assert world.state("TRC-2") == "fails"


def test_an_answer_that_was_never_mailed_is_none(world):
    decide(world, confirm(world, asked(world, programme(world))), "answered", signed_in(world), mailed=None)
    assert world.state("TRC-2") == "holds", world.why("TRC-2")  # it is on its way
    move(world, hours=2)
    assert "was never mailed" in str(world.why("TRC-2"))


def test_an_answer_that_the_gate_refused_is_none(world):
    decide(world, confirm(world, asked(world, programme(world))), "answered", signed_in(world), mailed=False)
    assert "was never mailed" in str(world.why("TRC-2"))
    world.database.fill(
        "UPDATE asked_letter SET why = 'The asker''s address is on the list of suppressions.' WHERE why IS NOT NULL"
    )
    assert world.state("TRC-2") == "holds", world.why("TRC-2")


def test_more_time_than_was_promised_fails_it(world):
    confirm(world, asked(world, programme(world)), days=30)
    assert "promised in 7 days" in str(world.why("TRC-2"))


def test_a_report_whose_sender_is_certain_is_acknowledged(world):
    case = opened(world, RULES, "disclosure", None, programme(world))
    world.database.fill(
        "INSERT INTO case_reporter VALUES (%s, sha256('a'), '\\x01', now_v1(), 'signature', NULL)", case
    )
    assert world.state("TRC-2") == "holds", world.why("TRC-2")
    move(world, days=20)
    assert "to be acknowledged" in str(world.why("TRC-2"))


def test_a_letter_to_privacy_whose_sender_is_certain_is_done_in_time(world):
    query = "INSERT INTO inbound_letter (id, desk, reason, at, size, letter_ct) VALUES (%s, 'privacy', %s, now_v1(), 1, '\\x01')"
    world.database.fill(query, uuid7(now()), "letter")  # by nobody knows whom
    move(world, days=8)
    assert "privacy@" not in str(world.why("TRC-2"))
    world.database.fill(query, uuid7(now()), "own-data")
    assert "privacy@" not in str(world.why("TRC-2"))
    move(world, days=8)
    assert "1 letters to privacy@" in str(world.why("TRC-2"))


def test_an_old_check_is_stale(world):
    world.check("TRC-2")
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(hours=3))
    assert world.stored("TRC-2")["TRC-2"].state is State.STALE
