"""What the gate makes of a volume: exact to the message, for all three profiles, whoever accepts at the same time."""

import asyncio
from datetime import timedelta

import pytest
from tests.flow.gate.test_accept import ask, count, email, gate
from tests.support import history
from tests.support.firm import make_firm

from troth.flow.gate.asks import Refused, Taken
from troth.rules.profile import PROFILES

__all__ = ["gate"]
WEEK = [400] * 7


def states(operator):
    return dict(operator.admin.execute("SELECT state, count(*) FROM message GROUP BY 1").fetchall())


def pauses(operator):
    return operator.admin.execute("SELECT effect, started_by, reason FROM pause WHERE released_at IS NULL").fetchall()


def grown(operator, profile, recent):
    """A firm with a week of 400 a day, and `recent` messages in the last 24 hours."""
    firm = make_firm(operator, profile, profile)
    pathway = {"property": "confirmation-link", "construction": "confirmation-link", "retail": "multi-step"}[profile]
    firm.person("ann@example.net", pathway=pathway)
    history.past(operator, firm.tenant, WEEK)
    history.today(operator, firm.tenant, recent)
    return firm


async def send(gate, firm, n):
    return await asyncio.gather(*(gate.submit(ask(firm)) for _ in range(n)))


@pytest.mark.parametrize(
    ("profile", "threshold", "effect", "held"),
    [("property", 600, "stop-new", 3), ("construction", 800, "stop-delivery", 3), ("retail", 800, "slow", 0)],
)
async def test_the_first_message_past_the_threshold_is_where_it_stops(gate, operator, profile, threshold, effect, held):
    firm = grown(operator, profile, threshold - 2)
    assert all(isinstance(a, Taken) for a in await send(gate, firm, 2))
    assert pauses(operator) == []
    assert all(isinstance(a, Taken) for a in await send(gate, firm, 3))
    [(found, by, reason)] = pauses(operator)
    assert (found, by) == (effect, "anomaly")
    assert f"{threshold + 1} messages in 24 hours against a 7-day mean of 400.0" in reason
    assert states(operator).get(10, 0) == held
    assert count(operator, "held_mail") == held
    cause, n, of, due = operator.admin.execute("SELECT cause, n, of_n, review_due - at FROM anomaly").fetchone()
    assert (cause, n, of) == ("volume", threshold + 1, 2800)
    assert (
        due
        == {"property": timedelta(hours=4), "construction": timedelta(minutes=30), "retail": timedelta(hours=1)}[
            profile
        ]
    )
    kinds = operator.admin.execute(
        "SELECT kind FROM ledger_pending WHERE tenant_id = %s AND kind LIKE 'sending:%%' ORDER BY id", (firm.tenant,)
    ).fetchall()
    assert kinds == [("sending:pause:start",), ("sending:anomaly:raise",)]


async def test_many_at_once_do_not_pass_it_by_one(gate, operator):
    firm = grown(operator, "property", 580)
    await send(gate, firm, 60)
    assert states(operator) == {2: 20, 10: 40}
    recent, since, slots = operator.admin.execute(
        "SELECT g.recent, g.since, (SELECT sum(n) FROM volume_slot WHERE at > now_v1() - interval '10 minutes')"
        " FROM volume_gauge g"
    ).fetchone()
    assert (recent + since, slots) == (600, 60)  # what is held is no volume
    assert count(operator, "anomaly") == 1


async def test_two_doors_do_not_pass_it_by_one(gate, operator):
    from troth.flow.gate.accept import Gate
    from troth.store.connection import connect

    firm = grown(operator, "property", 580)
    other = Gate(
        lambda name: connect(operator.database.conninfo("troth_flow"), name), operator.keyring, operator.secrets
    )
    await other.start()
    try:
        await asyncio.gather(send(gate, firm, 40), send(other, firm, 40))
    finally:
        await other.stop()
    assert states(operator) == {2: 20, 10: 60}


async def test_an_email_to_many_goes_or_waits_as_one(gate, operator):
    firm = grown(operator, "property", 597)
    people = tuple(f"p{n}@example.net" for n in range(5))
    for address in people:
        firm.person(address)
    await gate.submit(ask(firm, email(people)))
    assert states(operator) == {10: 5}
    await gate.submit(ask(firm))  # the pause holds now, whatever would fit
    assert states(operator) == {10: 6}


