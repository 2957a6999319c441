"""What the gate keeps for the simulator: the facts of every decision, sealed, and replaying to that very decision."""

import json

import pytest
from tests.flow.gate.test_accept import ask, email

from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Refused, Taken
from troth.keys import places
from troth.rules.kept import read, shape_of, unbundle
from troth.rules.policy import from_document
from troth.rules.replay import recorded, replay
from troth.store.connection import connect


@pytest.fixture
async def gate(operator):
    made = Gate(
        lambda name: connect(operator.database.conninfo("troth_flow"), name), operator.keyring, operator.secrets
    )
    await made.start()
    yield made
    await made.stop()


def policy_of(operator):
    query = "SELECT s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id WHERE g.code LIKE 'programme:%'"
    return from_document(json.loads(operator.admin.execute(query).fetchone()[0]))


def opened(operator, firm):
    """(message, decision document, kept facts, second) of every message."""
    keys = firm.keys
    query = """SELECT m.id, m.decision_ct, m.facts_ct, m.created_at, p.id, p.data_key
               FROM message m JOIN person p ON p.id = m.person_id ORDER BY m.id"""
    for message, decision, facts, at, person, wrapped in operator.admin.execute(query).fetchall():
        key = keys.person(wrapped, person)
        decided = json.loads(key.open(decision, places.decision(message)))
        yield message, decided, read(key.open(facts, places.facts(message))), int(at.timestamp())


def requests(operator, firm):
    keys = firm.keys
    query = "SELECT id, facts_ct, at FROM api_request WHERE facts_ct IS NOT NULL ORDER BY id"
    for request, facts, at in operator.admin.execute(query).fetchall():
        emails = unbundle(keys.open(facts, places.request_facts(request)))
        yield [[read(one) for one in messages] for messages in emails], int(at.timestamp())


async def test_each_message_keeps_its_facts_and_they_decide_the_same(gate, operator, firm):
    for name in ("ann", "ben"):
        firm.person(f"{name}@example.net")
    operator.admin.execute(
        "SELECT suppress_v1(%s, ARRAY[1]::smallint[], ARRAY['test'], ARRAY[NULL]::uuid[], ARRAY[NULL]::bytea[])",
        ([firm.index("ben@example.net")],),
    )
    assert isinstance(await gate.submit(ask(firm, email(("ann@example.net", "ben@example.net")))), Taken)
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'too much', 'anomaly')", ([firm.tenant],))
    assert isinstance(await gate.submit(ask(firm, email("ann@example.net"))), Taken)
    policy, seen = policy_of(operator), []
    for _, decided, kept, second in opened(operator, firm):
        assert ("accept", "hold", "suppress", "refuse")[kept.outcome] == decided["outcome"]
        assert kept.code == decided["code"]
        assert replay(kept, second, policy) == recorded(kept)
        seen.append(decided["outcome"])
    assert sorted(seen) == ["accept", "hold", "suppress"]


async def test_a_refused_request_keeps_the_facts_of_all_its_messages(gate, operator, firm):
    firm.person("ann@example.net")
    refused = ask(firm, email("ann@example.net"), email(("ann@example.net", "stranger@example.net")))
    assert isinstance(await gate.submit(refused), Refused)
    ((emails, second),) = requests(operator, firm)
    assert [len(messages) for messages in emails] == [1, 2]
    policy = policy_of(operator)
    assert [[replay(one, second, policy).code for one in messages] for messages in emails] == [
        ["ok"],
        ["ok", "recipient-unverified"],
    ]


async def test_a_permissive_batch_keeps_those_that_it_refused(gate, operator, firm):
    firm.person("ann@example.net")
    batch = ask(firm, email("ann@example.net"), email("stranger@example.net"), permissive=True)
    assert isinstance(await gate.submit(batch), Taken)
    ((emails, _),) = requests(operator, firm)
    assert [[one.code for one in messages] for messages in emails] == [["recipient-unverified"]]
    assert [kept.code for _, _, kept, _ in opened(operator, firm)] == ["ok"]


async def test_facts_name_ids_and_codes_only(gate, operator, firm):
    firm.person("ann@example.net")
    await gate.submit(ask(firm))
    ((_, _, kept, _),) = opened(operator, firm)
    shape = shape_of(kept.shape)
    assert shape.category is not None
    assert shape.template is not None
    assert (shape.template.code, shape.template.version) == ("reminder", 1)
    assert b"ann" not in kept.shape.lower()


async def test_facts_are_not_kept_of_a_request_beyond_all_measure(gate, operator, firm):
    answer = await gate.submit(ask(firm, *(email(tuple(f"s{n}@example.net" for n in range(50))) for _ in range(21))))
    assert isinstance(answer, Refused)
    assert list(requests(operator, firm)) == []


async def test_kept_facts_are_never_changed(gate, operator, firm):
    firm.person("ann@example.net")
    await gate.submit(ask(firm))
    with pytest.raises(Exception, match="insert-only"):
        operator.admin.execute("UPDATE message SET facts_ct = NULL")
