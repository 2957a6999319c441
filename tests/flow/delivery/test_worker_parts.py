"""The worker's small parts by themselves: pace, floor, line, policies, settling."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest
from tests.rules.world import policy

from troth.flow.delivery import line as lines
from troth.flow.delivery.claiming import EMPTY_MARGIN, MARGIN, SWEEP, THE_BEGINNING, Floor, Pace
from troth.flow.delivery.counters import Counters
from troth.flow.delivery.line import Away, Line
from troth.flow.delivery.policies import Policies
from troth.flow.delivery.settling import Bench, judge, late, needs_policy
from troth.flow.delivery.smtp_types import Answer
from troth.flow.delivery.suspect_child import grant_time, serve
from troth.flow.delivery.work import Back, Found, Hindrance, Work
from troth.rules.mark import MarkVerdict
from troth.rules.states import Kind, State
from troth.store.spool import Claimed, Loaded

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def claimed(**but):
    row = {
        "message_id": uuid4(), "tenant_id": uuid4(), "email_id": uuid4(), "person_id": uuid4(),
        "blind_index": bytes(32), "category_id": uuid4(), "category_snapshot": uuid4(), "template_snapshot": None,
        "domain_id": uuid4(), "lifetime_ends": NOW + timedelta(days=3), "token": 7, "attempts": 0, "schedule": None,
        "schedule_attempts": 0, "first_failed_at": None, "lost_claims": 0, "counted": NOW, "was": 2, "was_due": NOW, "released": False,
    }  # fmt: skip
    return Claimed(**row | but)


def work(told=State.QUEUED, **but):
    one = claimed(**but)
    return Work(
        one, Loaded(one.message_id, b"", b"", b"", b"", int(told), None, None, "UTC", "Acme", "Street 1"), 0.0, 0.0
    )


def bench(**but):
    return Bench(lambda *_: policy(**but), NOW, lambda address, index: b"\x01sealed")


def answer(one, outcome="refused", phase="rcpt", code=None, text="", enhanced=None):
    return Answer(one.claimed.message_id, outcome, phase, code, enhanced, text, maybe_taken=outcome == "lost")


@pytest.mark.parametrize(
    ("phase", "code", "kind"),
    [("connect", None, "connection"), ("greeting", 554, "connection"), ("starttls", None, "tls"),
     ("auth", 535, "authentication"), ("mail", 421, "connection"), ("data", None, "connection")],
)  # fmt: skip
def test_a_session_that_fails_says_nothing_of_the_address(phase, code, kind):
    one = work()
    settlement = judge(one, answer(one, "unsent", phase, code, "service closing"), bench())
    (happening,) = settlement.happenings
    assert happening.kind is Kind.DEFERRED
    assert happening.detail["kind"] == kind
    assert settlement.suppress is None
    assert settlement.kept.due > NOW


def test_a_schedule_counts_on_and_another_begins_anew():
    one = work(schedule="connection", schedule_attempts=2, first_failed_at=NOW - timedelta(hours=1))
    kept = judge(one, answer(one, "unsent", "connect"), bench()).kept
    assert (kept.schedule, kept.schedule_attempts, kept.first_failed_at) == ("connection", 3, NOW - timedelta(hours=1))
    kept = judge(one, answer(one, "refused", "rcpt", 452, "4.2.2 full"), bench()).kept
    assert (kept.schedule, kept.schedule_attempts, kept.first_failed_at) == ("mailbox", 1, NOW)


def test_late_answers_worth_telling():
    one = work()
    sent = judge(one, answer(one, "accepted", "eod", 250, "ok"), bench())
    assert late(one, sent).kind is Kind.SENT
    deferred = judge(one, answer(one, "unsent", "connect"), bench())
    assert late(one, deferred) is None


def test_what_needs_a_policy():
    one = work()
    assert needs_policy(Found.UNCERTAIN)
    assert needs_policy(answer(one, "lost", "eod"))
    assert not needs_policy(answer(one, "accepted", "eod", 250))
    assert not needs_policy(MarkVerdict.PAUSED)


def test_a_stale_token_is_nobodys_business():
    assert judge(work(), MarkVerdict.STALE_TOKEN, bench()) is None
    assert judge(work(), Back(1.0), bench()) == Back(1.0)


def test_a_second_hold_is_told_when_people_had_released_it():
    one = work(State.HELD, released=True)
    told = [h.kind for h in judge(one, MarkVerdict.PAUSED, bench()).happenings]
    assert told == [Kind.RELEASED, Kind.HELD]
    assert judge(work(State.HELD), MarkVerdict.PAUSED, bench()) == Back(300)
    assert [h.kind for h in judge(work(State.HELD), MarkVerdict.UNAPPROVED, bench()).happenings] == [
        Kind.QUEUED,
        Kind.HELD,
    ]
    hindered = judge(work(State.HELD), Hindrance(Kind.HELD, "poison", "x"), bench())
    assert [h.kind for h in hindered.happenings] == [Kind.QUEUED, Kind.HELD]


def test_the_floor_follows_the_oldest_and_is_lifted_each_minute():
    floor = Floor()
    assert floor.next(0.0) == THE_BEGINNING
    old = NOW - timedelta(minutes=5)
    floor.seen(NOW, [claimed(was_due=old), claimed()], 2)
    assert floor.next(1.0) == old - MARGIN
    floor.seen(NOW, [], 2)
    assert floor.next(2.0) == NOW - EMPTY_MARGIN
    assert floor.next(SWEEP) == THE_BEGINNING


def test_the_pace_follows_what_the_worker_gets_rid_of():
    pace = Pace(least=10, most=200)
    assert pace.room(1.0, 0, 0) == 10
    assert pace.room(2.0, 1000, 0) == 200
    assert pace.room(2.1, 1000, 101) == 0  # no dribble
    for second in range(3, 30):
        room = pace.room(float(second), 1000, 0)
    assert room == 10


async def test_a_line_opens_anew_after_a_failure_and_waits_longer_each_time(monkeypatch):
    monkeypatch.setattr(lines, "PATIENCE", 0.05)
    opened = []

    class Fake:
        async def close(self):
            raise psycopg.OperationalError("gone already")

    async def dial(name):
        opened.append(name)
        return Fake()

    line = Line(dial, "test")
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            async with line.visit():
                raise psycopg.OperationalError("away")
    with pytest.raises(Away):
        async with line.visit():
            await asyncio.sleep(1)
    assert line.failures == 3
    assert 0.2 <= line.wait <= lines.LAST
    async with line.visit():
        pass
    assert (opened, line.failures) == (["test"] * 4, 0)


async def test_policies_are_read_again_after_a_few_seconds(river):
    pair = (river.tenant, river.category)
    rules = Policies()
    async with await river.database.connect("test") as connection:
        await rules.freshen(connection, set(), 0.0)
        await rules.freshen(connection, {pair}, 0.0)
        assert rules.of(*pair).delivery.uncertain == "redeliver"
        river.add_category(delivery={"uncertain": "hold"})
        await rules.freshen(connection, {pair}, 1.0)
        assert rules.of(*pair).delivery.uncertain == "redeliver"
        await rules.freshen(connection, {pair}, 4.0)
        assert rules.of(*pair).delivery.uncertain == "hold"
        river.approve("policy", uuid4(), "operator", {"delivery": {"lifetime_minutes": 60}}, tenant=None)
        river.approve("policy", uuid4(), "tenant", {"delivery": {"lifetime_minutes": 50}})
        await rules.freshen(connection, {pair}, 8.0)
        assert rules.of(*pair).delivery.lifetime_minutes == 50
        # documents that contradict each other: the profile's own numbers, and nothing is sent twice
        river.add_category(delivery={"lifetime_minutes": 999})
        await rules.freshen(connection, {pair}, 12.0)
        assert rules.of(*pair).delivery.lifetime_minutes == 4320
        assert rules.of(*pair).delivery.uncertain == "hold"


def test_the_suspects_child_answers_each_request_after_its_length():
    import io

    import msgspec

    request = b'{"source":{"subject":"Hi {{ n }}","html":null,"text":"x"},"variables":{"n":"a"},"limits":{"fuel":1000,"max_output_bytes":999}}'
    answers = io.BytesIO()
    asked = []
    serve(io.BytesIO((len(request).to_bytes(4) + request) * 2 + b"\0"), answers, lambda: asked.append(1))
    first = answers.getvalue()
    length = int.from_bytes(first[:4])
    assert msgspec.json.decode(first[4 : 4 + length])["rendered"]["subject"] == "Hi a"
    assert len(asked) == 2
    assert callable(grant_time)


def test_counters_go_to_the_log_by_name():
    assert Counters(sent=2).as_dict()["sent"] == 2
    assert SimpleNamespace(**Counters().as_dict()).late == 0