async def test_what_is_refused_is_not_counted_and_what_a_policy_refuses_still_starts_the_pause(gate, operator):
    firm = grown(operator, "property", 600)
    operator.govern("policy", firm.tenant, "tenant", {"anomaly": {"new_mail": "refuse"}})
    answers = await send(gate, firm, 3)
    assert {a.refusal.code for a in answers if isinstance(a, Refused)} == {"anomaly-stop"}
    assert len([a for a in answers if isinstance(a, Refused)]) == 3
    assert operator.admin.execute("SELECT recent + since FROM volume_gauge").fetchone() == (600,)
    assert [effect for effect, _, _ in pauses(operator)] == ["stop-new"]


async def test_what_is_refused_for_another_reason_starts_no_pause(gate, operator):
    firm = grown(operator, "property", 600)
    stranger = await gate.submit(ask(firm, email("stranger@example.net")))
    assert stranger.refusal.code == "recipient-unverified"
    both = await gate.submit(ask(firm, email(), email("stranger@example.net")))
    assert both.refusal.code == "recipient-unverified"
    assert (pauses(operator), states(operator), count(operator, "held_mail")) == ([], {}, 0)
    assert operator.admin.execute("SELECT recent + since FROM volume_gauge").fetchone() == (600,)
    mixed = await gate.submit(ask(firm, email(), email("stranger@example.net"), permissive=True))
    assert isinstance(mixed, Taken)
    assert (len(pauses(operator)), states(operator)) == (1, {10: 1})


async def test_the_first_week_has_its_floor_and_a_small_client_too(gate, operator, firm):
    firm.person("ann@example.net")
    history.today(operator, firm.tenant, 999)
    await send(gate, firm, 1)
    assert states(operator) == {2: 1}
    await send(gate, firm, 1)
    assert states(operator) == {2: 1, 10: 1}


async def test_a_small_client_of_a_week_has_the_smaller_floor(gate, operator, firm):
    firm.person("ann@example.net")
    history.past(operator, firm.tenant, [1] * 8)
    history.today(operator, firm.tenant, 199)
    await send(gate, firm, 2)
    assert states(operator) == {2: 1, 10: 1}


async def test_a_daily_batch_at_the_same_time_is_usual(gate, operator, firm):
    """Windows of 24 hours end with their five minutes, so that yesterday's batch is not counted beside today's."""
    firm.person("ann@example.net")
    moment = history.now(operator)
    for day in range(1, 8):
        history.slot(operator, firm.tenant, moment - timedelta(days=day), 1000)
    await send(gate, firm, 3)
    assert states(operator) == {2: 3}
    assert operator.admin.execute("SELECT recent + since, previous FROM volume_gauge").fetchone() == (3, [1000] * 7)


async def test_a_clock_that_goes_back_forgets_nothing(gate, operator):
    firm = grown(operator, "property", 599)
    await send(gate, firm, 1)
    history.move(operator, -timedelta(hours=30))
    operator.admin.execute("UPDATE person SET verified_at = now_v1() - interval '1 day'")
    await send(gate, firm, 1)
    assert states(operator) == {2: 1, 10: 1}


async def test_a_gauge_that_is_late_is_counted_anew_by_whoever_accepts(gate, operator):
    firm = grown(operator, "property", 600)
    history.move(operator, timedelta(hours=25))  # yesterday's 600 are of the week now
    firm.domain_ready()
    await send(gate, firm, 1)
    assert states(operator) == {2: 1}
    recent, previous = operator.admin.execute("SELECT recent + since, previous FROM volume_gauge").fetchone()
    assert (recent, previous[0]) == (1, 600)


@pytest.mark.parametrize("hours", [5, 25, 200])
async def test_a_clock_that_goes_ahead_forgets_nothing(gate, operator, hours):
    firm = grown(operator, "property", 599)
    await send(gate, firm, 1)
    operator.admin.execute(
        "INSERT INTO volume_doubt VALUES (true, clock_timestamp() + interval '1 day', make_interval(hours => %s))",
        (hours,),
    )
    history.move(operator, timedelta(hours=hours))
    firm.domain_ready()
    await send(gate, firm, 1)
    assert states(operator) == {2: 1, 10: 1}
    assert operator.admin.execute("SELECT recent + since, previous FROM volume_gauge").fetchone() == (
        600,
        WEEK,
    )  # and one is held


async def test_test_keys_and_troths_own_mail_are_not_counted(gate, operator):
    firm = grown(operator, "property", 600)
    operator.admin.execute("UPDATE api_key SET mode = 2")
    assert isinstance((await send(gate, firm, 1))[0], Taken)
    assert (pauses(operator), states(operator)) == ([], {12: 1})


def test_there_is_a_case_for_each_profile():
    assert set(PROFILES) == {"property", "construction", "retail"}
