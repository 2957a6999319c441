"""Evidence in one file, judged: is what a receipt says true? Needs the file and the public key, and nothing else.

Found: something in it is not as it was issued. CannotVerify: it is no receipt at all, or there is nothing to judge.
"""

import hashlib
from dataclasses import dataclass

from troth.ledger.canonical import CanonicalError, canonical
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.decided import NAME, Decided, digest_of
from troth.ledger.leaf import commit, leaf_hash, shown_salt
from troth.ledger.note import NoteError, Verifier, open_note, parse_note
from troth.ledger.proofs import BadProof, verify_inclusion
from troth.ledger.receipt import Batch, Event, Message, Receipt, Version, decode, octets
from troth.ledger.verify import SEAL, CannotVerify, Found, fields_of, read_note, trusted

APPROVED = "governance:change:approve"
SHOWN = ("all", "withheld", "erased")


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to be so. `opened`: events whose message, kind and time their leaf proves; `detailed`: those whose
    detail it proves, too; `decided`: messages whose decision and recipient it proves; `erased` messages show neither.
    """

    receipt: Receipt
    checkpoint: Checkpoint
    events: int
    opened: int
    detailed: int
    decided: int
    erased: int


@dataclass(frozen=True, slots=True)
class _Sealed:
    count: int
    root: bytes
    first_at: int
    last_at: int


def verify(data: bytes, key: str | None = None) -> Verified:
    """Everything that the file says is signed, and everything that can be proved is in the ledger; Found, CannotVerify.

    `key` is the verifier key as somebody trusts it; without it the receipt's own is believed.
    """
    receipt, text, note = decode(data)
    verifier = trusted(key, receipt.vkey)
    _signed(note, verifier, text)
    checkpoint = read_note(receipt.checkpoint, verifier)
    batches = _batches(receipt.batches, checkpoint)
    _versions(receipt, checkpoint)
    if not receipt.messages or not all(message.events for message in receipt.messages):
        raise CannotVerify("The receipt has a message without an event: there is nothing to prove.")
    if not len({message.id for message in receipt.messages}) == len(receipt.messages) <= receipt.email.recipients:
        raise Found("it has a message twice, or more messages than the email had")
    decided = sum([_message(receipt, message, batches) for message in receipt.messages])
    events = [event for message in receipt.messages for event in message.events]
    return Verified(
        receipt, checkpoint, len(events), sum(event.leaf is not None for event in events),
        sum(event.detail is not None for event in events), decided,
        sum(message.shown == "erased" for message in receipt.messages),
    )  # fmt: skip


def _signed(note: str, verifier: Verifier, text: str) -> None:
    try:
        if open_note(note, verifier) != text:
            raise Found("its signature is of another receipt: something in it was changed")
        if len(parse_note(note).signatures) != 1:
            raise Found("it has another signature beside its own")
    except NoteError as wrong:
        raise Found(f"its signature cannot be believed: {wrong}") from None


def _batches(batches: list[Batch], checkpoint: Checkpoint) -> dict[int, _Sealed]:
    found = {}
    for batch in batches:
        try:
            found[batch.index] = _batch(batch, checkpoint)
        except (Found, BadProof, ValueError) as wrong:
            raise Found(f"the sealing entry {batch.index}: {_why(wrong)}", batch.index) from None
    if len(found) != len(batches):
        raise Found("it has a sealing entry twice")
    return found


def _batch(batch: Batch, checkpoint: Checkpoint) -> _Sealed:
    fields = fields_of(batch.leaf.encode())
    if fields["kind"] != SEAL:
        raise Found("the entry that should seal events seals nothing")
    verify_inclusion(
        batch.index, checkpoint.size, leaf_hash(batch.leaf.encode()), _hashes(batch.proof), checkpoint.root
    )
    count, first_at, last_at = (int(fields.get(name, 0)) for name in ("count", "first_at", "last_at"))
    return _Sealed(count, _octets(str(fields.get("root"))), first_at, last_at)


def _versions(receipt: Receipt, checkpoint: Checkpoint) -> None:
    for version in receipt.versions:
        try:
            _version(version, checkpoint)
        except (Found, BadProof, ValueError) as wrong:
            said = f"the version of the {version.role} ({version.code}): {_why(wrong)}"
            raise Found(said, version.entry.index) from None
    snapshots = {version.role: version.snapshot for version in receipt.versions}
    told = {"category": receipt.email.category, "template": receipt.email.template}
    if any(snapshots.get(role) != snapshot for role, snapshot in told.items()) or len(snapshots) != len(
        receipt.versions
    ):
        raise Found("its versions are not those that the email names")


def _version(version: Version, checkpoint: Checkpoint) -> None:
    """Its approval is in the ledger; where the entry is shown, it is of this version, by one of those who approved."""
    entry = version.entry
    verify_inclusion(entry.index, checkpoint.size, _octets(entry.leaf_hash), _hashes(entry.proof), checkpoint.root)
    if any(approval.digest != version.digest for approval in version.approvals):
        raise Found("somebody approved other words than these")
    if entry.leaf is None:
        return
    if leaf_hash(entry.leaf.encode()).hex() != entry.leaf_hash:
        raise Found("the entry of its approval has another hash")
    fields = fields_of(entry.leaf.encode())
    said = tuple(fields.get(name) for name in ("kind", "of", "code", "subject", "change", "digest", "proposer"))
    own = (version.kind, version.code, version.subject, version.change, version.digest, version.proposer)
    if said != (APPROVED, *own) or fields["by"] not in {approval.human for approval in version.approvals}:
        raise Found("the entry of its approval is of something else")


def _message(receipt: Receipt, message: Message, batches: dict[int, _Sealed]) -> bool:
    """Is its decision proved, too?"""
    for number, event in enumerate(message.events):
        try:
            _event(receipt, message, event, batches)
        except (Found, BadProof, CanonicalError, ValueError) as wrong:
            raise Found(f"event {number} ({event.kind}) of {message.id}: {_why(wrong)}", event.batch) from None
    told = message.recipient or message.decision or any(event.detail is not None for event in message.events)
    if message.shown not in SHOWN or (message.shown != "all" and told):
        raise Found(f"the message {message.id} shows what it says it does not")
    committed = [event.detail[NAME] for event in message.events
                 if event.kind == "accepted" and isinstance(event.detail, dict) and NAME in event.detail]  # fmt: skip
    if not committed or message.decision is None or message.recipient is None:
        return False
    if committed != [digest_of(_decided(receipt, message, octets(message.decision)))]:
        raise Found(
            f"the decision, the recipient or the versions of {message.id} are not those that it was accepted with"
        )
    return True


def _decided(receipt: Receipt, message: Message, decision: bytes) -> Decided:
    email = receipt.email
    return Decided(
        email.id, message.id, message.recipient or "", email.category, email.template or "", email.policy, decision
    )


def _event(receipt: Receipt, message: Message, event: Event, batches: dict[int, _Sealed]) -> None:
    hashed = _octets(event.leaf_hash)
    if event.leaf is not None:
        _leaf(receipt, message, event, event.leaf)
    elif event.detail is not None or event.salt is not None:
        raise Found("its detail is shown without the leaf that it belongs to")
    if event.batch not in batches:
        raise Found("the entry that seals it is not in the receipt")
    sealed = batches[event.batch]
    if not sealed.first_at <= event.at <= sealed.last_at:
        raise Found("its time is not among those of the events that were sealed with it")
    verify_inclusion(event.position, sealed.count, hashed, _hashes(event.proof), sealed.root)


def _leaf(receipt: Receipt, message: Message, event: Event, leaf: dict[str, str | int]) -> None:
    if leaf_hash(canonical(leaf)).hex() != event.leaf_hash:
        raise Found("what it says it is made of has another hash")
    said = tuple(leaf.get(name) for name in ("message", "kind", "at", "tenant"))
    if said != (message.id, event.kind, event.at, receipt.email.tenant):
        raise Found("its message, kind, time or client is not what its leaf says")
    if event.salt is None and event.detail is None:
        return
    if event.salt is None or event.detail is None:
        raise Found("its detail is half shown")
    salt = bytes.fromhex(event.salt)
    if (leaf.get("salt"), leaf.get("detail")) != (shown_salt(salt), commit(salt, octets(event.detail).decode())):
        raise Found("its detail is not the one that its leaf commits to")


def _why(wrong: Exception) -> str:
    return wrong.what if isinstance(wrong, Found) else str(wrong)


def _hashes(proof: list[str]) -> list[bytes]:
    return [_octets(each) for each in proof]


def _octets(text: str) -> bytes:
    found = bytes.fromhex(text)
    if found.hex() != text or len(found) != hashlib.sha256().digest_size:
        raise Found("a hash is not written as 64 lower-case hexadecimal digits")
    return found
