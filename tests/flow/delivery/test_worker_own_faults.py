"""When something in the worker itself or behind it goes wrong, it is one message's matter, and nothing is sent unseen."""

import asyncio

import psycopg
import pytest

from troth.flow import events
from troth.flow.delivery import claiming, marking, recording
from troth.flow.delivery.materials import Materials
from troth.outside.kms import Unavailable
from troth.rules.states import IllegalTransition, Kind, State


async def test_a_message_that_cannot_be_judged_goes_back_and_the_others_are_recorded(stage, monkeypatch):
    river = stage.river
    (bad,) = river.queue("bad@home.example")
    real, broken = recording.judge, []

    def judge(work, outcome, bench):
        if work.claimed.message_id == bad and len(broken) < 2:
            broken.append(outcome)
            raise RuntimeError("a fault of ours")
        return real(work, outcome, bench)

    monkeypatch.setattr(recording, "judge", judge)
    river.suppress("bad@home.example")
    river.queue("a@home.example", copies=3)
    worker = stage.worker()
    await stage.until(lambda: worker.counters.sent == 3 and worker.counters.returned == 1)
    assert worker.counters.broken == 1
    assert river.spooled(bad)["state"] == State.QUEUED


async def test_a_marked_message_that_cannot_be_judged_becomes_uncertain(stage, monkeypatch):
    river = stage.river
    (bad,) = river.queue("bad@home.example")
    real, broken = recording.judge, []

    def judge(work, outcome, bench):
        if not broken:
            broken.append(outcome)
            raise RuntimeError("a fault of ours")
        return real(work, outcome, bench)

    monkeypatch.setattr(recording, "judge", judge)
    stage.worker(lease_seconds=1)
    await stage.until_state(bad, State.SENT)
    assert river.told(bad) == [Kind.UNCERTAIN, Kind.QUEUED, Kind.SENT]


async def test_what_the_store_refuses_does_not_take_the_others_along(stage):
    river = stage.river
    (bad,) = river.queue("a@home.example")
    river.database.fill("UPDATE message SET state = 6")  # delivered: nothing may make it sent again
    river.queue("a@home.example", copies=3)
    worker = stage.worker()
    await stage.until(lambda: worker.counters.sent == 3 and worker.counters.broken == 1)
    await stage.until(lambda: river.told(bad) == [Kind.SENT])  # a late fact: recorded, and the state stays
    assert river.state(bad) is State.DELIVERED


@pytest.mark.parametrize("trouble", [psycopg.OperationalError("away"), psycopg.errors.DeadlockDetected("again")])
async def test_a_store_that_goes_in_the_middle_of_it_is_asked_again(stage, monkeypatch, trouble):
    river = stage.river
    river.database.fill("SELECT 1")
    (bad,) = river.queue("a@home.example")
    (good,) = river.queue("a@home.example")
    river.database.fill("UPDATE message SET state = 6 WHERE id = %s", bad)
    real, failed = events.settle, []

    async def settle(connection, settlements, at):
        if len(settlements) == 1 and not failed:
            failed.append(1)
            raise trouble
        return await real(connection, settlements, at)

    monkeypatch.setattr(events, "settle", settle)
    worker = stage.worker()
    await stage.until_state(good, State.SENT)
    assert worker.counters.away >= 1


@pytest.mark.parametrize("trouble", [IllegalTransition(State.SENT, Kind.CLAIMED), psycopg.DataError("no")])
async def test_a_late_answer_that_does_not_fit_is_passed_over(stage, monkeypatch, trouble):
    async def report(*_):
        raise trouble

    monkeypatch.setattr(events, "report", report)
    worker = await _lose_the_claim(stage)
    await stage.until(lambda: worker.counters.broken == 1)


async def test_a_late_answer_waits_for_the_store(stage, monkeypatch):
    real, failed = events.report, []

    async def report(*given):
        if not failed:
            failed.append(1)
            raise psycopg.OperationalError("away")
        return await real(*given)

    monkeypatch.setattr(events, "report", report)
    worker = await _lose_the_claim(stage)
    await stage.until(lambda: worker.counters.late == 1)


async def _lose_the_claim(stage):
    stage.river.queue("slow@home.example")
    worker = stage.worker()
    await stage.until(lambda: worker.desk.sending == 1)
    stage.river.database.run("UPDATE spool SET token = token + 1, due = now() + interval '1 hour'")
    return worker


async def test_a_late_answer_for_an_erased_or_foreign_key_keeps_its_leaf_alone(stage):
    worker = stage.worker()
    assert worker._open_key(stage.river.tenant, stage.river.keyset, None, stage.river.tenant) is None
    assert worker._open_key(stage.river.tenant, stage.river.keyset, b"\x01other", stage.river.tenant) is None


async def test_a_kms_that_is_away_puts_messages_off(stage, monkeypatch):
    river = stage.river
    (message,) = river.queue("a@home.example")
    worker = stage.worker()
    await stage.until_state(message, State.SENT)

    class Away:
        key_id = "away"

        def decrypt(self, *_):
            raise Unavailable("away")

    monkeypatch.setattr(river.keyring, "_kms", Away())
    river.keyring.forget()
    (message,) = river.queue("a@home.example")
    await stage.until(lambda: worker.counters.returned == 1)
    assert river.spooled(message)["state"] == State.QUEUED
    assert river.told(message) == []


async def test_what_is_marked_too_late_goes_back_unsent(stage, monkeypatch):
    monkeypatch.setattr(marking, "BEGIN_WITHIN", -1.0)
    river = stage.river
    (message,) = river.queue("a@home.example")
    worker = stage.worker()
    await stage.until(lambda: worker.counters.returned > 1)
    assert stage.got() == []
    assert river.spooled(message)["attempts"] <= 1
    monkeypatch.setattr(marking, "BEGIN_WITHIN", 2.0)
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.SENT]
    assert len(stage.got()) == 1


async def test_a_claim_that_another_took_leaves_the_ready_queue(stage):
    river = stage.river
    river.queue("slow@home.example", copies=2)
    worker = stage.worker(connections=1, lease_seconds=2)
    await stage.until(lambda: worker.desk.sending == 1 and len(worker.desk.ready) == 1)
    river.database.run("UPDATE spool SET token = token + 1, due = now() + interval '1 hour' WHERE state = 3")
    await stage.until(lambda: not worker.desk.ready)
    await stage.until(lambda: not worker.desk.hand)
    assert len(stage.got()) == 1


async def test_a_store_that_goes_between_claim_and_composing(stage, monkeypatch):
    river = stage.river
    real, failed = Materials.learn, []

    async def learn(*given):
        if not failed:
            failed.append(1)
            raise psycopg.OperationalError("away")
        await real(*given)

    monkeypatch.setattr(claiming.Materials, "learn", learn)
    (message,) = river.queue("a@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.spooled(message) is None


async def test_a_store_that_goes_with_the_marks_answer(stage, monkeypatch):
    """The mark may have been committed: the message goes back either way, and is sent once."""
    river = stage.river
    real, failed = marking.spool.mark, []

    async def mark(connection, **given):
        verdicts = await real(connection, **given)
        if not failed:
            failed.append(1)
            raise psycopg.OperationalError("the answer was lost")
        return verdicts

    monkeypatch.setattr(marking.spool, "mark", mark)
    (message,) = river.queue("a@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.SENT]
    await asyncio.sleep(0)
