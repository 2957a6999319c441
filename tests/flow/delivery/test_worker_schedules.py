"""What goes by the clock: nights, category lifetimes, warm-up, and holds that end by themselves, through a real worker."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from troth.flow.gate import limits
from troth.rules.states import Kind, State
from troth.store import gate, spool

NIGHT = {"quiet": {"hours": ["00", "01", "02", "03", "04", "05", "06", "07", "21", "22", "23"]}}
DAY = datetime(2027, 1, 11, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ten_past_noon(river):
    clock(river, DAY.replace(hour=12, minute=10))


def clock(river, at: datetime) -> datetime:
    river.database.fill("UPDATE installation SET clock_offset = %s::timestamptz - clock_timestamp()", at)
    return at


def where(river, address: str, zone: str | None) -> str:
    river.person(address)
    river.database.fill("UPDATE person SET timezone = %s WHERE id = %s", zone, river.people[address].id)
    return address


def due_now(river) -> None:
    river.database.run(
        "UPDATE spool SET due = now_v1(), counted = now_v1(), lifetime_ends = now_v1() + interval '3 days'"
    )


def used(river, scope: int = limits.TENANT_HOUR) -> dict[datetime, int]:
    rows = river.database.run("SELECT window_start, used FROM rate_counter WHERE scope = %s AND used > 0", scope)
    return dict(rows)


def due(river, message) -> datetime:
    return river.database.run("SELECT due FROM spool WHERE message_id = %s", message)[0][0]


# ---- quiet hours


async def test_a_message_that_falls_into_the_night_waits_for_the_morning(stage):
    """A retry, a backlog, a reschedule: whatever brought it here, it is held, and goes by itself."""
    river = stage.river
    river.add_category(**NIGHT)
    (message,) = river.queue(where(river, "tokyo@home.example", "Asia/Tokyo"))  # 21:10 there
    due_now(river)
    stage.worker()
    await stage.until_state(message, State.HELD)
    assert due(river, message) == DAY.replace(hour=23)
    assert river.events(message)[0] == (
        Kind.HELD,
        {
            "reason": "quiet-hours",
            "sentence": "The recipient's quiet hours last; it goes when they end.",
            "until": "2027-01-11T23:00:00+00:00",
        },
    )
    clock(river, DAY.replace(hour=23, minute=1))
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.HELD, Kind.QUEUED, Kind.SENT]
    assert used(river) == {DAY.replace(hour=23): 1}, "counted anew, in the hour in which it went"


async def test_it_is_the_clients_night_where_nobody_said_which_the_recipients_is(stage):
    river = stage.river
    river.add_category(**NIGHT)
    (message,) = river.queue(where(river, "a@home.example", None))  # the client is in Berlin: 13:10
    due_now(river)
    stage.worker()
    await stage.until_state(message, State.SENT)


async def test_the_mark_itself_sees_the_night_begin(river):
    """Composed at 20:59:59, marked at 21:00:00: not sent."""
    river.add_category(**NIGHT)
    (message,) = river.queue(where(river, "a@home.example", "UTC"))
    due_now(river)
    async with await river.database.connect("test") as connection:
        now = await gate.now(connection)
        lease = timedelta(seconds=60)
        (claim,) = await spool.claim(connection, now=now, floor=now - timedelta(days=1), limit=9, lease=lease)
        claims = [(claim.message_id, claim.token)]
        early = DAY.replace(hour=12)
        verdicts = await spool.mark(connection, claims=claims, lease=lease, route="relay", quiet_from=[early])
        assert verdicts == {message: 10}
        verdicts = await spool.mark(connection, claims=claims, lease=lease, route="relay", quiet_from=[now + lease])
        assert verdicts == {message: 0}


# ---- lifetimes


async def test_a_code_that_is_ten_minutes_old_is_not_sent(stage):
    river = stage.river
    (old,) = river.queue("old@home.example")
    (young,) = river.queue("young@home.example")
    river.database.run("UPDATE spool SET due = now_v1(), lifetime_ends = now_v1() + interval '10 minutes'")
    river.database.run("UPDATE spool SET lifetime_ends = now_v1() WHERE message_id = %s", old)
    stage.worker()
    await stage.until_state(old, State.EXPIRED)
    await stage.until_state(young, State.SENT)
    assert stage.got("old@home.example") == []


async def test_the_mark_sees_a_life_end_that_the_claim_did_not(river):
    (message,) = river.queue("a@home.example")
    due_now(river)
    async with await river.database.connect("test") as connection:
        now = await gate.now(connection)
        lease = timedelta(seconds=60)
        (claim,) = await spool.claim(connection, now=now, floor=now - timedelta(days=1), limit=9, lease=lease)
        river.database.run("UPDATE spool SET lifetime_ends = now_v1()")
        verdicts = await spool.mark(connection, claims=[(message, claim.token)], lease=lease, route="relay")
        assert verdicts == {message: 7}


async def test_a_night_that_outlasts_a_code_ends_its_life_not_its_peace(stage):
    river = stage.river
    river.add_category(**NIGHT)
    (message,) = river.queue(where(river, "tokyo@home.example", "Asia/Tokyo"))
    river.database.run("UPDATE spool SET due = now_v1(), lifetime_ends = now_v1() + interval '10 minutes'")
    stage.worker()
    await stage.until_state(message, State.HELD)
    clock(river, DAY.replace(hour=12, minute=25))
    await stage.until_state(message, State.EXPIRED)
    assert stage.got() == []


# ---- holds that end by themselves


async def test_a_hold_that_ended_in_a_later_hour_is_counted_there_once(stage):
    river = stage.river
    (message,) = river.queue("a@home.example")
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 10, due = now_v1(), counted = now_v1() - interval '1 hour',"
                       " lifetime_ends = now_v1() + interval '3 days'")  # fmt: skip
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.QUEUED, Kind.SENT]
    assert used(river) == {DAY.replace(hour=12): 1}


async def test_a_hold_that_ended_in_the_hour_it_was_counted_in_is_not_counted_again(stage):
    river = stage.river
    (message,) = river.queue("a@home.example")
    river.database.fill("UPDATE message SET state = 10")
    due_now(river)
    river.database.run("UPDATE spool SET state = 10")
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert used(river) == {}


async def test_a_hold_that_lasts_takes_nothing_from_any_hour(stage):
    """Asked again every few minutes while sending is paused, through hours: the limits are untouched."""
    river = stage.river
    (message,) = river.queue("a@home.example")
    due_now(river)
    river.database.fill("SELECT pause_v1(ARRAY[%s::uuid], 'stop-delivery', 'look first', 'operator')", river.tenant)
    stage.worker()
    await stage.until_state(message, State.HELD)
    for hour in (13, 14, 15):
        before = river.spooled(message)["token"]
        clock(river, DAY.replace(hour=hour, minute=20))
        await stage.until(lambda before=before: river.spooled(message)["token"] > before + 1)
    assert used(river) == {}
    assert river.told(message) == [Kind.HELD]
    river.database.fill("UPDATE pause SET released_at = now_v1(), release_change = (SELECT id FROM change LIMIT 1)")
    clock(river, DAY.replace(hour=16, minute=20))
    await stage.until_state(message, State.SENT)
    assert used(river) == {DAY.replace(hour=16): 1}


async def test_a_hold_that_ended_waits_on_when_the_later_hour_is_full(stage):
    river = stage.river
    river.add_category(limits={"tenant_hour": 2})
    (message,) = river.queue("a@home.example")
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 10, due = now_v1(), counted = now_v1() - interval '2 hours',"
                       " lifetime_ends = now_v1() + interval '3 days'")  # fmt: skip
    river.database.fill("INSERT INTO rate_counter VALUES (%s, 1, %s, %s, 2, 2)", river.tenant, river.tenant,
                        DAY.replace(hour=12))  # fmt: skip
    stage.worker()
    await stage.until(lambda: river.told(message) == [Kind.HELD])
    assert due(river, message) == DAY.replace(hour=13)
    assert "Its hold is over, but its tenant has no room left in this hour" in river.events(message)[0][1]["sentence"]
    clock(river, DAY.replace(hour=13, minute=1))
    await stage.until_state(message, State.SENT)
    assert used(river) == {DAY.replace(hour=12): 2, DAY.replace(hour=13): 1}


# ---- warm-up


def warm_up(river, *caps: int, starts: str = "2027-01-11", **more) -> None:
    river.approve("route", uuid4(), "relay", {"starts": starts, "caps": list(caps), **more}, tenant=None)


def days(river) -> dict[str, tuple[int, int]]:
    return {f"{d:%m-%d}": (u, c) for d, u, c in river.database.run("SELECT day, used, cap FROM route_day ORDER BY day")}


async def test_a_route_that_is_warmed_up_sends_its_days_number_and_the_rest_tomorrow(stage):
    river = stage.river
    warm_up(river, 3, 5)
    ids = river.queue("a@home.example", copies=10)
    due_now(river)
    stage.worker()
    stage.worker()
    await stage.until(lambda: river.states() == {State.SENT: 3, State.HELD: 7})
    held = next(i for i in ids if river.state(i) is State.HELD)
    assert due(river, held) == DAY + timedelta(days=1)
    assert river.events(held)[0][1]["reason"] == "warm-up"
    assert days(river) == {"01-11": (3, 3)}
    clock(river, DAY + timedelta(days=1, minutes=5))
    await stage.until(lambda: river.states() == {State.SENT: 8, State.HELD: 2}, 30)
    assert days(river) == {"01-11": (3, 3), "01-12": (5, 5)}
    clock(river, DAY + timedelta(days=2, minutes=5))
    await stage.until_all(State.SENT)
    assert days(river) == {"01-11": (3, 3), "01-12": (5, 5)}, "after its last day a route has no number"


async def test_before_its_first_day_a_route_sends_nothing(stage):
    river = stage.river
    warm_up(river, 3, starts="2027-01-12")
    (message,) = river.queue("a@home.example")
    due_now(river)
    stage.worker()
    await stage.until_state(message, State.HELD)
    assert days(river) == {"01-11": (0, 0)}


async def test_a_schedule_that_was_stopped_lets_nothing_through_and_one_that_was_ended_everything(stage):
    river = stage.river
    subject = uuid4()
    river.approve("route", subject, "relay", {"starts": "2027-01-11", "caps": [5]}, tenant=None)
    assert river.database.run("SELECT route_cap_v1('relay', now_v1())")[0][0] == 5
    assert river.database.run("SELECT route_cap_v1('other', now_v1())")[0][0] is None
    river.database.fill("UPDATE governed SET retired = true WHERE subject = %s", subject)
    assert river.database.run("SELECT route_cap_v1('relay', now_v1())")[0][0] is None
    river.database.fill(
        "INSERT INTO revocation (snapshot_id, revoked_by, revoked_at, reason) VALUES (%s, %s, now_v1(), 'stop')",
        river.snapshots[subject], river.humans[0],
    )  # fmt: skip
    assert river.database.run("SELECT route_cap_v1('relay', now_v1())")[0][0] == 0


async def test_a_number_that_is_lowered_during_the_day_gives_nothing_more(stage):
    river = stage.river
    river.database.fill("INSERT INTO route_day VALUES ('relay', '2027-01-11', 9, 7, 1, 1)")
    warm_up(river, 3)
    (message,) = river.queue("a@home.example")
    due_now(river)
    stage.worker()
    await stage.until_state(message, State.HELD)
    assert days(river) == {"01-11": (7, 7)}
