"""The watch finds what no accepting shows, tells once, and carries out what two people decided of held mail."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.gate.test_accept import ask, email, gate
from tests.flow.gate.test_volumes import count, grown, pauses, send, states
from tests.support import history
from tests.support.firm import make_firm

from troth.flow.gate.accept import Gate
from troth.flow.gate.recall import opener
from troth.flow.gate.watch import Clock, Held, Own, Watch, duties
from troth.store import volumes

__all__ = ["gate"]


@pytest.fixture
async def connection(database):
    made = await database.connect("test")
    yield made
    await made.close()


def told(operator):
    return operator.admin.execute(
        "SELECT split_part(about, ' ', 2), count(*) FROM access_notice WHERE template = 'sending-unusual' GROUP BY 1"
    ).fetchall()


def gauge(operator, firm):
    operator.admin.execute(
        "INSERT INTO volume_gauge (tenant_id, first_at, counted_at, recent, previous)"
        " VALUES (%s, now_v1() - interval '30 days', now_v1() - interval '1 hour', 0, '{}') ON CONFLICT DO NOTHING",
        (firm.tenant,),
    )


def tally(operator, tenant, **kinds):
    numbers = {"sent": 8, "bounced": 11, "complained": 14}
    for name, n in kinds.items():
        operator.admin.execute(
            "INSERT INTO event_tally VALUES (%s, date_trunc('hour', now_v1(), 'UTC') - interval '1 hour', %s, %s)",
            (tenant, numbers[name], n),
        )


@pytest.mark.parametrize(
    ("profile", "at", "effect"),
    [("property", 600, "stop-new"), ("construction", 800, "stop-delivery"), ("retail", 800, "slow")],
)
async def test_the_threshold_passes_and_one_more_is_raised_once_and_told_once(
    operator, connection, profile, at, effect
):
    firm = grown(operator, profile, at)
    gauge(operator, firm)
    watch = Watch()
    assert await watch.look(connection) == 0
    history.today(operator, firm.tenant, 1)
    gauge(operator, firm)
    assert (await watch.look(connection), await watch.look(connection)) == (1, 0)
    assert [p[:2] for p in pauses(operator)] == [(effect, "anomaly")]
    hours = operator.admin.execute("SELECT hours FROM anomaly").fetchone()[0]
    assert (len(hours), sum(hours)) == (240, 2800 + at + 1)
    assert told(operator) == [("raised", 2)]  # both owners
    percent, floor, action = operator.admin.execute("SELECT percent, floor, action FROM volume_gauge").fetchone()
    assert (percent, floor, action) == (150 if profile == "property" else 200, 200, effect)


async def test_a_review_that_nobody_did_is_told_once_more_and_a_look_is_a_review(operator, connection):
    firm = grown(operator, "construction", 900)
    gauge(operator, firm)
    watch = Watch()
    assert await watch.look(connection) == 1
    history.move(operator, timedelta(minutes=29))
    await watch.look(connection)
    assert told(operator) == [("raised", 2)]
    history.move(operator, timedelta(minutes=2))
    await watch.look(connection)
    await watch.look(connection)
    assert sorted(told(operator)) == [("overdue", 2), ("raised", 2)]
    [anomaly] = operator.admin.execute("SELECT id FROM anomaly").fetchone()
    operator.control.execute("SELECT anomaly_look_v1(%s, 'A launch; it stays', %s)", (anomaly, operator.sessions[0]))
    kinds = operator.admin.execute("SELECT kind FROM ledger_pending WHERE kind LIKE 'sending:anomaly:%'").fetchall()
    assert kinds == [("sending:anomaly:raise",), ("sending:anomaly:look",)]


async def test_a_look_within_the_time_makes_no_second_alert(operator, connection):
    firm = grown(operator, "construction", 900)
    gauge(operator, firm)
    watch = Watch()
    await watch.look(connection)
    [anomaly] = operator.admin.execute("SELECT id FROM anomaly").fetchone()
    operator.control.execute("SELECT anomaly_look_v1(%s, 'A launch', %s)", (anomaly, operator.sessions[0]))
    history.move(operator, timedelta(hours=2))
    await watch.look(connection)
    assert told(operator) == [("raised", 2)]


async def test_bounces_and_complaints_are_weighed_from_a_sample_on(operator, connection):
    watch = Watch()
    for code, kinds, found in (
        ("few", {"sent": 80, "bounced": 19}, None),
        ("exact", {"sent": 90, "bounced": 10}, None),
        ("bad", {"sent": 89, "bounced": 11}, "bounce"),
        ("disliked", {"sent": 300, "complained": 1}, "complaint"),
        ("liked", {"sent": 400, "complained": 1}, None),
    ):
        firm = make_firm(operator, code)
        gauge(operator, firm)
        tally(operator, firm.tenant, **kinds)
        await watch.look(connection)
        rows = operator.admin.execute(
            "SELECT cause, action FROM anomaly WHERE tenant_id = %s", (firm.tenant,)
        ).fetchall()
        assert rows == ([(found, "stop-new")] if found else []), code


async def test_what_two_people_let_pass_is_no_news_for_a_day(gate, operator, connection):
    firm = grown(operator, "property", 700)
    await send(gate, firm, 1)
    assert len(pauses(operator)) == 1
    release(operator, firm, {})
    await Watch().look(connection)
    await send(gate, firm, 5)
    assert (pauses(operator), states(operator)) == ([], {2: 5, 10: 1})
    history.slot(operator, firm.tenant, history.now(operator), 500)
    operator.admin.execute("UPDATE volume_gauge SET reviewed = 701, reviewed_at = now_v1()")
    gauge(operator, firm)
    operator.admin.execute("UPDATE volume_gauge SET reviewed = 701, reviewed_at = now_v1()")
    assert await Watch().look(connection) == 1  # beyond 150 % of what they saw


@pytest.mark.parametrize("lift", [{"held": "refuse", "lift": True}, {"held": "release", "lift": True}, {}])
async def test_what_was_held_is_no_volume_to_grow_from(gate, operator, connection, lift):
    firm = grown(operator, "property", 590)
    await send(gate, firm, 60)  # 600 pass, 50 are held
    release(operator, firm, lift)
    held = Held(opener(operator.keyring))
    await held.work(connection)
    await claim_all(operator, connection)
    await held.work(connection)
    counted = operator.admin.execute("SELECT recent + since, reviewed FROM volume_gauge").fetchone()
    assert counted == (600, 600)
    await recount(connection, firm)
    assert operator.admin.execute("SELECT recent, since FROM volume_gauge").fetchone() == (600, 0)
    operator.admin.execute("UPDATE volume_slot SET n = n + 295 WHERE at = (SELECT max(at) FROM volume_slot)")
    await recount(connection, firm)
    await send(gate, firm, 10)
    assert len(pauses(operator)) == 1  # 150 % of the 600 that passed, not of the 650 that came


async def test_what_was_refused_does_not_raise_the_mean(gate, operator, connection):
    firm = grown(operator, "property", 590)
    await send(gate, firm, 60)
    release(operator, firm, {"held": "refuse", "categories": [str(firm.category)]})
    held = Held(opener(operator.keyring))
    await held.work(connection)
    await held.work(connection)
    history.move(operator, timedelta(hours=24))
    await recount(connection, firm)
    [(recent, [yesterday, *_])] = operator.admin.execute("SELECT recent, previous FROM volume_gauge").fetchall()
    assert (recent, yesterday) == (0, 600)


@pytest.mark.parametrize("cause", ["bounce", "complaint"])
async def test_a_share_that_was_reviewed_says_nothing_of_volumes(gate, operator, connection, cause):
    firm = make_firm(operator)
    gauge(operator, firm)
    tally(
        operator, firm.tenant, **({"sent": 89, "bounced": 11} if cause == "bounce" else {"sent": 300, "complained": 1})
    )
    await Watch().look(connection)
    assert operator.admin.execute("SELECT cause FROM anomaly").fetchall() == [(cause,)]
    release(operator, firm, {})
    assert operator.admin.execute("SELECT reviewed FROM volume_gauge").fetchall() == [(0,)]


async def recount(connection, firm):
    async with connection.transaction():
        await volumes.lock(connection, [firm.tenant], datetime.now(UTC))
        await connection.execute("SELECT volume_recount_v1(%s)", ([firm.tenant],))


async def test_two_clients_and_one_without_a_policy(operator, connection):
    firm = grown(operator, "property", 900)
    other = make_firm(operator, "other")
    gauge(operator, firm)
    gauge(operator, other)
    operator.admin.execute("SET session_replication_role = replica")
    operator.admin.execute("DELETE FROM governed WHERE code = 'programme:p-other'")
    operator.admin.execute("SET session_replication_role = origin")
    assert await Watch().look(connection) == 1


async def test_an_own_policy_that_is_looser_rules_nothing(operator, connection):
    firm = grown(operator, "property", 900)
    gauge(operator, firm)
    operator.govern("policy", firm.tenant, "tenant", {"anomaly": {"percent": 120}})
    operator.govern("policy", None, "operator", {"anomaly": {"percent": 110}})  # the client's is looser now
    assert await Watch().look(connection) == 0


async def test_a_clock_that_jumps_is_doubted_for_a_day(operator, connection):
    passed = [0.0, 1.0, 2.0, 3600.0]
    clock = Clock(lambda: passed.pop(0))
    assert [await clock.look(connection) for _ in range(4)] == [False, False, False, True]
    until, ahead = operator.admin.execute("SELECT until, ahead FROM volume_doubt").fetchone()
    assert ahead == timedelta(0)  # the clock stood still while an hour passed: it fell behind
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)


async def test_a_clock_that_goes_ahead_and_comes_back_is_where_it_was(operator, connection):
    from troth.store import volumes

    for ahead, sum_of_it in ((5, 5), (3, 8), (-8, 0), (-1, 0)):
        await volumes.doubt(connection, timedelta(hours=ahead))
        assert operator.admin.execute("SELECT ahead FROM volume_doubt").fetchone() == (timedelta(hours=sum_of_it),)
    operator.admin.execute("UPDATE volume_doubt SET until = clock_timestamp(), ahead = '4 hours'")
    await volumes.doubt(connection, timedelta(hours=2))
    assert operator.admin.execute("SELECT ahead FROM volume_doubt").fetchone() == (timedelta(hours=2),)


# ---- held mail


def release(operator, firm, artefact):
    """Two people decide about the pause's mail."""
    [pause] = operator.admin.execute(
        "SELECT id FROM pause WHERE tenant_id = %s ORDER BY started_at DESC LIMIT 1", (firm.tenant,)
    ).fetchone()
    return operator.govern("release", firm.tenant, str(pause), artefact, pause)


