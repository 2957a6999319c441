"""A receipt by the rights of who takes it; and one that lies, by whoever could sign it, is found all the same."""

import msgspec
import pytest

from troth.control.audit import scope
from troth.control.ledger.receipts import Means, NoReceipt, Wanted, file
from troth.keys.errors import Undecryptable
from troth.keys.ids import uuid7
from troth.ledger import receipt as form
from troth.ledger.leaf import leaf_hash
from troth.ledger.note import vkey
from troth.ledger.receipt_check import verify
from troth.ledger.signed_file import WrongKey
from troth.ledger.verify import CannotVerify, Found
from troth.rules.receipts import Altered, Rights

_EMAILS = """
INSERT INTO email (id, tenant_id, category_id, category_snapshot, template_snapshot, api_key_id, policy_digest, created_at,
                   recipients)
SELECT email_id, tenant_id, category_id, %s, %s, %s, sha256('p'), now_v1(), 1 FROM message
"""
ALL = Rights(content=True, house=True)


@pytest.fixture
def written(house):
    """Its messages have emails."""
    firm = house.firm
    versions = (firm.operator.snapshot(firm.category), firm.operator.snapshot(firm.template))
    house.database.fill(_EMAILS, *versions, firm.key)
    return house


def taken(house, message=None, rights=ALL, **whose):
    """As a page of the firm takes it."""
    operator, whose = house.firm.operator, whose or {"message": message or house.messages[0]}
    with scope.connect(house.database.conninfo("troth_control"), "page") as connection:
        with scope.within(connection, house.firm.tenant):
            means = Means(operator.keyring, operator.secrets.ledger_seed)
            return file(connection, Wanted(house.firm.tenant, **whose), means, rights)


def test_a_receipt_is_verified_with_nothing_but_itself(written):
    found = verify(taken(written), written.signer.vkey)
    message = found.receipt.messages[0]
    assert (message.id, found.events, found.opened, found.detailed) == (str(written.messages[0]), 3, 3, 3)
    assert [(event.kind, event.detail) for event in message.events] == [
        ("accepted", {"n": 0}), ("queued", {"n": 1}), ("sent", {"n": 2})]  # fmt: skip
    assert (message.recipient, message.decision, found.decided) == ("zoe@example.org", {}, 0)  # nothing bound it
    assert [version.role for version in found.receipt.versions] == ["category", "template", "promise", "key"]
    assert all(version.entry.leaf for version in found.receipt.versions)


def test_of_an_email_it_is_the_same_file_for_all_its_messages(written):
    email = written.database.run("SELECT email_id FROM message WHERE id = %s", written.messages[0])[0][0]
    found = verify(taken(written, email=email))
    assert [message.id for message in found.receipt.messages] == [str(written.messages[0])]


def test_whoever_may_not_know_to_whom_gets_proof_of_what_happened_alone(written):
    body = taken(written, rights=Rights(content=False, house=False))
    assert b"zoe" not in body
    found = verify(body)
    message = found.receipt.messages[0]
    assert (message.shown, message.recipient, message.decision) == ("withheld", None, None)
    assert (found.opened, found.detailed) == (3, 0)
    assert all(event.salt is None for event in message.events)
    shown = {version.role: version.entry.leaf is not None for version in found.receipt.versions}
    assert shown == {"category": True, "template": True, "promise": False, "key": True}


def test_an_erased_persons_receipt_has_commitments_alone(written):
    person = written.firm.people["erased@example.org"]
    before = taken(written, written.messages[-1])
    with written.database.owner() as owner, owner.transaction():
        owner.execute("SELECT set_config('troth.tenant', %s, true)", (str(written.firm.tenant),))
        owner.execute("SELECT erase_person_v1(%s, %s)", (written.firm.tenant, person))
    found = verify(taken(written, written.messages[-1]), written.signer.vkey)
    assert (found.erased, found.opened, found.events) == (1, 0, 3)
    assert verify(before, written.signer.vkey).detailed == 3


