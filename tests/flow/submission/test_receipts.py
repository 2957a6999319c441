"""GET /emails/{id}/receipt: the file that proves an email's story to anybody with the public key, and to nobody otherwise."""

import json
import random
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from tests.flow.submission.doors import add_key, client_of, email
from tests.support.firm import make_firm, now

from troth.flow.evidence.sequencer import Keeper, Signer
from troth.flow.evidence.witness import Witness
from troth.keys import ids
from troth.ledger import receipt as form
from troth.ledger.receipt_check import verify
from troth.ledger.verify import CannotVerify, Found
from troth.rules.states import Kind

replace = msgspec.structs.replace
WRONG = (Found, CannotVerify)


@pytest.fixture
def seal(operator, tmp_path):
    """One turn of the sequencer, with the installation's own key; its verifier key."""
    signer = Signer.of(UUID(int=7), operator.secrets.ledger_seed)

    async def turn() -> str:
        connection = await operator.database.connect("sequencer", "troth_ledger")
        try:
            keeper = Keeper(signer, Witness(Path(tmp_path) / "witness"))
            await keeper.begin(connection)
            await keeper.turn(connection)
        finally:
            await connection.close()
        return signer.vkey

    return turn


async def sent(door, **more):
    answer = await door.post(json=email(**more))
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


async def taken(door, ref):
    answer = await door.client.get(f"/emails/{ref}/receipt")
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_it_proves_decision_versions_approvals_and_events_with_the_key_alone(door, seal):
    ref = await sent(door)
    key = await seal()
    answer = await door.client.get(f"/emails/{ref}/receipt")
    assert answer.headers["content-type"] == "application/json"
    assert f'filename="{ref}.receipt.json"' in answer.headers["content-disposition"]
    found = verify(answer.content, key)
    assert (found.events, found.opened, found.detailed, found.decided, found.erased) == (1, 1, 1, 1, 0)
    receipt = found.receipt
    assert ids.wire("em", "a", UUID(receipt.email.id)) == ref
    message = receipt.messages[0]
    assert (message.recipient, message.state, message.shown) == ("ann@example.net", "queued", "all")
    saw = {verdict["check"]: verdict["saw"] for verdict in message.decision["verdicts"]}
    assert saw["rate_tenant_hour"]["limit"] > 0
    versions = {version.role: version for version in receipt.versions}
    assert list(versions) == ["category", "template", "promise", "key"]
    rows = door.rows("SELECT digest FROM snapshot WHERE id = %s", UUID(versions["template"].snapshot))
    assert versions["template"].digest == rows[0][0].hex()
    for version in versions.values():
        assert {approval.digest for approval in version.approvals} == {version.digest}
        assert version.proposer not in {approval.human for approval in version.approvals}
    # why the house approved its promise is the house's; that it did is proved
    assert versions["promise"].entry.leaf is None
    assert versions["category"].entry.leaf is not None


async def test_a_decision_that_the_ledger_was_not_told_of_is_found_under_a_true_signature(door, seal, operator):
    """The accepted event's detail binds decision, recipient and versions together."""
    ref = await sent(door)
    await seal()
    receipt, _, _ = form.decode(await taken(door, ref))
    message = receipt.messages[0]
    lies = [
        replace(receipt, messages=[replace(message, recipient="eve@example.net")]),
        replace(receipt, messages=[replace(message, decision=message.decision | {"outcome": "hold"})]),
        replace(receipt, messages=[replace(message, decision='{"outcome":"accept"}')]),
        replace(receipt, email=replace(receipt.email, policy="00" * 32)),
    ]
    for lie in lies:
        with pytest.raises(Found, match="accepted with"):
            verify(form.encode(lie, operator.secrets.ledger_seed))


@pytest.mark.slow
async def test_any_changed_byte_is_found(door, seal):
    """Every position, several ways each: another bit, white space, a digit, nothing, one more."""
    ref = await sent(door)
    key = await seal()
    body = await taken(door, ref)
    verify(body, key)
    chance = random.Random(5)
    for place in range(len(body)):
        for changed in _changes(body, place, chance):
            if changed != body:
                with pytest.raises(WRONG):
                    verify(changed)
    for more in (b" ", b"\n", b"\x00", b"{}"):
        for changed in (body + more, more + body):
            with pytest.raises(WRONG):
                verify(changed, key)


def _changes(body, place, chance):
    before, octet, after = body[:place], body[place], body[place + 1 :]
    yield before + bytes((octet ^ (1 << chance.randrange(8)),)) + after
    yield before + bytes((chance.randrange(256),)) + after
    yield before + b" " + after
    yield before + after
    yield before + b" " + bytes((octet,)) + after


async def test_the_right_words_in_another_form_are_no_receipt(door, seal):
    ref = await sent(door)
    await seal()
    value = json.loads(await taken(door, ref))
    for text in (json.dumps(value), json.dumps(value, indent=2), json.dumps(value, separators=(",", ":"), sort_keys=False)
                 .replace('"receipt"', '"r\\u0065ceipt"')):  # fmt: skip
        with pytest.raises(CannotVerify, match="canonical"):
            verify(text.encode())


