"""A new time is judged as a new email would be: consent, the policy's days, quiet hours, limits; and what is called back or
moved gives back what it was counted in.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.flow.gate.test_consent import news
from tests.flow.gate.test_quiet_hours import clock, quiet, ready, spooled, where, windows
from tests.support.firm import make_firm, now
from tests.support.marking import asked_to_mark

from troth.flow.gate import limits
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Refused, Taken
from troth.flow.gate.recall import Recall
from troth.rules.mark import MarkVerdict
from troth.rules.states import Kind, State
from troth.store.connection import connect

__all__ = ["gate", "news"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def life(operator):
    return operator.admin.execute("SELECT lifetime_ends FROM spool").fetchone()[0]


def pass_time(operator, firm, until):
    operator.admin.execute("UPDATE installation SET clock_offset = %s - clock_timestamp()", (until,))
    operator.admin.execute("SELECT make_partitions_v1()")
    firm.domain_ready()


async def marked(operator):
    return list((await asked_to_mark(operator.database)).values())


# ---- consent


async def test_no_new_time_outlives_the_consent(gate, news):
    ends = now() + 3 * HOUR
    news.record(2, "inquiry", at=now() - DAY, expires=ends)
    taken = await gate.submit(news.ask(scheduled_at=now() + HOUR))
    assert isinstance(taken, Taken)
    refused = await gate.reschedule(news.firm.tenant, taken.ids[0], ends + HOUR)
    assert isinstance(refused, Refused)
    assert (refused.refusal.code, refused.refusal.field) == ("consent-expired", "scheduled_at")
    assert refused.refusal.verdicts
    assert life(news.operator) == ends
    assert await gate.reschedule(news.firm.tenant, taken.ids[0], ends - HOUR) is Recall.DONE
    assert life(news.operator) == ends, "the lifetime ends with the consent, wherever in it the message goes"


async def test_what_waits_past_its_consent_is_never_sent(gate, news):
    """Whatever moved the message: the mark asks the consent ledger itself."""
    ends = now() + 3 * HOUR
    news.record(2, "inquiry", at=now() - DAY, expires=ends)
    assert isinstance(await gate.submit(news.ask()), Taken)
    news.operator.admin.execute("UPDATE spool SET lifetime_ends = '2100-01-01'")
    assert await marked(news.operator) == [MarkVerdict.OK]
    pass_time(news.operator, news.firm, ends)
    assert await marked(news.operator) == [MarkVerdict.LIFETIME_OVER]


@pytest.mark.parametrize("category", ["own", "all"])
async def test_consent_that_is_taken_back_stops_what_waits(gate, news, category):
    news.record(at=now() - DAY)
    assert isinstance(await gate.submit(news.ask()), Taken)
    assert await marked(news.operator) == [MarkVerdict.OK]
    news.record(3, "one-click", category=category)
    assert await marked(news.operator) == [MarkVerdict.WITHDRAWN]
    news.record()
    assert await marked(news.operator) == [MarkVerdict.OK], "their own word afterwards makes it good"


async def test_mail_on_another_basis_asks_for_no_consent(gate, operator, firm):
    firm.person("ann@example.net")
    assert isinstance(await gate.submit(ask(firm)), Taken)
    assert await marked(operator) == [MarkVerdict.OK]


async def test_consent_given_meanwhile_lets_it_move_on(gate, news):
    ends = now() + 3 * HOUR
    news.record(2, "inquiry", at=now() - DAY, expires=ends)
    taken = await gate.submit(news.ask(scheduled_at=now() + HOUR))
    news.record()
    due = ends + HOUR
    assert await gate.reschedule(news.firm.tenant, taken.ids[0], due) is Recall.DONE
    assert life(news.operator) > due + HOUR


# ---- the policy's days, and quiet hours


async def test_a_new_time_lies_within_the_policys_days(gate, operator, firm):
    firm.person("ann@example.net")
    operator.govern("policy", firm.tenant, "tenant", {"content": {"schedule_days": 2}})
    taken = await gate.submit(ask(firm, email(scheduled_at=now() + DAY)))
    before = spooled(operator)
    for far in (3 * DAY, 29 * DAY, 400 * DAY, datetime(9999, 12, 31, 23, tzinfo=UTC) - now()):
        refused = await gate.reschedule(firm.tenant, taken.ids[0], now() + far)
        assert isinstance(refused, Refused), far
        assert (refused.refusal.code, refused.refusal.field) == ("schedule-too-far", "scheduled_at")
        assert "2 days" in refused.refusal.sentence
    assert (await gate.reschedule(firm.tenant, taken.ids[0], now() - HOUR)).refusal.code == "schedule-in-past"
    assert spooled(operator) == before
    assert await gate.reschedule(firm.tenant, taken.ids[0], now() + 2 * DAY - HOUR) is Recall.DONE


async def test_a_new_time_in_the_night_waits_for_the_morning(gate, operator, firm):
    quiet(operator, firm)
    noon = clock(operator, "2027-01-10T12:30")
    ready(operator)
    where(operator, firm, None, "london@example.net")
    where(operator, firm, "Asia/Tokyo", "tokyo@example.net")
    both = email(("london@example.net", "tokyo@example.net"), scheduled_at=noon + DAY - 3 * HOUR)  # 09:30 and 18:30
    taken = await gate.submit(ask(firm, both))
    assert [s for s, _, _ in spooled(operator)] == [State.QUEUED] * 2
    late = datetime(2027, 1, 12, 14, 0, tzinfo=UTC)  # London's afternoon, Tokyo's night
    assert await gate.reschedule(firm.tenant, taken.ids[0], late) is Recall.DONE
    morning = datetime(2027, 1, 12, 23, 0, tzinfo=UTC)
    assert sorted(spooled(operator)) == [(State.QUEUED, late, late), (State.HELD, morning, morning)]
    assert windows(operator) == {late: 1, morning: 1}
    kinds = operator.admin.execute("SELECT m.state, array_agg(e.kind ORDER BY e.at, e.ctid) FROM message m"
                                   " JOIN event e ON e.message_id = m.id GROUP BY m.id ORDER BY m.state").fetchall()  # fmt: skip
    assert kinds == [
        (State.QUEUED, [Kind.ACCEPTED, Kind.RESCHEDULED]),
        (State.HELD, [Kind.ACCEPTED, Kind.RESCHEDULED, Kind.HELD]),
    ]
    assert await gate.reschedule(firm.tenant, taken.ids[0], noon + DAY) is Recall.DONE  # and Tokyo's evening: 21:30
    assert sorted(s for s, _, _ in spooled(operator)) == [State.QUEUED, State.HELD]


async def test_the_lifetime_counts_from_the_time_asked_for(gate, operator, firm):
    """Not from the end of the night in which an earlier time lay."""
    quiet(operator, firm)
    clock(operator, "2027-01-10T12:30")
    ready(operator)
    where(operator, firm, None)
    first, second = datetime(2027, 1, 10, 22, 0, tzinfo=UTC), datetime(2027, 1, 11, 12, 0, tzinfo=UTC)
    taken = await gate.submit(ask(firm, email(scheduled_at=first)))
    lasts = life(operator) - first
    assert await gate.reschedule(firm.tenant, taken.ids[0], second) is Recall.DONE
    assert life(operator) == second + lasts


# ---- what was counted is given back


def counted(operator, scope=limits.RECIPIENT_DAY):
    found = "SELECT used FROM rate_counter WHERE scope = %s AND used > 0 ORDER BY used"
    return [n for (n,) in operator.admin.execute(found, (scope,)).fetchall()]


async def test_a_message_that_moves_is_counted_where_it_goes_alone(gate, operator, firm):
    firm.person("ann@example.net")
    day = (now() + 5 * DAY).replace(hour=9, minute=5)
    taken = await gate.submit(ask(firm, email(scheduled_at=day)))
    assert await gate.reschedule(firm.tenant, taken.ids[0], day + timedelta(minutes=1)) is Recall.DONE
    assert counted(operator, limits.TENANT_HOUR) == [1], "the same hour: nothing is counted anew"
    for n in range(1, 6):
        assert await gate.reschedule(firm.tenant, taken.ids[0], day + n * HOUR) is Recall.DONE
    for scope in (limits.TENANT_HOUR, limits.TENANT_DAY, limits.KEY_HOUR, limits.TEMPLATE_HOUR, limits.RECIPIENT_DAY):
        assert counted(operator, scope) == [1], scope
    assert list(windows(operator)) == [(day + 5 * HOUR).replace(minute=0, second=0, microsecond=0)]
    assert await gate.reschedule(firm.tenant, taken.ids[0], day + 3 * DAY) is Recall.DONE
    assert counted(operator) == [1]
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE
    assert counted(operator) == counted(operator, limits.KEY_HOUR) == []


async def test_a_window_that_has_begun_keeps_what_was_counted_in_it(gate, operator, firm):
    """Or who asks and cancels in a circle would meet no limit."""
    firm.person("ann@example.net")
    noon = clock(operator, "2027-01-10T12:30")
    ready(operator)
    soon = noon + timedelta(minutes=10)
    taken = await gate.submit(ask(firm, email(scheduled_at=soon)))
    assert await gate.reschedule(firm.tenant, taken.ids[0], noon + 2 * HOUR) is Recall.DONE
    this, that = noon.replace(minute=0), noon.replace(minute=0) + 2 * HOUR
    assert windows(operator) == {this: 1, that: 1}
    assert counted(operator) == [1], "the day is the same: it is counted there already"
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE
    assert windows(operator) == {this: 1}
    assert counted(operator) == [1]


async def test_a_day_is_given_back_as_it_was_counted(gate, operator, firm):
    """The client's zone has changed since: the window that begins at its midnight is another's."""
    firm.person("ann@example.net")
    firm.person("bob@example.net")
    day = (now() + 5 * DAY).replace(hour=12)
    taken = await gate.submit(ask(firm, email(scheduled_at=day)))
    operator.admin.execute("UPDATE tenant SET timezone = 'Asia/Tokyo'")
    assert isinstance(await gate.submit(ask(firm, email(scheduled_at=day))), Taken)
    assert counted(operator, limits.TENANT_DAY) == [1, 1]
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE
    (left,) = windows(operator, limits.TENANT_DAY)
    assert left.astimezone(UTC).hour == 15, "Tokyo's midnight"


async def test_room_that_is_given_back_is_room(operator):
    firm = make_firm(operator, limits=2)
    for name in ("ann", "bob", "cid"):
        firm.person(f"{name}@example.net")
    gate = Gate(lambda n: connect(operator.database.conninfo("troth_flow"), n), operator.keyring, operator.secrets)
    await gate.start()
    day = (now() + 2 * DAY).replace(hour=12)
    first, second = [
        (await gate.submit(ask(firm, email(to, scheduled_at=day)))).ids[0]
        for to in ("ann@example.net", "bob@example.net")
    ]
    third = ask(firm, email("cid@example.net", scheduled_at=day))
    assert (await gate.submit(third)).refusal.code == "rate-limited"
    assert await gate.reschedule(firm.tenant, first, day + 3 * DAY) is Recall.DONE
    assert isinstance(await gate.submit(third), Taken)
    refused = await gate.reschedule(firm.tenant, first, day)
    assert refused.refusal.code == "rate-limited"
    assert counted(operator, limits.TENANT_HOUR) == [1, 2], "what was refused moved nothing"
    assert await gate.cancel(firm.tenant, second) is Recall.DONE
    assert await gate.reschedule(firm.tenant, first, day) is Recall.DONE
    assert counted(operator, limits.TENANT_HOUR) == [2]
    await gate.stop()


async def test_people_of_one_email_are_given_back_each(gate, operator, firm):
    for name in ("ann", "bob"):
        firm.person(f"{name}@example.net")
    day = (now() + 5 * DAY).replace(hour=12)
    taken = await gate.submit(ask(firm, email(("ann@example.net", "bob@example.net"), scheduled_at=day)))
    assert counted(operator, limits.TENANT_HOUR) == [2]
    assert await gate.reschedule(firm.tenant, taken.ids[0], day + 2 * HOUR) is Recall.DONE
    assert counted(operator, limits.TENANT_HOUR) == [2]
    assert counted(operator) == [1, 1]
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE
    assert counted(operator, limits.TENANT_HOUR) == counted(operator) == []


async def test_a_category_that_has_come_to_need_consent_asks_for_it(gate, operator, firm):
    firm.person("ann@example.net")
    taken = await gate.submit(ask(firm, email(scheduled_at=now() + HOUR)))
    found = operator.admin.execute("SELECT artefact FROM snapshot WHERE subject = %s", (firm.category,)).fetchone()[0]
    needs = {"legal_class": "relationship", "lawful_basis": "consent"}
    operator.govern("category", firm.tenant, "rent", {**json.loads(found), **needs}, firm.category)
    refused = await gate.reschedule(firm.tenant, taken.ids[0], now() + 2 * HOUR)
    assert refused.refusal.code == "consent-missing"
