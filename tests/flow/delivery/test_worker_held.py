"""After a hold every way a message may go is one that the table of states has."""

from datetime import timedelta

import pytest

from troth.rules.states import Kind, State

WAYS = [
    ("full@home.example", State.DEFERRED, [Kind.QUEUED, Kind.DEFERRED]),
    ("bounce-hard@home.example", State.BOUNCED, [Kind.QUEUED, Kind.BOUNCED]),
    ("drop-after-data@home.example", State.SENT, [Kind.QUEUED, Kind.UNCERTAIN, Kind.QUEUED, Kind.SENT]),
]


@pytest.mark.parametrize(("address", "state", "told"), WAYS)
async def test_a_hold_that_is_over(stage, address, state, told):
    river = stage.river
    (message,) = river.queue(address)
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 10")
    stage.worker()
    await stage.until_state(message, state)
    assert river.told(message) == told


async def test_a_mark_left_behind_by_a_message_that_had_been_held(stage):
    river = stage.river
    (message,) = river.queue("a@home.example")
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 4, attempts = 1, due = now() - interval '1 s'")
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.QUEUED, Kind.UNCERTAIN, Kind.QUEUED, Kind.SENT]


async def test_a_deferred_message_whose_life_ends_before_the_next_try_fails(stage):
    river = stage.river
    (message,) = river.queue("full@home.example", lifetime=timedelta(minutes=30))
    stage.worker()
    await stage.until_state(message, State.FAILED)
    assert river.suppressed("full@home.example") == []


async def test_a_connection_failure_does_not_forget_the_mailbox_schedule(stage):
    river = stage.river
    (message,) = river.queue("tempfail@home.example")
    river.database.run(
        "UPDATE spool SET state = 7, schedule = 'mailbox', schedule_attempts = 2, first_failed_at = now() - interval '1 h'"
    )
    river.database.fill("UPDATE message SET state = 7")
    stage.worker()
    await stage.until(lambda: river.told(message) == [Kind.DEFERRED])
    row = river.spooled(message)
    assert (row["schedule"], row["schedule_attempts"], row["lost_claims"]) == ("mailbox", 2, 0)