async def test_there_is_none_before_the_newest_event_is_sealed(door, seal):
    ref = await sent(door)
    for _ in range(2):  # before the first checkpoint, and with a new event after it
        answer = await door.client.get(f"/emails/{ref}/receipt")
        assert (answer.status_code, answer.json()["code"]) == (409, "receipt-not-sealed")
        assert answer.headers["retry-after"] == "5"
        await seal()
        assert (await door.client.get(f"/emails/{ref}/receipt")).status_code == 200
        await door.client.post(f"/emails/{ref}/cancel")


async def test_another_clients_email_is_not_there(door, seal, operator):
    ref = await sent(door)
    await seal()
    other, _ = add_key(operator, make_firm(operator, "other"))
    async with client_of(door.app, other.text) as stranger:
        for path in (f"/emails/{ref}/receipt", "/emails/em_a_" + "0" * 32 + "/receipt", "/emails/x/receipt"):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
    async with client_of(door.app) as nobody:
        assert (await nobody.get(f"/emails/{ref}/receipt")).status_code == 401
    assert (await door.client.post(f"/emails/{ref}/receipt")).status_code == 405


async def test_an_erased_recipients_receipt_still_verifies(door, seal):
    ref = await sent(door, to=["ann@example.net", "bob@example.net"])
    key = await seal()
    before = await taken(door, ref)
    door.erase(door.firm.people["ann@example.net"])
    assert verify(before, key).decided == 2  # as it was issued
    after = await taken(door, ref)
    assert b"ann@example.net" not in after
    found = verify(after, key)
    assert (found.erased, found.decided, found.opened, found.events) == (1, 1, 1, 2)
    gone = next(message for message in found.receipt.messages if message.shown == "erased")
    assert (gone.recipient, gone.decision, gone.events[0].leaf, gone.events[0].detail) == (None, None, None, None)


@pytest.mark.parametrize("state", ["suppressed", "held", "cancelled", "bounced", "test"])
async def test_what_was_not_delivered_has_its_receipt_too(door, seal, state, operator):
    said = await _story(door, state, operator)
    key = await seal()
    async with client_of(door.app, said.get("key", door.key.text)) as client:
        answer = await client.get(f"/emails/{said['ref']}/receipt")
    found = verify(answer.content, key)
    message = found.receipt.messages[0]
    assert (message.state, found.decided) == (said["state"], 1)
    assert [event.kind for event in message.events] == ["accepted", said["state"]]
    if state == "bounced":
        assert message.events[-1].detail["code"] == 550
        assert message.events[-1].detail["text"] == "5.1.1 no such user"


async def _story(door, state, operator):
    if state == "suppressed":
        index = door.firm.index("bob@example.net")
        door.rows("SELECT suppress_v1(ARRAY[%s]::bytea[], ARRAY[1]::smallint[], ARRAY['test'], ARRAY[%s]::uuid[],"
                  " ARRAY[NULL]::bytea[])", index, door.firm.tenant)  # fmt: skip
        return {"ref": await sent(door, to="bob@example.net"), "state": "suppressed"}
    if state == "test":
        key, _ = add_key(operator, door.firm, "tests", mode="test")
        async with client_of(door.app, key.text) as client:
            answer = await client.post("/emails", json=email())
        return {"ref": answer.json()["id"], "state": "cancelled", "key": key.text}
    ref = await sent(door)
    if state == "cancelled":
        assert (await door.client.post(f"/emails/{ref}/cancel")).status_code == 200
        return {"ref": ref, "state": "cancelled"}
    return {"ref": ref, "state": await _told(door, ref, state)}


async def _told(door, ref, state):
    """As delivery writes it."""
    from troth.flow.events import Happening, row
    from troth.store import events as store

    kind, detail = {"held": (Kind.HELD, {"reason": "anomaly-review"}),
                    "bounced": (Kind.BOUNCED, {"attempt": 1, "code": 550, "text": "5.1.1 no such user"})}[state]  # fmt: skip
    message, person, wrapped = door.rows(
        "SELECT m.id, m.person_id, p.data_key FROM message m JOIN person p ON p.id = m.person_id WHERE m.email_id = %s",
        ids.unwire("em", ref),
    )[0]
    key = door.firm.keys.person(wrapped, person)
    async with door.deps.lend() as connection, connection.transaction():
        await store.insert(
            connection, [row(Happening(message, door.firm.tenant, kind, "attempt:1", key, detail), now())]
        )
    number = {"held": 10, "bounced": 8}[state]
    door.rows("UPDATE message SET state = %s WHERE id = %s RETURNING 1", number, message)
    if state == "held":
        door.rows("UPDATE spool SET state = 10 WHERE message_id = %s RETURNING 1", message)
    else:
        door.rows("DELETE FROM spool WHERE message_id = %s RETURNING 1", message)
    return state
