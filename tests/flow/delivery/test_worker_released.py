"""What two people let go is counted in the hour in which it goes, once, and waits when that hour has no room."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.support import delivery_process

from troth.flow import events
from troth.flow.delivery.claiming import LOST_TOO_OFTEN
from troth.flow.delivery.releasing import Releases
from troth.flow.delivery.work import Work
from troth.flow.gate import limits
from troth.rules.states import Kind, State
from troth.store import gate, spool

CAP = 10
LEASE = timedelta(seconds=60)
PEOPLE = [f"p{n}@home.example" for n in range(5)]


@pytest.fixture(autouse=True)
def noon(river):
    """Ten minutes into an hour, so that no test runs across its end."""
    river.database.fill(
        "UPDATE installation SET clock_offset = date_trunc('day', now(), 'UTC') + interval '12:10' - clock_timestamp()"
    )


def hold(river, *addresses, **letter):
    """Messages that were in review and that two people let go."""
    ids = [river.queue(address, **letter)[0] for address in addresses]
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 10, due = now_v1(), counted = now_v1()")
    for message in ids:
        river.database.fill("INSERT INTO release_order VALUES (%s, %s, %s, now_v1())", message, river.tenant, uuid4())
    return ids


def used(river, scope=limits.TENANT_HOUR) -> list[int]:
    """By window."""
    rows = river.database.run(
        "SELECT sum(used)::int, bool_and(used <= cap) FROM rate_counter WHERE scope = %s"
        " GROUP BY window_start ORDER BY window_start", scope
    )  # fmt: skip
    assert all(kept for _, kept in rows)
    return [n for n, _ in rows]


def orders(river) -> int:
    return river.database.run("SELECT count(*) FROM release_order")[0][0]


def spend(river, n: int) -> None:
    river.database.fill(
        "INSERT INTO rate_counter VALUES (%s, 1, %s, date_trunc('hour', now_v1()), %s, %s)",
        river.tenant, river.tenant, n, CAP,
    )  # fmt: skip


async def claim(river) -> list[Work]:
    async with await river.database.connect("test") as connection:
        now = await gate.now(connection)
        claims = await spool.claim(connection, now=now, floor=now - timedelta(days=2), limit=9, lease=LEASE)
        loaded = await spool.load_parts(connection, [c.message_id for c in claims])
    keys = {p.id: p.key for p in river.people.values()}
    return [Work(c, loaded[c.message_id], 0.0, 0.0, keys[c.person_id]) for c in claims]


async def settle(river, work):
    async with await river.database.connect("test") as connection:
        return await Releases().settle(connection, work, await gate.now(connection))


async def test_an_hour_with_room_for_three_lets_three_go_and_the_next_hour_the_others(stage):
    river = stage.river
    river.add_category(limits={"tenant_hour": CAP})
    ids = hold(river, *PEOPLE)
    spend(river, CAP - 3)
    stage.worker()
    await stage.until(lambda: river.states() == {State.SENT: 3, State.HELD: 2})
    await stage.until(lambda: {s for (s,) in river.database.run("SELECT state FROM spool")} == {10})
    (ends,) = {due for (due,) in river.database.run("SELECT due FROM spool")}
    assert (ends.minute, ends.second) == (0, 0)
    assert (used(river), orders(river)) == ([CAP], 2)
    waiting = [m for m in ids if river.state(m) is State.HELD]
    assert all([k for k, _ in river.events(m)] == [Kind.HELD] for m in waiting)
    detail = river.events(waiting[0])[0][1]
    assert (detail["reason"], detail["until"]) == ("rate", ends.isoformat())
    river.database.fill("UPDATE installation SET clock_offset = clock_offset + interval '1 hour'")
    await stage.until_all(State.SENT)
    assert (used(river), orders(river)) == ([CAP, 2], 0)
    assert all(river.told(m) == [Kind.HELD, Kind.RELEASED, Kind.SENT] for m in waiting)
    assert len(stage.got()) == 5


async def test_every_counter_of_the_gate_is_reserved(river):
    (message,) = hold(river, PEOPLE[0])
    (work,) = await claim(river)
    assert (await settle(river, work)).state is State.QUEUED
    rows = river.database.run("SELECT scope, subject, used FROM rate_counter ORDER BY scope")
    index = river.people[PEOPLE[0]].index
    subjects = [river.tenant, river.tenant, river.tenant, river.template]  # no key: Troth's own mail
    assert rows == [
        *((n, s, 1) for n, s in enumerate(subjects, 1)),
        (limits.RECIPIENT_DAY, limits.recipient_subject(river.template, index), 1),
    ]
    days = river.database.run("SELECT DISTINCT window_start FROM rate_counter WHERE scope IN (2, 5)")
    assert days == river.database.run("SELECT date_trunc('day', now_v1(), 'Europe/Berlin')")
    assert river.told(message) == [Kind.RELEASED]


def give_key(river, policy) -> UUID:
    """The key by which everything was submitted."""
    key = uuid4()
    snapshot = river.approve("api-key", key, "k", {"categories": ["rent-reminder"], "policy": policy})
    river.database.fill(
        "INSERT INTO api_key (id, tenant_id, name, prefix, hash, snapshot_id, expires_at, created_at)"
        " VALUES (%s, %s, 'k', 'tr_k', %s, %s, now() + interval '1 day', now())",
        key, river.tenant, bytes(32), snapshot,
    )  # fmt: skip
    river.database.fill(
        "INSERT INTO api_key_secret (hash, key_id, tenant_id, prefix, snapshot_id, created_at, ends_at)"
        " SELECT hash, id, tenant_id, prefix, snapshot_id, created_at, expires_at FROM api_key",
    )
    river.database.fill("UPDATE email SET api_key_id = %s", key)
    return key


async def test_the_keys_own_counter_and_limits_hold_and_raw_content_counts_by_its_category(river):
    hold(river, *PEOPLE[:2], subject="x", text="y")
    key = give_key(river, {"limits": {"tenant_hour": 1}})
    made = [await settle(river, work) for work in await claim(river)]
    assert [s.state for s in made] == [State.QUEUED, State.HELD]
    assert river.database.run("SELECT scope, subject, used FROM rate_counter WHERE scope IN (3, 4) ORDER BY 1") == [
        (limits.KEY_HOUR, key, 1),
        (limits.TEMPLATE_HOUR, river.category, 1),
    ]
    assert used(river, limits.TENANT_DAY) == [1]  # what the second one reserved was given back


async def test_a_worker_lost_between_counting_and_queueing_changes_nothing(river, monkeypatch):
    (message,) = hold(river, PEOPLE[0])
    (work,) = await claim(river)

    async def killed(*_):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(events, "_write", killed)
        with pytest.raises(ConnectionError):
            await settle(river, work)
    assert (used(river), orders(river), river.told(message)) == ([], 1, [])
    assert (await settle(river, work)).state is State.QUEUED
    assert await settle(river, work) is None  # the answer to the commit was lost: told to do it again
    assert (used(river), orders(river), river.told(message)) == ([1], 0, [Kind.RELEASED])
    (again,) = await claim(river)
    assert not again.claimed.released


@pytest.mark.slow
async def test_killed_workers_count_each_release_once(stage, tmp_path):
    river = stage.river
    river.add_category(limits={"tenant_hour": 40})
    ids = hold(river, *(f"q{n}@home.example" for n in range(40)))
    for n in range(5):
        process = delivery_process.start(
            river.database, tmp_path / "master.key", stage.port, lease_seconds=2, claim_batch=8
        )
        await stage.until(lambda n=n: sum(used(river)) >= min(40, 8 * n + 1))
        await asyncio.sleep(0.01 * n)
        process.kill()
        process.wait()
    stage.worker()
    await stage.until(lambda: not orders(river))
    assert (used(river), orders(river)) == ([40], 0)
    assert all(river.told(m).count(Kind.RELEASED) == 1 for m in ids)


async def test_a_wait_for_room_ends_with_the_life_of_the_message(river):
    river.add_category(limits={"tenant_hour": 0})
    (message,) = hold(river, PEOPLE[0])
    river.database.run("UPDATE spool SET lifetime_ends = now_v1() + interval '5 minutes'")
    for _ in range(2):
        (work,) = await claim(river)
        kept = (await settle(river, work)).kept
        assert (kept.due, kept.state) == (work.claimed.lifetime_ends, State.HELD)
        river.database.run("UPDATE spool SET due = now_v1()")
    assert river.told(message) == [Kind.HELD]  # once, however often it was tried


async def test_a_second_release_that_must_wait_is_told_again(river):
    river.add_category(limits={"tenant_hour": 0})
    (message,) = hold(river, PEOPLE[0])
    for _ in range(2):
        (work,) = await claim(river)
        await settle(river, work)
        river.database.run("UPDATE spool SET due = now_v1()")
        river.database.fill("UPDATE release_order SET change_id = %s", uuid4())
    assert river.told(message) == [Kind.HELD, Kind.HELD]


@pytest.mark.parametrize("missing", ["policy", "category", "email"])
async def test_what_nothing_governs_any_more_is_not_let_go(river, missing):
    hold(river, PEOPLE[0])
    (work,) = await claim(river)
    if missing == "policy":
        river.database.fill("DELETE FROM governed WHERE kind = 'policy'")
    elif missing == "category":
        river.database.fill("DELETE FROM governed WHERE kind = 'category'")
    else:
        river.database.fill("DELETE FROM email")
    made = await settle(river, work)
    assert (made.state, made.order_stands, used(river)) == (State.HELD, True, [])
    assert made.happenings[0].detail["reason"] == "rate"


async def test_a_poison_let_go_has_one_more_chance(stage):
    river = stage.river
    (message,) = hold(river, PEOPLE[0])
    river.database.run("UPDATE spool SET lost_claims = %s", LOST_TOO_OFTEN)
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.RELEASED, Kind.SENT]


async def test_one_that_cannot_be_counted_by_a_fault_of_ours_keeps_no_other_back(stage):
    river = stage.river
    bad, good = hold(river, *PEOPLE[:2])
    worker = stage.worker
    settle = Releases.settle

    async def faulty(self, connection, work, now):
        if work.claimed.message_id == bad:
            raise KeyError("ours")
        return await settle(self, connection, work, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Releases, "settle", faulty)
        made = worker()
        await stage.until_state(good, State.SENT)
        await stage.until(lambda: made.counters.broken == 1)
    assert (river.state(bad), orders(river)) == (State.HELD, 1)


async def test_what_was_scheduled_for_later_goes_at_its_time(stage):
    """Two people say that it may go, not that it goes sooner; it is counted in its own hour already."""
    river = stage.river
    (message,) = hold(river, PEOPLE[0])
    river.database.run("UPDATE spool SET counted = now_v1() + interval '5 hours'")
    worker = stage.worker()
    await stage.until(lambda: river.state(message) is State.QUEUED and not worker.desk.hand)
    row = river.spooled(message)
    assert row["due"] == row["counted"]
    assert row["state"] == State.QUEUED
    assert (orders(river), used(river), stage.got()) == (0, [], [])
    assert river.told(message) == [Kind.RELEASED]
    river.database.fill("UPDATE installation SET clock_offset = clock_offset + interval '5 hours'")
    await stage.until_state(message, State.SENT)
