"""Limits: a window is a UTC hour or the client's own day, wherever that is; and never one message more than it holds."""

import asyncio
from collections import Counter as Sum
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import make_firm
from tests.support.history import now, within_a_day

from troth.flow.gate import limits
from troth.flow.gate.asks import Refused, Taken
from troth.store import gate as store
from troth.store.connection import connect

__all__ = ["gate"]
ZONES = sorted(available_timezones() - {"localtime"})
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 30), timezones=st.just(UTC))


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_day_is_the_clients_own_whatever_its_clocks_do(due, zone):
    start, end = limits.day_of(due, zone)
    local = ZoneInfo(zone)
    assert start <= due < end
    assert timedelta(hours=20) < end - start < timedelta(hours=50), "a day that a zone skips takes its hours along"
    assert start.astimezone(local).date() == due.astimezone(local).date()
    assert (start - timedelta(microseconds=1)).astimezone(local).date() < due.astimezone(local).date()


@given(st.sampled_from(ZONES), st.integers(1990, 2037), st.integers(1, 12))
def test_days_follow_each_other_without_a_gap_across_the_ends_of_months(zone, year, month):
    windows = [limits.day_of(datetime(year, month, 1, 12, tzinfo=UTC) + timedelta(days=n), zone) for n in range(-2, 32)]
    for (_, before), (after, _) in pairwise(dict.fromkeys(windows)):
        assert before == after


@pytest.mark.parametrize(
    ("at", "zone", "hours"),
    [
        ("2026-03-29T12:00", "Europe/Berlin", 23),
        ("2026-10-25T12:00", "Europe/Berlin", 25),
        ("2026-11-01T12:00", "America/New_York", 25),
        ("2018-11-04T12:00", "America/Sao_Paulo", 23),  # this midnight was not: the clock went from 00:00 to 01:00
        ("2026-11-01T12:00", "America/Havana", 25),  # and this one was twice
        ("2028-02-29T12:00", "Europe/London", 24),
        ("2026-04-05T00:00", "Australia/Lord_Howe", 24.5),
    ],
)
def test_days_that_are_not_like_others(at, zone, hours):
    start, end = limits.day_of(datetime.fromisoformat(at).replace(tzinfo=UTC), zone)
    assert end - start == timedelta(hours=hours)


@given(MOMENTS)
def test_an_hour_is_utcs(due):
    start, end = limits.hour_of(due)
    assert start <= due < end
    assert (end - start, start.minute, start.utcoffset()) == (timedelta(hours=1), 0, timedelta(0))


# ---- never N + 1

HOUR = datetime(2027, 1, 10, 12, tzinfo=UTC)
TENANT = uuid4()
# What doors ask, one batch after the other: (which hour, by how many), under a cap; the clock steps back and forth
ASKS = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 8)), min_size=1, max_size=6), min_size=1, max_size=8
)


def _asked(subject: UUID, hour: int, amount: int, cap: int) -> limits.Asked:
    start = HOUR + timedelta(hours=hour)
    return limits.Asked(store.Counter(TENANT, 1, subject, start, cap), amount, start + timedelta(hours=1))


async def _door(connection, subject: UUID, asks: list[tuple[int, int]], caps: dict[int, int], taken: Sum[int]) -> None:
    """As the gate does it: reserve the whole, else share out what is locked, and put right what was not taken."""
    async with connection.transaction():
        asked = [_asked(subject, hour, amount, caps[hour]) for hour, amount in sorted(asks)]
        sums = Sum[int]()
        for one, (hour, _) in zip(asked, sorted(asks), strict=True):
            sums[hour] += one.amount
        amounts = [(_asked(subject, hour, 0, caps[hour]).counter, n) for hour, n in sorted(sums.items())]
        wanted = {c.key: n for c, n in amounts}
        after = await store.reserve(connection, amounts)
        used = {key: at - wanted[key] for key, at in after.items()}
        if short := [(c, n) for c, n in amounts if c.key not in after]:
            used |= await store.lock_counters(connection, short)
        shares = limits.Shares(used, {key: wanted[key] for key in after})
        for one, (hour, amount) in zip(asked, sorted(asks), strict=True):
            rate = shares.rate(one)
            if rate.used + rate.asking <= rate.limit:
                shares.take([one])
                taken[hour] += amount
        for counter, n in shares.corrections([c for c, _ in amounts]):
            await store.give_back(connection, [(counter, -n)])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ASKS, st.dictionaries(st.sampled_from([0, 1, 2]), st.integers(1, 20), min_size=3))
