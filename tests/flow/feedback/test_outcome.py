"""What is told of a message after the next hop took it ends as the right state, in any order and however often."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from tests.flow.feedback.telling import (
    ANN,
    AWAY,
    FULL,
    FULL_5,
    HARD,
    POLICY,
    after,
    together,
)  # fmt: skip

from troth.flow.feedback import outcome
from troth.keys import places
from troth.rules.states import Kind, State

__all__ = ["after"]


async def test_a_hard_failure_bounces_and_suppresses_in_one_transaction(after):
    (message,) = await after.sent()
    assert await after.tell(message, failure=HARD, status="5.1.1", diagnostic="550 5.1.1 no such user") == 1
    assert after.river.state(message) is State.BOUNCED
    assert after.river.suppressed(ANN) == [(1, f"smtp:{message}")]
    kind, detail = after.last(message)
    assert kind is Kind.BOUNCED
    assert (detail["reason"], detail["status"], detail["via"], detail["attempt"]) == ("hard", "5.1.1", "dsn", 1)
    index, sealed = after.river.database.run("SELECT blind_index, address_ct FROM suppression")[0]
    assert after.operator.open(bytes(sealed), places.suppression(bytes(index))) == ANN.encode()
    at, since = after.river.database.run("SELECT max(e.at), max(s.created_at) FROM event e, suppression s")[0]
    assert abs(at - since) < timedelta(seconds=1)


async def test_without_the_operators_keyset_it_is_suppressed_all_the_same(after):
    (message,) = await after.sent()
    after.deps = outcome.Deps(after.connections.lend, after.river.keyring, after.river.secrets)
    await after.tell(message, failure=HARD)
    assert after.river.database.run("SELECT reason, address_ct FROM suppression") == [(1, None)]


async def test_the_same_fact_is_one_event_whatever_came_of_it(after):
    (message,) = await after.sent()
    assert await after.tell(message, failure=FULL, key="dsn:a") == 1
    assert await after.tell(message, failure=FULL, key="dsn:a") == 0
    assert await after.tell(message, failure=HARD, key="dsn:a") == 0
    assert after.river.told(message) == [Kind.SENT, Kind.DEFERRED]
    assert after.river.suppressed(ANN) == []


@pytest.mark.parametrize(
    ("action", "failure", "most"),
    [("delivered", None, outcome.MOST), ("delayed", AWAY, outcome.MOST), ("failed", POLICY, outcome.MOST),
     ("failed", HARD, 2 * outcome.MOST)],
)  # fmt: skip
async def test_whoever_has_the_mail_makes_a_few_events_and_then_a_number(after, action, failure, most):
    (message,) = await after.sent()
    told = [await after.tell(message, action=action, failure=failure, key=f"dsn:{n:032x}") for n in range(2 * most)]
    assert sum(told) == most
    assert len(after.river.told(message)) == most + 1
    assert after.river.database.run("SELECT desk, reason, n FROM inbound_count") == [("bounce", "told-enough", most)]


async def test_six_at_once_are_one(after):
    (message,) = await after.sent()
    assert sum(await together(*(after.tell(message, failure=HARD, key="dsn:a") for _ in range(6)))) == 1
    assert after.river.told(message) == [Kind.SENT, Kind.BOUNCED]


async def test_two_notices_of_one_attempt_are_one_attempt(after):
    (message,) = await after.sent()
    assert await together(*(after.tell(message, failure=FULL) for _ in range(2))) == [1, 1]
    row = after.river.spooled(message)
    assert (row["schedule"], row["schedule_attempts"], row["attempts"]) == ("mailbox", 1, 1)
    kinds = [detail.get("kind") for kind, detail in after.river.events(message) if kind is Kind.DEFERRED]
    assert sorted(kinds) == ["known", "mailbox"]


@pytest.mark.parametrize("failure", [FULL, FULL_5])
async def test_a_full_mailbox_is_an_attempt_of_the_soft_schedule_until_it_is_spent(after, failure):
    """The property profile: after 1, 6 and 36 hours, then bounced and suppressed."""
    (message,) = await after.sent()
    first = after.river.database.run("SELECT now_v1()")[0][0]
    for number, hours in ((1, 1), (2, 6), (3, 36)):
        assert await after.tell(message, failure=failure) == 1
        assert after.river.state(message) is State.DEFERRED
        row = after.river.spooled(message)
        assert (row["schedule"], row["schedule_attempts"], row["attempts"]) == ("mailbox", number, number)
        assert datetime.fromisoformat(row["first_failed_at"]) - first < timedelta(seconds=10)
        kind, detail = after.last(message)
        assert (kind, detail["kind"], detail["attempt"]) == (Kind.DEFERRED, "mailbox", number)
        assert datetime.fromisoformat(detail["again"]).astimezone(UTC) == datetime.fromisoformat(row["due"])
        after.later(hours=hours, minutes=1)
        await after.work(lambda: after.river.state(message) is State.SENT)
    assert await after.tell(message, failure=failure) == 1
    assert after.river.state(message) is State.BOUNCED
    assert after.river.suppressed(ANN) == [(6, f"smtp:{message}")]
    assert after.last(message)[1]["reason"] == "soft_spent"
    assert len(after.stage.got(ANN)) == 4
    assert len({each.partition(b"Message-ID: ")[2][:60] for each in after.stage.got(ANN)}) == 1
    assert after.river.spooled(message) is None


@pytest.mark.parametrize("failure", [FULL, AWAY, POLICY])
async def test_a_late_notice_of_an_attempt_that_was_overtaken_sends_no_third_letter(after, failure):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL, attempt=1)
    after.later(hours=2)
    await after.work(lambda: after.river.state(message) is State.SENT)
    assert await after.tell(message, failure=failure, attempt=1) == 1
    assert after.river.state(message) is State.SENT
    assert after.river.spooled(message) is None
    kind, detail = after.last(message)
    assert (kind, detail["kind"], detail["attempt"]) == (Kind.DEFERRED, "known", 1)
    assert len(after.stage.got(ANN)) == 2
    await after.tell(message, failure=FULL, attempt=2)  # of the newest: it is tried again
    assert after.river.spooled(message)["schedule_attempts"] == 2


async def test_a_late_notice_spends_no_schedule_and_still_condemns_a_bad_address(after):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL, attempt=1)
    after.later(hours=2)
    await after.work(lambda: after.river.state(message) is State.SENT)
    for _ in range(outcome.MOST):
        await after.tell(message, failure=FULL, attempt=1)
    assert after.river.suppressed(ANN) == []
    await after.tell(message, failure=HARD, attempt=1)
    assert after.river.suppressed(ANN) == [(1, f"smtp:{message}")]


async def test_other_trouble_between_does_not_begin_the_soft_schedule_anew(after):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL)
    after.later(hours=2)
    await after.work(lambda: after.river.state(message) is State.SENT)
    await after.tell(message, failure=AWAY)
    row = after.river.spooled(message)
    assert (row["schedule"], row["schedule_attempts"], row["attempts"]) == ("mailbox", 1, 2)


async def test_a_lifetime_that_is_over_fails_it_and_condemns_nobody(after):
    (message,) = await after.sent(lifetime=timedelta(minutes=30))
    assert await after.tell(message, failure=FULL) == 1
    assert after.river.state(message) is State.FAILED
    assert after.last(message)[1]["reason"] == "lifetime_over"
    assert after.river.suppressed(ANN) == []


async def test_what_is_kept_no_more_is_not_tried_again_and_says_so(after):
    (message,) = await after.sent()
    after.river.database.fill("DELETE FROM message_body")
    await after.tell(message, failure=FULL)
    assert after.river.state(message) is State.FAILED
    assert after.last(message)[1]["reason"] == "no-letter"
    assert "not kept any more" in after.last(message)[1]["sentence"]


async def test_an_erased_person_is_not_mailed_again(after):
    (message,) = await after.sent()
    after.river.erase(ANN)
    assert await after.tell(message, failure=FULL) == 1
    assert after.river.state(message) is State.FAILED
    assert after.river.spooled(message) is None
    assert await after.tell(message, failure=HARD) == 1
    assert after.river.suppressed(ANN) == [(1, f"smtp:{message}")]


async def test_an_older_event_that_does_not_say_its_place_is_not_tried_again(after):
    (message,) = await after.sent()
    person = after.river.people[ANN]
    detail = person.key.seal(b'{"salt":"00","detail":{}}', places.event(message, "attempt:1"))
    after.river.database.fill("UPDATE event SET detail_ct = %s", detail)
    await after.tell(message, failure=FULL)
    assert after.river.state(message) is State.FAILED


@pytest.mark.parametrize("broken", [b"\x02nothing", None])
async def test_an_event_that_cannot_be_read_is_not_tried_again(after, broken):
    (message,) = await after.sent()
    after.river.database.fill("UPDATE event SET detail_ct = %s", broken)
    after.river.database.fill("UPDATE person SET address_ct = %s", b"\x02nothing")
    await after.tell(message, failure=FULL)
    assert after.river.state(message) is State.FAILED
    await after.tell(message, failure=HARD)
    assert after.river.database.run("SELECT reason, address_ct FROM suppression") == [(1, None)]


async def test_a_refusal_for_good_that_is_not_the_addresss_fault_bounces_and_suppresses_nobody(after):
    (message,) = await after.sent()
    await after.tell(message, failure=POLICY, status="5.7.1")
    assert after.river.state(message) is State.BOUNCED
    assert after.last(message)[1]["reason"] == "policy"
    assert after.river.suppressed(ANN) == []


async def test_a_failure_without_its_kind_condemns_nobody(after):
    (message,) = await after.sent()
    await after.tell(message)
    assert after.river.state(message) is State.BOUNCED
    assert after.river.suppressed(ANN) == []


async def test_delays_are_told_and_change_nothing(after):
    (message,) = await after.sent()
    for n in range(3):
        assert await after.tell(message, "delayed", failure=AWAY, status=f"4.4.{n}") == 1
    assert after.river.state(message) is State.SENT
    assert after.last(message)[1]["reason"] == "delayed"
    assert after.river.told(message) == [Kind.SENT, *[Kind.DEFERRED] * 3]


async def test_a_delivery_is_told_before_or_after_everything(after):
    (message,) = await after.sent()
    assert await after.tell(message, "delivered") == 1
    assert after.river.state(message) is State.DELIVERED
    assert await after.tell(message, failure=HARD) == 1
    assert after.river.state(message) is State.BOUNCED
    assert await after.tell(message, "delivered") == 1
    assert after.river.state(message) is State.BOUNCED


async def test_what_was_delivered_and_then_refused_for_now_is_not_sent_twice(after):
    (message,) = await after.sent()
    await after.tell(message, "delivered")
    await after.tell(message, failure=FULL)
    assert after.river.state(message) is State.BOUNCED
    assert after.last(message)[1]["reason"] == "mailbox"
    assert after.river.suppressed(ANN) == []
    assert after.river.spooled(message) is None


async def test_a_delivery_takes_it_out_of_the_spool(after):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL)
    await after.tell(message, "delivered")
    assert after.river.state(message) is State.DELIVERED
    assert after.river.spooled(message) is None


async def test_a_hard_failure_takes_it_out_of_the_spool(after):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL)
    await after.tell(message, failure=HARD)
    assert after.river.state(message) is State.BOUNCED
    assert after.river.spooled(message) is None


async def test_a_suppressed_address_gets_nothing_of_what_was_given_back(after):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL)
    after.river.suppress(ANN)
    after.later(hours=2)
    await after.work(lambda: after.river.state(message) is State.SUPPRESSED)
    assert len(after.stage.got(ANN)) == 1
    await after.tell(message, failure=FULL)
    assert after.river.state(message) is State.SUPPRESSED


async def test_what_was_given_back_can_be_called_back(after):
    (message,) = await after.sent()
    await after.tell(message, failure=FULL)
    email = UUID(after.river.spooled(message)["email_id"])
    async with after.connections.lend() as connection:
        at = after.river.database.run("SELECT now_v1()")[0][0]
        opener = outcome.opener(after.river.keyring)
        assert await outcome.events.cancel(connection, after.river.tenant, email, at, opener) == 1
    assert after.river.state(message) is State.CANCELLED
    await after.tell(message, failure=FULL)
    assert after.river.state(message) is State.CANCELLED
    await after.tell(message, failure=HARD)
    assert after.river.state(message) is State.BOUNCED


async def test_a_message_that_is_gone_is_nothing(after):
    (message,) = await after.sent()
    after.river.database.fill("DELETE FROM message")
    assert await after.tell(message, failure=HARD) == 0
    assert after.river.suppressed(ANN) == []


# ---- reports that outrun the worker's own record


def _on_the_wire(after, message):
    """As it stands between the mark and the record of the answer."""
    after.river.database.fill("UPDATE spool SET state = 4, token = 9, attempts = 1")
    assert after.river.state(message) is State.QUEUED


async def test_a_hard_failure_that_outruns_the_record_counts_at_once(after):
    (message,) = after.river.queue(ANN)
    _on_the_wire(after, message)
    assert await after.tell(message, failure=HARD) == 1
    assert after.river.state(message) is State.BOUNCED
    assert after.last(message)[1]["attempt"] == 1


async def test_a_failure_for_now_waits_for_the_record_and_else_comes_again(after, monkeypatch):
    (message,) = after.river.queue(ANN)
    _on_the_wire(after, message)
    monkeypatch.setattr(outcome, "WAITS", (0.01, 0.01))
    with pytest.raises(outcome.Early):
        await after.tell(message, failure=FULL)
    assert after.river.told(message) == []


async def test_a_failure_for_now_of_one_that_waits_is_known(after):
    """Of a message that is to be sent again, or that people hold, since its answer was lost."""
    (message,) = after.river.queue(ANN)
    assert await after.tell(message, failure=FULL) == 1
    assert after.river.state(message) is State.QUEUED
    assert after.last(message)[1]["kind"] == "known"


async def test_nobody_waits_for_somebody_who_waits_for_them(after):
    """A worker's record and a report of the same message, many times at once: neither is broken off as a deadlock."""
    messages = await after.sent(*(f"a{n}@home.example" for n in range(30)))
    for message in messages:
        await after.tell(message, failure=FULL)
    after.later(hours=2)
    after.stage.worker()
    told = await together(*(after.tell(m, "delayed") for _ in range(2) for m in messages))
    assert sum(told) == 60
    # a row that a report held when it was claimed is passed over until the sweep of each minute
    await after.stage.until(lambda: all(after.river.state(m) is State.SENT for m in messages), seconds=90)
    await after.stage.stop()


# ---- the table of states is the database's own


async def test_the_database_lets_nothing_else_go_back(after):
    (message,) = await after.sent()
    for state in (State.DELIVERED, State.BOUNCED):
        after.river.database.fill("UPDATE message SET state = %s", int(state))
        with pytest.raises(psycopg.errors.CheckViolation, match="cannot follow"):
            after.river.database.run("UPDATE message SET state = 7")
    after.river.database.fill("UPDATE message SET state = 5")
    after.river.database.run("UPDATE message SET state = 7")


async def test_words_of_strangers_are_kept_short(after):
    (message,) = await after.sent()
    await after.tell(message, failure=POLICY, diagnostic="x" * 9_000, **{f"n{n}": n for n in range(99)})
    detail = after.last(message)[1]
    assert len(detail["diagnostic"]) == 1_000
    assert len(detail) < 40