def test_another_client_gets_nothing(written):
    """Not even by asking in this client's name: the connection's scope decides."""
    operator = written.firm.operator
    stranger = uuid7(written.database.run("SELECT now()")[0][0])
    means = Means(operator.keyring, operator.secrets.ledger_seed)
    with scope.connect(written.database.conninfo("troth_control"), "page") as connection:
        with scope.within(connection, stranger), pytest.raises(NoReceipt, match="no message"):
            file(connection, Wanted(written.firm.tenant, message=written.messages[0]), means, ALL)
        with scope.within(connection, stranger):
            change = written.database.run("SELECT change_id FROM snapshot WHERE kind = 'category'")[0][0]
            found = connection.execute(
                "SELECT * FROM receipt_entry_v1(%s, %s)", (written.firm.tenant, change)
            ).fetchall()
            assert found == []


def test_what_waits_has_none_yet_and_what_is_not_there_never(written):
    message = written.tell()
    written.database.fill(
        _EMAILS + " WHERE id = %s", written.firm.operator.snapshot(written.firm.category), None, None, message
    )
    with pytest.raises(NoReceipt, match="not|Not all of its events are sealed") as waits:
        taken(written, message)
    assert waits.value.temporary
    with pytest.raises(NoReceipt, match="no message") as missing:
        taken(written, uuid7(written.database.run("SELECT now()")[0][0]))
    assert not missing.value.temporary
    written.seal()
    found = verify(taken(written, message))
    assert (found.receipt.email.template, found.receipt.email.key) == (None, None)


@pytest.mark.parametrize(
    ("edit", "error", "says"),
    [
        ("UPDATE event SET source_key = 'x' WHERE message_id = %s AND kind = 1", Undecryptable, "changed bytes"),
        (
            "UPDATE event SET at = at + interval '1 microsecond' WHERE message_id = %s AND kind = 2",
            Altered,
            "not what was",
        ),
    ],
)
def test_a_row_that_was_changed_makes_no_receipt(written, edit, error, says):
    written.database.fill(edit, written.messages[0])
    with pytest.raises(error, match=says):
        taken(written)


def test_another_seed_signs_nothing(written):
    means = Means(written.firm.operator.keyring, bytes(32))
    with scope.connect(written.database.conninfo("troth_control"), "page") as connection:
        with (
            scope.within(connection, written.firm.tenant),
            pytest.raises(WrongKey, match="not the one of the ledger"),
        ):
            file(connection, Wanted(written.firm.tenant, message=written.messages[0]), means, ALL)


# ---- receipts that lie, signed by whoever could ---------------------------------------------------------------

replace = msgspec.structs.replace


def _event(receipt, number=0, **change):
    message = receipt.messages[0]
    events = [*message.events]
    events[number] = replace(events[number], **change)
    return replace(receipt, messages=[replace(message, events=events)])


def _message(receipt, **change):
    return replace(receipt, messages=[replace(receipt.messages[0], **change)])


def _version(receipt, **change):
    return replace(receipt, versions=[replace(receipt.versions[0], **change), *receipt.versions[1:]])


def _entry(receipt, **change):
    return _version(receipt, entry=replace(receipt.versions[0].entry, **change))


def _batch(receipt, **change):
    return replace(receipt, batches=[replace(receipt.batches[0], **change)])


def _leaf(receipt, **change):
    leaf = receipt.messages[0].events[0].leaf | change
    return _event(receipt, leaf=leaf)


def _of_another(receipt):
    entry = receipt.versions[0].entry
    text = entry.leaf.replace('"code":"rent"', '"code":"Rent"')
    return _entry(receipt, leaf=text, leaf_hash=leaf_hash(text.encode()).hex())


