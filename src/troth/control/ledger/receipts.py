"""Evidence to hand out: a message's receipt, made from its rows (its form and verification: troth.ledger.receipt)."""

from uuid import UUID

import msgspec

from troth.control.ledger import events
from troth.control.ledger.proof import EventProof, event_proofs, newest
from troth.control.ledger.rows import Connection
from troth.ledger.leaf import event_leaf_fields, microseconds
from troth.ledger.receipt import TYPE, Batch, Event, Receipt
from troth.ledger.verify import Found


class NoReceipt(Exception):  # noqa: N818 - the name says what happened, as a sentence would
    """There is nothing to prove, or not yet; in a sentence."""

    temporary = False


def make(
    connection: Connection, reader: Connection, message: UUID, open_tenant: events.OpenTenant | None = None
) -> Receipt:
    """The receipt of a message. `reader` sees sealed details where `open_tenant` opens them; raise NoReceipt, Found."""
    checkpoint = newest(connection)
    proofs = event_proofs(connection, message, checkpoint)
    if not proofs:
        raise NoReceipt(f"There is no message {message}, or nothing was told of it.")
    if checkpoint is None or any(proof.sealed is None for proof in proofs):
        raise NoReceipt("Not all of its events are sealed yet: that takes up to five seconds while a sequencer runs.")
    leaves = _leaves(reader, message, open_tenant) if open_tenant else {}
    told = [_event(proof, leaves.get(proof.leaf_hash)) for proof in proofs]
    return Receipt(TYPE, str(message), checkpoint.note, checkpoint.vkey, told)


def _event(proof: EventProof, leaf: dict[str, str | int] | None) -> Event:
    if proof.sealed is None:
        raise TypeError("an event that is not sealed has no proof")
    batch = Batch(proof.sealed.index, proof.sealed.leaf, proof.sealed.position, _hex(proof.sealed.batch_proof))
    kind, at = proof.kind.name.lower(), microseconds(proof.at)
    return Event(kind, at, proof.leaf_hash.hex(), batch, _hex(proof.sealed.proof), leaf)


def _leaves(reader: Connection, message: UUID, open_tenant: events.OpenTenant) -> dict[bytes, dict[str, str | int]]:
    """What the events' leaf hashes are made of; nothing for an erased person."""
    found = {}
    for row in events.of_message(reader, message):
        document = events.opened(row, open_tenant)
        if document is None:
            continue
        try:
            found[row.leaf_hash] = event_leaf_fields(*events.event_fields(row, document))
        except (msgspec.DecodeError, ValueError) as wrong:
            raise Found(f"{row.name}: it does not make an event: {wrong}") from None
    return found


def _hex(hashes: tuple[bytes, ...]) -> list[str]:
    return [each.hex() for each in hashes]