def outcomes(operator):
    return dict(operator.admin.execute("SELECT outcome, count(*) FROM held_mail GROUP BY 1").fetchall())


def held_of(operator):
    return [m for (m,) in operator.admin.execute("SELECT message_id FROM held_mail ORDER BY 1").fetchall()]


async def claim_all(operator, connection):
    """What delivery does of held mail: released ones are queued, those whose time is over expire."""
    from troth.flow import events
    from troth.rules.states import Kind, State
    from troth.store import events as told_store
    from troth.store import gate as gate_store
    from troth.store import spool

    now = await gate_store.now(connection)
    lease = timedelta(minutes=1)
    claims = await spool.claim(connection, now=now, floor=datetime(2000, 1, 1, tzinfo=UTC), limit=100, lease=lease)
    settlements = []
    for c in claims:

        def happened(kind, c=c):
            return (events.Happening(c.message_id, c.tenant_id, kind, f"claim:{c.token}", None),)

        if c.lifetime_ends <= now:
            settlements.append(events.Settlement(c.token, happened(Kind.EXPIRED), State.EXPIRED))
        elif c.released:
            kept = told_store.Kept(c.message_id, int(State.QUEUED), now + timedelta(days=60), None, 0, None, 0)
            settlements.append(events.Settlement(c.token, happened(Kind.RELEASED), State.QUEUED, kept))
    await events.settle(connection, settlements, now)


