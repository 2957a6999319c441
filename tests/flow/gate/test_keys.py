"""The gate and API keys: both secrets of a rotation, networks, test keys that send nothing, and when each was last used."""

import json
from datetime import timedelta

import pytest
from tests.flow.gate.test_accept import count, email, gate
from tests.support.firm import key_end, make_firm, now

from troth.flow.gate.asks import Ask, Caller, Taken
from troth.keys import places
from troth.keys.api_keys import make_key
from troth.rules.states import Kind, State

__all__ = ["gate"]


def artefact(key, **more):
    return {"name": "key", "prefix": key.prefix, "hash": key.hash.hex(), "categories": ["rent"],
            "expires_at": key_end(), "policy": {}, **more}  # fmt: skip


def ask(hashed, *emails, peer=None, kept=None):
    idempotency = (kept.ljust(32, b"k"), b"f" * 32) if kept else None
    return Ask(Caller(key_hash=hashed, peer=peer), emails or (email(),), "POST", "/emails", False, idempotency)


async def code(gate, asked):
    answer = await gate.submit(asked)
    return "taken" if isinstance(answer, Taken) else answer.refusal.code


def move_clock(operator, by):
    operator.admin.execute("UPDATE installation SET clock_offset = %s", (by,))
    operator.admin.execute("SELECT make_partitions_v1()")
    operator.admin.execute(
        "UPDATE domain_state SET ready_until = now_v1() + interval '2 hours', checked_at = now_v1(),"
        " last_good_at = now_v1()"
    )


async def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(gate, operator, firm):
    firm.person("ann@example.net")
    new = make_key("a")
    operator.govern("api-key", firm.tenant, "key", artefact(new), firm.key)
    assert [await code(gate, ask(h)) for h in (firm.key_hash, new.hash)] == ["taken", "taken"]
    assert operator.admin.execute("SELECT DISTINCT api_key_id FROM email").fetchall() == [(firm.key,)]
    move_clock(operator, timedelta(hours=73))
    assert [await code(gate, ask(h)) for h in (firm.key_hash, new.hash)] == ["key-expired", "taken"]
    move_clock(operator, timedelta(days=81))
    assert await code(gate, ask(new.hash)) == "key-expired"


async def test_a_rotation_narrows_the_old_secret_at_once(gate, operator, firm):
    """The scope is the key's, not the secret's."""
    firm.person("ann@example.net")
    narrow = artefact(make_key("a"), networks=["192.0.2.0/24"])
    operator.govern("api-key", firm.tenant, "key", narrow, firm.key)
    assert await code(gate, ask(firm.key_hash, peer="203.0.113.9")) == "key-elsewhere"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.7", "taken"),
        ("::ffff:192.0.2.7", "taken"),
        ("2001:db8::1", "taken"),
        ("2001:db8:1::1", "key-elsewhere"),
        ("192.0.3.7", "key-elsewhere"),
        ("unix:", "key-elsewhere"),
        ("", "key-elsewhere"),
        (None, "key-elsewhere"),
    ],
)
async def test_a_key_works_from_its_networks_alone(gate, operator, firm, peer, expected):
    firm.person("ann@example.net")
    key = make_key("a")
    operator.govern("api-key", firm.tenant, "office", artefact(key, networks=["192.0.2.0/24", "2001:db8::/48"]))
    assert await code(gate, ask(key.hash, peer=peer)) == expected


async def test_what_a_key_was_once_told_is_not_told_again_to_another_network(gate, operator, firm):
    firm.person("ann@example.net")
    key = make_key("a")
    operator.govern("api-key", firm.tenant, "office", artefact(key, networks=["192.0.2.0/24"]))
    assert await code(gate, ask(key.hash, peer="192.0.2.1", kept=b"k")) == "taken"
    assert await code(gate, ask(key.hash, peer="198.51.100.1", kept=b"k")) == "key-elsewhere"


async def test_a_test_key_is_judged_in_full_and_sends_nothing(gate, operator, firm):
    person = firm.person("ann@example.net")
    key = make_key("a")
    operator.govern("api-key", firm.tenant, "try", artefact(key, mode="test"))
    assert await code(gate, ask(key.hash)) == "taken"
    assert await code(gate, ask(key.hash, email("stranger@example.net"))) == "recipient-unverified"
    assert count(operator, "spool") == 0
    row = operator.admin.execute("SELECT id, state, decision_ct FROM message").fetchone()
    assert row[1] == State.CANCELLED
    kinds = operator.admin.execute("SELECT kind FROM event ORDER BY kind").fetchall()
    assert kinds == [(Kind.ACCEPTED,), (Kind.CANCELLED,)]
    opened = firm.keys.person(operator.admin.execute("SELECT data_key FROM person").fetchone()[0], person)
    decision = json.loads(opened.open(bytes(row[2]), places.decision(row[0])))
    said = next(v for v in decision["verdicts"] if v["check"] == "key_live")
    assert said["saw"]["mode"] == "test"
    assert decision["outcome"] == "accept"


async def test_a_held_message_of_a_test_key_waits_for_nobody(gate, operator, firm):
    firm.person("ann@example.net")
    key = make_key("a")
    operator.govern("api-key", firm.tenant, "try", artefact(key, mode="test"))
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'too much', 'anomaly')", ([firm.tenant],))
    assert await code(gate, ask(key.hash)) == "taken"
    assert count(operator, "spool") == 0


async def test_a_test_key_uses_up_nothing_of_what_real_mail_may(gate, operator):
    firm = make_firm(operator, limits=2)
    firm.person("ann@example.net")
    key = make_key("a")
    operator.govern("api-key", firm.tenant, "try", artefact(key, mode="test"))
    assert [await code(gate, ask(key.hash)) for _ in range(3)] == ["taken", "taken", "rate-limited"]
    assert [await code(gate, ask(firm.key_hash)) for _ in range(3)] == ["taken", "taken", "rate-limited"]


async def test_a_keys_last_use_is_noted_now_and_then(gate, operator, firm):
    firm.person("ann@example.net")

    def noted():
        return operator.admin.execute("SELECT last_used_at FROM api_key_secret").fetchone()[0]

    assert noted() is None
    await gate.submit(ask(firm.key_hash))
    first = noted()
    assert abs(now() - first) < timedelta(minutes=1)
    await gate.submit(ask(firm.key_hash))
    assert noted() == first
    move_clock(operator, timedelta(minutes=6))
    await gate.submit(ask(firm.key_hash))
    assert noted() > first


async def test_a_dead_keys_attempts_are_no_use(gate, operator, firm):
    operator.revoke(firm.key)
    assert await code(gate, ask(firm.key_hash)) == "key-revoked"
    assert operator.admin.execute("SELECT last_used_at FROM api_key_secret").fetchone() == (None,)