LIES = [
    (lambda r: _message(r, id="0" + r.messages[0].id), "message, kind, time"),
    (lambda r: _event(r, kind="delivered"), "message, kind, time"),
    (lambda r: _event(r, at=r.messages[0].events[0].at + 1), "message, kind, time"),
    (lambda r: _leaf(r, kind="delivered"), "another hash"),
    (lambda r: _event(r, at=5, leaf=None, salt=None, detail=None), "not among those"),
    (lambda r: _event(r, leaf=None), "without the leaf"),
    (lambda r: _event(r, salt=None), "half shown"),
    (lambda r: _event(r, detail={"n": 7}), "not the one that its leaf commits to"),
    (lambda r: _event(r, salt="00" * 16), "not the one that its leaf commits to"),
    (lambda r: _event(r, salt="zz"), "hexadecimal"),
    (lambda r: _event(r, position=1), "another root"),
    (lambda r: _event(r, position=77), "not one of"),
    (lambda r: _event(r, batch=3), "not in the receipt"),
    (lambda r: _event(r, leaf=None, salt=None, detail=None, leaf_hash="ab" * 32), "another root"),
    (lambda r: _event(r, leaf=None, salt=None, detail=None, leaf_hash="AB" * 32), "lower-case"),
    (lambda r: _event(r, proof=[]), "too short"),
    (lambda r: _message(r, shown="withheld"), "shows what it says"),
    (lambda r: _message(r, shown="some"), "shows what it says"),
    (lambda r: _message(r, events=[]), "nothing to prove"),
    (lambda r: replace(r, messages=[]), "nothing to prove"),
    (lambda r: replace(r, messages=r.messages * 2), "twice"),
    (lambda r: replace(r, batches=r.batches * 2), "twice"),
    (lambda r: _batch(r, leaf=r.batches[0].leaf.replace("seal", "sent")), "seals nothing|another root"),
    (lambda r: _batch(r, leaf=r.batches[0].leaf + " "), "canonical"),
    (lambda r: _batch(r, leaf=r.batches[0].leaf.replace('"count":6', '"count":5')), "another root"),
    (lambda r: _batch(r, index=10**15), "not one of"),
    (lambda r: _version(r, digest="00" * 32), "other words|something else"),
    (lambda r: _version(r, digest="00" * 32, approvals=[]), "something else"),
    (lambda r: _version(r, approvals=[]), "something else"),
    (lambda r: _version(r, snapshot="x"), "those that the email names"),
    (lambda r: replace(r, versions=r.versions[1:]), "those that the email names"),
    (lambda r: replace(r, versions=[*r.versions, r.versions[-1]]), "those that the email names"),
    (lambda r: _entry(r, leaf=r.versions[1].entry.leaf), "another hash"),
    (_of_another, "another root"),
    (lambda r: _entry(r, index=0), "another root"),
    (lambda r: replace(r, checkpoint=r.checkpoint.replace("time 2", "time 3")), "cannot be believed"),
]


def test_a_lie_is_found_even_under_a_true_signature(written):
    seed = written.firm.operator.secrets.ledger_seed
    receipt, _, _ = form.decode(taken(written))
    for lie, says in LIES:
        with pytest.raises((Found, CannotVerify), match=says):
            verify(form.encode(lie(receipt), seed))


def test_what_is_no_receipt_is_not_judged(written):
    body = taken(written)
    receipt, text, note = form.decode(body)
    for data, words in [
        (b"{}", "`receipt` and `signature`"),
        (b"[]", "`receipt` and `signature`"),
        (b"\xff", "not a receipt"),
        (b"1.5", "as it was issued"),
        (body.replace(b"receipt.v1", b"receipt.v9"), "is what can be verified"),
        (body.replace(b'"recipients":1', b'"recipients":"1"'), "Expected `int`"),
        (b'{"receipt":{"type":"troth.receipt.v1"},"signature":""}', "missing required field"),
        (b" " * (2**26 + 1), "larger than"),
    ]:
        with pytest.raises(CannotVerify, match=words):
            verify(data)
    with pytest.raises(Found, match="another key"):
        verify(body, vkey(written.signer.origin, bytes(32)))
    with pytest.raises(CannotVerify, match="--key"):
        verify(body, "nonsense")
    with pytest.raises(Found, match="of another receipt"):
        verify(_with_note(body, note, written.newest()))
    other = form.encode(replace(receipt, made_at=receipt.made_at + 1), written.firm.operator.secrets.ledger_seed)
    with pytest.raises(Found, match="of another receipt"):
        verify(_with_note(body, note, form.decode(other)[2]))
    assert text.startswith("troth.receipt.v1\n")
    line = note.splitlines()[-1]
    with pytest.raises(Found, match="another signature beside"):
        verify(_with_note(body, note, f"{note}{line.replace('troth/', 'other/')}\n"))


def _with_note(body, note, other):
    def quoted(text):
        return msgspec.json.encode(text)

    return body.replace(quoted(note), quoted(other))


def test_a_document_without_a_canonical_form_is_shown_as_its_text():
    assert form.words(b'{"a":1.5}') == '{"a":1.5}'
    assert form.octets('{"a":1.5}') == b'{"a":1.5}'
    assert form.octets(form.words(b'{"a":[1]}')) == b'{"a":[1]}'
    assert form.words(b"[1]") == "[1]"
