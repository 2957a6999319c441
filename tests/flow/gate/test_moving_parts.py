"""A new time when what governs the email cannot be found, and what is given back of mail that nobody's key asked for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import now

from troth.flow.gate import limits, moving
from troth.flow.gate.recall import Recall
from troth.rules.states import State
from troth.store.events import EmailFacts, Movable

__all__ = ["gate"]
NOON = datetime(2027, 1, 10, 12, 30, tzinfo=UTC)


async def test_nothing_moves_while_no_policy_says_how(gate, operator, firm):
    """A level that was stopped loosens nothing; calling back is always possible."""
    firm.person("ann@example.net")
    taken = await gate.submit(ask(firm, email(scheduled_at=now() + timedelta(hours=3))))
    before = operator.admin.execute("SELECT * FROM spool").fetchall()
    subject = operator.admin.execute("SELECT subject FROM governed WHERE code = 'programme:p-firm'").fetchone()[0]
    operator.revoke(subject)
    refused = await gate.reschedule(firm.tenant, taken.ids[0], now() + timedelta(hours=5))
    assert refused.refusal.code == "store-unavailable"
    assert operator.admin.execute("SELECT * FROM spool").fetchall() == before
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE
    assert operator.admin.execute("SELECT sum(used) FROM rate_counter WHERE window_start > now()").fetchone() == (0,)


async def test_nothing_moves_for_a_key_that_is_not_known(gate, operator, firm):
    firm.person("ann@example.net")
    taken = await gate.submit(ask(firm, email(scheduled_at=now() + timedelta(hours=3))))
    operator.database.fill("DELETE FROM api_key_secret")
    refused = await gate.reschedule(firm.tenant, taken.ids[0], now() + timedelta(hours=5))
    assert refused.refusal.code == "store-unavailable"


def waiting(**more):
    one = Movable(uuid4(), uuid4(), uuid4(), b"i" * 32, int(State.QUEUED), NOON, NOON + timedelta(days=1), 0, None, b"",
                  NOON + timedelta(days=1), NOON.replace(hour=0) + timedelta(days=1), False, None)  # fmt: skip
    return replace(one, **more)


def facts(key):
    return EmailFacts(uuid4(), uuid4(), None, None, NOON, None, key)


def scopes(found):
    return sorted((c.scope, n) for c, n in found)


def test_what_is_called_back_gives_back_what_has_not_begun():
    ahead, key = waiting(), facts(uuid4())
    all_five = [(s, 1) for s in (limits.TENANT_HOUR, limits.TENANT_DAY, limits.KEY_HOUR, limits.TEMPLATE_HOUR,
                                 limits.RECIPIENT_DAY)]  # fmt: skip
    assert scopes(moving.given_back(key, [ahead], NOON)) == sorted(all_five)
    assert moving.given_back(facts(None), [ahead], NOON) == [], "Troth's own mail is counted elsewhere"
    hours = [(limits.TENANT_HOUR, 1), (limits.KEY_HOUR, 1), (limits.TEMPLATE_HOUR, 1)]
    assert scopes(moving.given_back(key, [waiting(counted_day=None)], NOON)) == sorted(hours), "a day not known stays"
    assert scopes(moving.given_back(key, [waiting(counted_day=NOON.replace(hour=0))], NOON)) == sorted(hours)
    assert moving.given_back(key, [waiting(counted=NOON, counted_day=NOON.replace(hour=0))], NOON) == []
    one, other = waiting(), waiting(blind_index=b"j" * 32)
    two = moving.given_back(key, [one, replace(other, tenant_id=one.tenant_id)], NOON)
    assert scopes(two) == [(1, 2), (2, 2), (3, 2), (4, 2), (5, 1), (5, 1)]