def test_a_window_never_holds_one_more_than_its_limit(database, batches, caps):
    subject, taken = uuid4(), Sum[int]()

    async def run() -> None:
        doors = [await connect(database.conninfo("troth_flow"), f"door {n}") for n in range(2)]
        try:
            halves = [batches[0::2], batches[1::2]]
            await asyncio.gather(*(_all(door, half) for door, half in zip(doors, halves, strict=True)))
        finally:
            for door in doors:
                await door.close()

    async def _all(door, half) -> None:
        for asks in half:
            await _door(door, subject, asks, caps, taken)

    asyncio.run(run())
    rows = database.run("SELECT window_start, used, cap FROM rate_counter WHERE subject = %s", subject)
    for start, used, cap in rows:
        hour = (start - HOUR) // timedelta(hours=1)
        assert used == taken[hour] <= cap == caps[hour]
    for hour, cap in caps.items():
        wants = [n for batch in batches for h, n in batch if h == hour]
        assert taken[hour] == sum(wants) or sum(wants) > cap, "nothing is refused that there is room for"


async def test_a_clock_that_steps_back_finds_its_hour_as_spent_as_it_was(gate, operator):
    firm = make_firm(operator, limits=2)
    firm.person("ann@example.net")
    firm.person("bob@example.net")

    within_a_day(operator)
    base = now(operator).replace(minute=30, second=0, microsecond=0) + timedelta(hours=1)

    def step(minutes: int) -> None:
        at = base + timedelta(minutes=minutes)
        operator.admin.execute("UPDATE installation SET clock_offset = %s - clock_timestamp()", (at,))

    step(0)
    to = email(("ann@example.net", "bob@example.net"))
    assert isinstance(await gate.submit(ask(firm, to)), Taken)
    step(-1)
    refused = await gate.submit(ask(firm))
    assert isinstance(refused, Refused)
    step(-60)
    spent = await gate.submit(ask(firm))
    assert isinstance(spent, Refused), "the day is spent, though the hour before is not"
    assert spent.refusal.code in {"daily-limit-reached", "store-unavailable"}
    step(0)
    assert isinstance(await gate.submit(ask(firm)), Refused)
    (used, cap), *_ = operator.admin.execute("SELECT max(used), max(cap) FROM rate_counter").fetchall()
    assert used <= cap


@pytest.mark.parametrize(("plan", "hour"), [("free", 100), ("standard", 1000), ("plus", 5000)])
async def test_a_plan_decides_what_a_retail_client_may_send_in_an_hour(gate, operator, plan, hour):
    firm = make_firm(operator, profile="retail", limits=1_000_000)
    firm.person("ann@example.net", pathway="multi-step")
    operator.admin.execute("UPDATE tenant SET plan = %s WHERE id = %s", (plan, firm.tenant))
    operator.admin.execute(
        "INSERT INTO rate_counter VALUES (%s, 1, %s, date_trunc('hour', now_v1(), 'UTC'), %s, %s)",
        (firm.tenant, firm.tenant, hour - 1, hour),
    )
    last = await gate.submit(ask(firm))
    assert isinstance(last, Taken), last
    (rate,) = [r for r in last.rates if (r.scope, r.window) == ("tenant", "hour")]
    assert (rate.limit, rate.used) == (hour, hour)
    refused = await gate.submit(ask(firm))
    assert isinstance(refused, Refused)
    assert refused.refusal.code == "rate-limited"