async def test_all_a_part_by_template_or_by_message_and_refusal(gate, operator, connection):
    firm = grown(operator, "property", 600)
    raw = email(template=None, variables=None, subject="x", text="y", tags={"category": "rent"})
    await send(gate, firm, 4)
    for _ in range(3):
        await gate.submit(ask(firm, raw))
    held = Held(opener(operator.keyring))
    release(operator, firm, {"held": "release", "templates": [str(firm.template)]})
    assert await held.work(connection) == 4
    await claim_all(operator, connection)
    await held.work(connection)
    assert outcomes(operator) == {1: 4, None: 3}
    assert len(pauses(operator)) == 1  # a part leaves the pause
    left = [m for m in held_of(operator) if states_of(operator, m) == 10]
    release(operator, firm, {"held": "refuse", "messages": [str(left[0])]})
    await held.work(connection)
    await held.work(connection)
    assert outcomes(operator) == {1: 4, 2: 1, None: 2}
    detail = operator.admin.execute("SELECT source_key FROM event WHERE kind = 6").fetchall()
    assert [d[0].startswith("release:") for d in detail] == [True]
    release(operator, firm, {"held": "refuse", "categories": [str(firm.category)], "lift": True})
    await held.work(connection)
    await held.work(connection)
    assert outcomes(operator) == {1: 4, 2: 3}
    assert pauses(operator) == []
    assert count(operator, "held_order") == 3
    assert operator.admin.execute("SELECT sum(n), count(done_at) FROM held_order").fetchone() == (7, 3)
    await Watch().look(connection)


