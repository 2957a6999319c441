"""The gate where two things meet: holds and new times, levels that were stopped, caps that differ, the calendar's end."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.gate.test_accept import ask, count, email, gate
from tests.support.firm import make_firm, now

from troth.flow.gate import accept
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Refused, Taken
from troth.flow.gate.recall import Recall

__all__ = ["gate"]
LATER = timedelta(hours=5)


async def test_a_new_time_lets_no_held_message_go(gate, operator, firm):
    """Held for review means two people; the key that asked for the email is neither."""
    firm.person("ann@example.net")
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'too much', 'anomaly')", ([firm.tenant],))
    taken = await gate.submit(ask(firm, email(scheduled_at=now() + LATER)))
    assert await gate.reschedule(firm.tenant, taken.ids[0], now() + timedelta(hours=1)) is Recall.TOO_LATE
    assert operator.admin.execute("SELECT state FROM spool").fetchone()[0] == 10
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("level", ["promise", "operator", "tenant"])
async def test_a_stopped_level_loosens_nothing(gate, operator, firm, level, warm):
    firm.person("ann@example.net")
    code = {"promise": "programme:p-firm", "operator": "operator", "tenant": "tenant"}[level]
    if level != "promise":
        tenant = firm.tenant if level == "tenant" else None
        operator.govern("policy", tenant, code, {"limits": {"tenant_hour": 1000}})
    subject = operator.admin.execute("SELECT subject FROM governed WHERE kind = 'policy' AND code = %s", (code,))
    if warm:
        assert isinstance(await gate.submit(ask(firm)), Taken)
    operator.revoke(subject.fetchone()[0])
    refused = await gate.submit(ask(firm))
    assert isinstance(refused, Refused)
    assert count(operator, "spool") == int(warm)


async def test_a_stopped_or_retired_domain_sends_nothing_more(gate, operator, firm):
    firm.person("ann@example.net")
    assert isinstance(await gate.submit(ask(firm)), Taken)
    artefact = {"name": firm.name, "selector": "s1"}
    operator.govern("domain", firm.tenant, firm.name, {**artefact, "retired": True}, firm.domain)
    assert (await gate.submit(ask(firm))).refusal.code == "domain-unready"
    operator.govern("domain", firm.tenant, firm.name, artefact, firm.domain)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    operator.revoke(firm.domain)
    assert (await gate.submit(ask(firm))).refusal.code == "domain-unready"


@pytest.mark.parametrize("key", [None, b"key"])
@pytest.mark.parametrize("at", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(9999, 12, 31, 0, 0, tzinfo=UTC)])
async def test_the_end_of_the_calendar_is_refused_and_leaves_no_window_behind(gate, operator, firm, at, key):
    firm.person("ann@example.net")
    refused = await gate.submit(ask(firm, email(scheduled_at=at), key=key))
    assert refused.refusal.code == "schedule-too-far"
    latest = operator.admin.execute("SELECT max(window_start) FROM rate_counter").fetchone()[0]
    assert latest is None or latest < now() + timedelta(days=40)


async def test_categories_with_different_caps_share_a_counter(gate, operator):
    """The stricter one's cap is its own: it refuses that one's email and not, by a broken statement, the other's."""
    firm = make_firm(operator, limits=50)
    firm.person("ann@example.net")
    sender = {"name": "Firm", "address": f"few@{firm.name}"}
    operator.govern("category", firm.tenant, "few", {
        "name": "Few", "purpose": "few", "sender": sender, "legal_class": "transactional", "raw": True,
        "policy": {"limits": {"tenant_hour": 3}}})  # fmt: skip
    snapshot = operator.admin.execute("SELECT artefact FROM snapshot WHERE subject = %s", (firm.key,)).fetchone()[0]
    both = {**json.loads(snapshot), "categories": ["rent", "few"]}
    operator.govern("api-key", firm.tenant, "key", both, firm.key)
    for _ in range(5):
        assert isinstance(await gate.submit(ask(firm)), Taken)
    few = email(template=None, variables=None, subject="x", text="y", tags={"category": "few"})
    answer = await gate.submit(ask(firm, email(), few, permissive=True))
    assert isinstance(answer, Taken)
    assert [r.code for r in answer.refused] == ["rate-limited"]
    used = operator.admin.execute("SELECT used, cap FROM rate_counter WHERE scope = 1").fetchone()
    assert used[0] == 6


async def test_a_revoked_key_is_told_nothing_again(gate, operator, firm):
    firm.person("ann@example.net")
    assert isinstance(await gate.submit(ask(firm, key=b"key")), Taken)
    operator.revoke(firm.key)
    assert (await gate.submit(ask(firm, key=b"key"))).refusal.code == "key-revoked"
    assert (await gate.submit(ask(firm, key=b"key", fingerprint=b"g"))).refusal.code == "key-revoked"
    assert count(operator, "email") == count(operator, "idempotency") == 1


async def test_nobody_is_told_no_while_the_transaction_may_yet_say_yes(gate, operator, firm, monkeypatch):
    """A client that is told 503 asks again: what was slow must not be accepted behind its back."""
    firm.person("ann@example.net")
    monkeypatch.setattr(accept, "_PATIENCE", 0.3)
    other = operator.database.open()
    with other.transaction():
        other.execute("LOCK TABLE troth.spool IN ACCESS EXCLUSIVE MODE")
        slow = [asyncio.create_task(gate.submit(ask(firm))) for _ in range(2)]  # one for each lane, or both in one
        await asyncio.sleep(0.1)
        more = [asyncio.create_task(gate.submit(ask(firm))) for _ in range(2)]
        await asyncio.sleep(0.2)
        queued = asyncio.create_task(gate.submit(ask(firm)))
        await asyncio.sleep(0.5)
        assert not slow[0].done()
    answers = await asyncio.gather(*slow, *more, queued, return_exceptions=True)
    taken = [a for a in answers if isinstance(a, Taken)]
    assert all(isinstance(a, Taken | StoreAway) for a in answers)
    assert len(taken) >= 2
    await asyncio.sleep(0.1)
    assert count(operator, "email") == len(taken)
