"""Evidence in one file: a message's events with all that proves them to be in the ledger, and how that is verified.

    {"type": "troth.proof.v1", "message": id, "checkpoint": signed note, "vkey": verifier key,
     "events": [{"kind", "at", "leaf_hash", "leaf"?,
                 "batch": {"index", "leaf", "position", "proof": [...]}, "proof": [...]}]}

Hashes are lower-case hex, times microseconds since 1970. `batch.proof` leads from the event's leaf hash to the root
that the sealing leaf `batch.leaf` names, `proof` from that leaf to the checkpoint's root. `leaf` is what the event's
leaf hash is made of, where the maker could open it; without it message, kind and time are the maker's word.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from troth.ledger.canonical import CanonicalError, canonical
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.leaf import leaf_hash
from troth.ledger.proofs import BadProof, verify_inclusion
from troth.ledger.verify import SEAL, CannotVerify, Found, fields_of, read_note, trusted

TYPE = "troth.proof.v1"


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the event is among those that were sealed together; `leaf` is the sealing leaf's canonical text."""

    index: int
    leaf: str
    position: int
    proof: list[str]


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event and its proofs."""

    kind: str
    at: int
    leaf_hash: str
    batch: Batch
    proof: list[str]
    leaf: dict[str, str | int] | None = None


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    type: str
    message: str
    checkpoint: str
    vkey: str
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a receipt was found to prove; `opened` of its events say what they are made of."""

    message: str
    events: int
    opened: int
    checkpoint: Checkpoint
    vkey: str


def encode(receipt: Receipt) -> bytes:
    """As a file, indented."""
    return msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n"


def decode(data: bytes) -> Receipt:
    """Read a file; raise CannotVerify if it is none of these."""
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise CannotVerify(f"This is not a receipt: {wrong}.") from None
    if receipt.type != TYPE:
        raise CannotVerify(f"This is a {receipt.type!r}; {TYPE} is what can be verified here.")
    return receipt


def verify_receipt(receipt: Receipt, key: str | None = None) -> Verified:
    """Every event of the receipt is in the ledger that the checkpoint is of; raise Found or CannotVerify."""
    if not receipt.events:
        raise CannotVerify("The receipt has no event: there is nothing to prove.")
    checkpoint = read_note(receipt.checkpoint, trusted(key, receipt.vkey))
    for number, event in enumerate(receipt.events):
        try:
            _event(receipt.message, event, checkpoint)
        except (BadProof, CanonicalError, ValueError) as wrong:
            raise Found(f"event {number} ({event.kind}): {wrong}", event.batch.index) from None
        except Found as wrong:
            raise Found(f"event {number} ({event.kind}): {wrong.what}", event.batch.index) from None
    opened = sum(event.leaf is not None for event in receipt.events)
    return Verified(receipt.message, len(receipt.events), opened, checkpoint, receipt.vkey)


def _event(message: str, event: Event, checkpoint: Checkpoint) -> None:
    hashed = _octets(event.leaf_hash)
    if event.leaf is not None:
        _leaf(message, event, event.leaf, hashed)
    batch = fields_of(event.batch.leaf.encode())
    if batch["kind"] != SEAL:
        raise Found("the entry that should seal it seals nothing")
    count, root = int(batch.get("count", 0)), _octets(str(batch.get("root")))
    if not int(batch.get("first_at", 0)) <= event.at <= int(batch.get("last_at", 0)):
        raise Found("its time is not among those of the events that were sealed with it")
    verify_inclusion(event.batch.position, count, hashed, _hashes(event.batch.proof), root)
    sealing = leaf_hash(event.batch.leaf.encode())
    verify_inclusion(event.batch.index, checkpoint.size, sealing, _hashes(event.proof), checkpoint.root)


def _leaf(message: str, event: Event, leaf: dict[str, Any], hashed: bytes) -> None:
    if leaf_hash(canonical(leaf)) != hashed:
        raise Found("what it says it is made of has another hash")
    if (leaf.get("message"), leaf.get("kind"), leaf.get("at")) != (message, event.kind, event.at):
        raise Found("its message, kind or time is not what its leaf says")


def _hashes(proof: list[str]) -> list[bytes]:
    return [_octets(each) for each in proof]


def _octets(text: str) -> bytes:
    octets = bytes.fromhex(text)
    if octets.hex() != text:
        raise Found("a hash is not written in lower-case hex")
    return octets