def states_of(operator, message):
    return operator.admin.execute("SELECT state FROM message WHERE id = %s", (message,)).fetchone()[0]


async def test_mail_held_after_the_decision_is_not_meant(gate, operator, connection):
    firm = grown(operator, "property", 600)
    await send(gate, firm, 2)
    release(operator, firm, {"held": "refuse"})
    await send(gate, firm, 2)
    held = Held(opener(operator.keyring))
    assert await held.work(connection) == 2
    await held.work(connection)
    assert outcomes(operator) == {2: 2, None: 2}


async def test_nothing_to_release_is_refused_in_words(operator, firm):
    import psycopg

    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'x', 'anomaly')", ([firm.tenant],))
    release(operator, firm, {})
    with pytest.raises(psycopg.Error, match="nothing held or paused"):
        release(operator, firm, {})
    release(operator, firm, {"held": "release"})  # mail that a lifted pause held is still decided about


async def sent(operator, firm, n):
    """By a gate of its own, whose memory is in no example's report."""
    made = Gate(lambda name: operator.database.connect(name), operator.keyring, operator.secrets)
    await made.start()
    try:
        await send(made, firm, n)
    finally:
        await made.stop()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["send", "release", "refuse", "one", "refuse-one", "claim", "lift"]), max_size=8))
async def test_every_held_message_ends_released_refused_or_expired(operator, connection, steps):
    firm = grown_once(operator)
    held = Held(opener(operator.keyring))
    before = set(held_of(operator))
    for step in steps:
        waiting = [m for m in held_of(operator) if states_of(operator, m) == 10]
        if step == "send":
            await sent(operator, firm, 2)
        elif step == "claim":
            await claim_all(operator, connection)
        elif step == "lift" and of_firm(operator, firm, "AND released_at IS NULL"):
            release(operator, firm, {})
        elif step in ("release", "refuse") and of_firm(operator, firm):
            release(operator, firm, {"held": step})
        elif step in ("one", "refuse-one") and waiting:
            release(operator, firm, {"held": "release" if step == "one" else "refuse", "messages": [str(waiting[0])]})
        await held.work(connection)
    over = "UPDATE spool SET due = now_v1(), lifetime_ends = now_v1() WHERE tenant_id = %s AND state = 10"
    operator.admin.execute(over, (firm.tenant,))
    await claim_all(operator, connection)
    for _ in range(3):
        await held.work(connection)
    mine = [m for m in held_of(operator) if m not in before]
    rows = operator.admin.execute(
        "SELECT h.outcome, m.state, s.message_id FROM held_mail h JOIN message m ON m.id = h.message_id"
        " LEFT JOIN spool s ON s.message_id = m.id WHERE h.message_id = ANY(%s)", (mine,)
    ).fetchall()  # fmt: skip
    assert len(rows) == len(mine)
    for outcome, state, spooled in rows:
        assert (outcome, state, spooled is None) in {(1, 2, False), (1, 13, True), (2, 12, True), (3, 13, True)}


def of_firm(operator, firm, more=""):
    query = f"SELECT count(*) FROM pause WHERE tenant_id = %s {more}"
    return operator.admin.execute(query, (firm.tenant,)).fetchone()[0]


def grown_once(operator):
    code = f"f{uuid4().hex[:8]}"
    firm = make_firm(operator, code)
    firm.person("ann@example.net")
    history.past(operator, firm.tenant, [400] * 7)
    history.today(operator, firm.tenant, 600)
    return firm


async def test_the_duties_have_their_own_connection(operator, database):
    own = Own(lambda name: database.connect(name))
    await own.close()
    names = []
    for name, every, run in duties(own, opener(operator.keyring)):
        await run(None)
        names.append((name, every > 0))
    await own.close()
    await duties(own, opener(operator.keyring))[1][2](None)  # opened again
    await own.close()
    assert len(names) == 4
