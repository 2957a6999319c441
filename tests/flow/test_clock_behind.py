"""A clock that was set back, and a database that is behind, never open the gate: not at accept, not at claim, not at mark."""

import asyncio

import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import make_firm

from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Refused, Taken
from troth.flow.gate.recall import Recall
from troth.rules.states import Kind, State
from troth.store import duties

__all__ = ["gate"]
TABLES = ("email", "message", "event", "spool", "rate_counter", "idempotency")


async def seen(database):
    """The duties have looked at the clock, as they do every two seconds."""
    connection = await database.connect("duties")
    try:
        await duties.move_high_water(connection)
    finally:
        await connection.close()


def step(database, seconds):
    """The machine's clock is set by so much; what was seen of it is seen."""
    database.fill("UPDATE installation SET clock_offset = make_interval(secs => %s)", seconds)


def counts(database):
    return {table: database.run(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


@pytest.fixture
def firm(operator):
    made = make_firm(operator, limits=100)
    made.person("ann@example.net")
    return made


# ---- accept ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [6, 3_600, 86_400 * 400])
async def test_nothing_is_accepted_while_the_clock_is_behind(gate, firm, back):
    database = firm.operator.database
    await seen(database)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    before = counts(database)
    step(database, -back)
    with pytest.raises(StoreAway):
        await gate.submit(ask(firm))
    assert counts(database) == before
    step(database, 0)
    assert isinstance(await gate.submit(ask(firm)), Taken), "it opens by itself when the clock has caught up"


async def test_a_step_of_a_few_seconds_and_one_ahead_stop_nobody(gate, firm):
    database = firm.operator.database
    await seen(database)
    database.fill("UPDATE person SET verified_at = now() - interval '1 day'")
    for seconds in (-3, 86_400):
        step(database, seconds)
        firm.domain_ready()
        assert isinstance(await gate.submit(ask(firm)), Taken)


async def test_what_is_over_does_not_begin_anew_with_the_clock(gate, firm):
    """An hour that is spent, an override and a look at a domain that have ended: the past has them all again."""
    database, operator = firm.operator.database, firm.operator
    step(database, 7_200)
    await seen(database)
    database.fill("INSERT INTO suppression (blind_index, layer, reason, source, tenant_id, created_at)"
                  " VALUES (%s, 0, 1, 'test', %s, now_v1())", firm.index("ann@example.net"), firm.tenant)  # fmt: skip
    database.fill("INSERT INTO suppression_override (tenant_id, blind_index, snapshot_id, expires_at)"
                  " SELECT %s, %s, id, now() + interval '1 hour' FROM snapshot LIMIT 1",
                  firm.tenant, firm.index("ann@example.net"))  # fmt: skip
    step(database, 0)
    with pytest.raises(StoreAway):
        await gate.submit(ask(firm))
    assert operator.admin.execute("SELECT count(*) FROM message").fetchone() == (0,)


async def test_no_email_is_given_another_time_by_a_clock_that_is_behind(gate, firm):
    database = firm.operator.database
    due = database.run("SELECT now_v1() + interval '2 hours'")[0][0]
    taken = await gate.submit(ask(firm, email(scheduled_at=due)))
    assert isinstance(taken, Taken)
    await seen(database)
    step(database, -60)
    with pytest.raises(StoreAway):
        await gate.reschedule(firm.tenant, taken.ids[0], due)
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE, "calling back is always possible"


async def test_a_database_that_only_repeats_another_accepts_nothing(gate, firm, operator):
    """A standby that doors were pointed at: it reads, perhaps hours late, and writes nothing."""
    name = operator.database.name
    assert isinstance(await gate.submit(ask(firm)), Taken)
    before = counts(operator.database)
    operator.admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    operator.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'troth gate%'"
    )
    for _ in range(3):
        answer = await asyncio.gather(gate.submit(ask(firm)), return_exceptions=True)
        assert not isinstance(answer[0], Taken | Refused), answer
    assert counts(operator.database) == before


async def test_a_database_that_is_behind_its_ledger_accepts_nothing_until_two_people_say_so(gate, firm, operator):
    """The sequencer found that its witness saw more than is there: opt-outs and stops may be forgotten."""
    assert isinstance(await gate.submit(ask(firm)), Taken)
    before = counts(operator.database)
    assert operator.database.run("SELECT ledger_behind_v1(1234)") == [(True,)]
    for _ in range(2):
        with pytest.raises(StoreAway):
            await gate.submit(ask(firm))
    assert counts(operator.database) == before
    stop = operator.admin.execute("SELECT id FROM pause WHERE started_by = 'ledger'").fetchone()[0]
    operator.govern("release", None, str(stop), {}, stop)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    assert operator.database.run("SELECT ledger_behind_v1(1234)") == [(True,)], "found again, it stops again"


# ---- claim and mark -------------------------------------------------------------------------------------------


async def test_nothing_is_claimed_while_the_clock_is_behind(stage):
    river = stage.river
    (message,) = river.queue("a@home.example")
    await seen(river.database)
    step(river.database, -60)
    river.database.run("UPDATE spool SET due = now() - interval '1 day' RETURNING 1")
    worker = stage.worker()
    await asyncio.sleep(1.0)
    assert (worker.counters.claimed, stage.got()) == (0, [])
    step(river.database, 0)
    stage.worker()  # the first one sweeps once a minute for what is so long due
    await stage.until_state(message, State.SENT)


async def test_what_was_claimed_is_not_marked_by_a_clock_that_was_set_back_meanwhile(stage):
    """The mark looks for itself: between claim and mark the machine's clock may be set."""
    river = stage.river
    await seen(river.database)
    worker = await stage.one_ahead()
    (message,) = river.queue("b@home.example")
    await stage.until(lambda: worker.desk.ready)
    step(river.database, -60)
    await stage.until(lambda: worker.desk.sending == 0 and not worker.desk.ready)
    await asyncio.sleep(0.5)
    assert stage.got("b@home.example") == []
    assert river.told(message) == [], "nothing is told of it: it waits as it was"
    assert river.spooled(message)["attempts"] == 0
    step(river.database, 0)
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.SENT]
    assert len(stage.got("b@home.example")) == 1


async def test_a_database_that_only_repeats_another_sends_nothing(stage):
    river = stage.river
    await seen(river.database)
    worker = await stage.one_ahead()
    (message,) = river.queue("b@home.example")
    await stage.until(lambda: worker.desk.ready)
    name = river.database.name
    admin = river.database.open()
    gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'troth_flow' AND datname = %s"
    admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    admin.execute(gone, (name,))
    await asyncio.sleep(3.0)
    assert stage.got("b@home.example") == []
    admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    admin.execute(gone, (name,))
    await stage.until_state(message, State.SENT, seconds=40)
    assert len(stage.got("b@home.example")) == 1


async def test_a_database_that_is_behind_its_ledger_sends_nothing(stage):
    """What waits is not marked: a rolled-back spool holds what was sent already."""
    river = stage.river
    worker = await stage.one_ahead()
    (message,) = river.queue("b@home.example")
    await stage.until(lambda: worker.desk.ready)
    river.database.run("SELECT ledger_behind_v1(7)")
    await stage.until(lambda: worker.desk.sending == 0 and not worker.desk.ready)
    await asyncio.sleep(0.5)
    assert stage.got("b@home.example") == []
    assert river.state(message) is State.HELD
