"""What notifications tell after the sending leaves the claims of bounces and of the log standing, and is held to them."""

import asyncio

import pytest

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.outcome import Told, tell
from troth.flow.submission.connections import Connections
from troth.keys.keyring import OPERATOR
from troth.mail.reply import Failure
from troth.rules.states import Kind
from troth.store.connection import connect

HARD = Failure("hard", permanent=True, address_bad=True)
FULL = Failure("mailbox", permanent=False, address_bad=False, detail="full")
POLICY = Failure("policy", permanent=True, address_bad=False)
CLAIMS = ("BNC-1", "BNC-2", "LOG-1")


async def _tell(world, told):
    keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
    operator = world.operator.keyring.tenant(OPERATOR, bytes(keyset))
    connections = Connections(lambda name: connect(world.database.conninfo("troth_flow"), name))
    deps = Deps(connections.lend, world.operator.keyring, world.operator.secrets, operator=operator)
    async with connections.lend() as connection:
        found = await tell(deps, connection, told)
    await connections.close()
    return found


@pytest.fixture
def told(world):
    """Of each firm one message that was taken: a bad address, a full mailbox, a refusal by policy."""
    facts = []
    for firm in world.firms.values():
        sent = world.sql(
            "SELECT DISTINCT ON (blind_index) id FROM message m WHERE tenant_id = %s AND state = 5 AND NOT EXISTS ("
            "SELECT FROM event e WHERE e.message_id = m.id AND e.kind = ANY(%s)) LIMIT 3",
            firm.tenant, [int(Kind.DEFERRED), int(Kind.COMPLAINED)],  # whose retries are not begun, or spent
        )  # fmt: skip
        facts += [
            Told(message, "failed", f"dsn:{n}", failure, {"via": "dsn"})
            for n, ((message,), failure) in enumerate(zip(sent, (HARD, FULL, POLICY), strict=True))
        ]
    assert asyncio.run(_tell(world, facts)) == len(facts)
    world.seal()
    return facts


def test_the_claims_hold_with_what_was_told(world, told):
    before = len(told) // 3
    found = world.check(*CLAIMS)
    assert {name: (str(each.state), world.why(name)) for name, each in found.items()} == dict.fromkeys(
        CLAIMS, ("holds", "")
    )
    assert world.sql("SELECT count(*) FROM message WHERE state = 7")[0][0] >= before


def test_a_hard_bounce_that_was_told_later_is_held_to_its_suppression(world, told):
    hard = [each.message_id for each in told if each.failure is HARD]
    world.quiet("DELETE FROM suppression WHERE source = ANY(%s)", [f"smtp:{each}" for each in hard])
    assert world.state("BNC-1") == "fails"
    assert "its address is not suppressed" in world.why("BNC-1")


def test_a_full_mailbox_that_was_told_later_is_held_to_its_schedule(world, told):
    (message,) = [each.message_id for each in told if each.failure is FULL][:1]
    world.quiet("INSERT INTO event SELECT message_id, 8, 'attempt:9', tenant_id, at, detail_ct, leaf_hash FROM event "
                "WHERE message_id = %s AND kind = 9", message)  # fmt: skip
    assert "tried again before its time" in world.why("BNC-2")
