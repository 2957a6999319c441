"""Quiet hours at the gate: held until the recipient's morning, and counted in the hour in which the message goes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import make_firm

from troth.flow.gate import limits
from troth.flow.gate.asks import Refused, Taken
from troth.flow.gate.recall import Recall
from troth.rules.states import State

__all__ = ["gate"]
NIGHT = ["00", "01", "02", "03", "04", "05", "06", "07", "21", "22", "23"]


def clock(operator, at: str) -> datetime:
    """Sets the database's clock."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    operator.admin.execute("UPDATE installation SET clock_offset = %s::timestamptz - clock_timestamp()", (moment,))
    return moment


def quiet(operator, firm, **limits_of) -> None:
    """The category's own policy: nothing at night."""
    artefact = json.loads(
        operator.admin.execute("SELECT s.artefact FROM snapshot s JOIN governed g ON g.snapshot_id = s.id"
                               " WHERE g.subject = %s", (firm.category,)).fetchone()[0]
    )  # fmt: skip
    policy = {"quiet": {"hours": NIGHT}, **({"limits": limits_of} if limits_of else {})}
    operator.govern("category", firm.tenant, "rent", {**artefact, "policy": policy}, firm.category)


def where(operator, firm, zone: str | None, address: str = "ann@example.net") -> None:
    firm.person(address)
    operator.admin.execute("UPDATE person SET timezone = %s WHERE id = %s", (zone, firm.people[address]))


def spooled(operator) -> list[tuple[int, datetime, datetime]]:
    return operator.admin.execute("SELECT state, due, counted FROM spool ORDER BY message_id").fetchall()


def windows(operator, scope: int = limits.TENANT_HOUR) -> dict[datetime, int]:
    found = "SELECT window_start, used FROM rate_counter WHERE scope = %s AND used > 0"
    return dict(operator.admin.execute(found, (scope,)).fetchall())


def ready(operator) -> None:
    """After a clock that went far: the domain is looked at, the key lives, the weeks have their partitions."""
    operator.admin.execute("SELECT make_partitions_v1()")
    operator.admin.execute(
        "UPDATE domain_state SET ready_until = '2100-01-01', checked_at = now_v1(), last_good_at = now_v1()"
    )
    operator.admin.execute("UPDATE api_key_secret SET ends_at = '2100-01-01'")


async def test_a_message_in_the_night_waits_for_the_morning_and_is_counted_there(gate, operator, firm):
    """Firm is in London; the recipient in Tokyo, where the winter's night ends at 23:00 UTC."""
    quiet(operator, firm)
    clock(operator, "2027-01-10T13:30")
    ready(operator)
    where(operator, firm, "Asia/Tokyo")
    assert isinstance(await gate.submit(ask(firm)), Taken)
    morning = datetime(2027, 1, 10, 23, 0, tzinfo=UTC)
    assert spooled(operator) == [(State.HELD, morning, morning)]
    assert windows(operator) == {morning: 1}
    assert windows(operator, limits.TENANT_DAY) == {datetime(2027, 1, 10, 0, 0, tzinfo=UTC): 1}


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        ("2027-03-28T00:30", "Europe/Berlin", "2027-03-28T06:00"),  # the night in which clocks spring forward
        ("2027-10-30T22:30", "Europe/Berlin", "2027-10-31T07:00"),  # and back
        ("2028-02-28T23:30", "UTC", "2028-02-29T08:00"),  # into a leap day
        ("2027-12-31T23:30", "UTC", "2028-01-01T08:00"),
    ],
)
async def test_the_nights_that_are_not_like_others(gate, operator, firm, at, zone, until):
    quiet(operator, firm)
    clock(operator, at)
    ready(operator)
    where(operator, firm, zone)
    answer = await gate.submit(ask(firm))
    assert isinstance(answer, Taken), answer
    morning = datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert [(s, d) for s, d, _ in spooled(operator)] == [(State.HELD, morning)]


async def test_recipients_of_one_email_wait_each_for_their_own_morning(gate, operator, firm):
    quiet(operator, firm)
    noon = clock(operator, "2027-01-10T12:30")
    ready(operator)
    where(operator, firm, "Asia/Tokyo", "tokyo@example.net")
    where(operator, firm, None, "london@example.net")
    where(operator, firm, "No/Where", "nowhere@example.net")  # a zone that a later tz database dropped
    taken = await gate.submit(ask(firm, email(("tokyo@example.net", "london@example.net", "nowhere@example.net"))))
    assert isinstance(taken, Taken)
    morning = datetime(2027, 1, 10, 23, 0, tzinfo=UTC)
    states = [s for s, _, _ in spooled(operator)]
    assert sorted(states) == [State.QUEUED, State.QUEUED, State.HELD]
    assert windows(operator) == {noon.replace(minute=0): 2, morning: 1}


async def test_the_later_hours_own_limit_refuses(gate, operator, firm):
    """All that is held goes in one hour, so that hour's limit counts, not tonight's."""
    quiet(operator, firm, tenant_hour=2)
    clock(operator, "2027-01-10T23:30")
    ready(operator)
    where(operator, firm, None)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    clock(operator, "2027-01-11T02:30")
    ready(operator)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    refused = await gate.submit(ask(firm))
    assert isinstance(refused, Refused)
    assert refused.refusal.code == "rate-limited"
    assert refused.refusal.retry_after == 6 * 3600 + 1800  # the end of that hour
    clock(operator, "2027-01-11T10:30")
    ready(operator)
    assert isinstance(await gate.submit(ask(firm)), Taken)


async def test_a_code_goes_in_the_night_for_its_category_has_no_quiet_hours(gate, operator, firm):
    clock(operator, "2027-01-10T23:30")
    ready(operator)
    where(operator, firm, None)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    assert [s for s, _, _ in spooled(operator)] == [State.QUEUED]


async def test_scheduled_mail_in_the_night_waits_too_and_may_get_another_time(gate, operator, firm):
    quiet(operator, firm)
    noon = clock(operator, "2027-01-10T12:30")
    ready(operator)
    where(operator, firm, None)
    taken = await gate.submit(ask(firm, email(scheduled_at=noon + timedelta(hours=10))))
    assert spooled(operator)[0][:2] == (State.HELD, datetime(2027, 1, 11, 8, 0, tzinfo=UTC))
    later = datetime(2027, 1, 11, 10, 0, tzinfo=UTC)
    assert await gate.reschedule(firm.tenant, taken.ids[0], later) is Recall.DONE
    assert spooled(operator) == [(State.QUEUED, later, later)]
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE


async def test_a_pause_by_the_watch_outlasts_the_night(operator, gate):
    """A hold for people has no end of its own, whatever else holds the message."""
    firm = make_firm(operator)
    quiet(operator, firm)
    clock(operator, "2027-01-10T23:30")
    ready(operator)
    where(operator, firm, None)
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'too much', 'anomaly')", ([firm.tenant],))
    taken = await gate.submit(ask(firm))
    assert isinstance(taken, Taken)
    state, due, ends = operator.admin.execute("SELECT state, due, lifetime_ends FROM spool").fetchone()
    assert (state, due) == (State.HELD, ends)
