"""Evidence in one file, judged: is what a programme's trust document says as it was signed, and in the ledger?

Needs the file and the public key, and nothing else. Found: something in it is not as it was issued, or it has expired.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from troth.ledger.checkpoint import Checkpoint
from troth.ledger.leaf import leaf_hash, microseconds
from troth.ledger.note import NoteError, Verifier, open_note, parse_note
from troth.ledger.proofs import BadProof, verify_inclusion
from troth.ledger.receipt import Entry
from troth.ledger.receipt_check import APPROVED
from troth.ledger.trust_document import (
    CLAIMED,
    HOLDS,
    MOVED,
    NO_CONTROL,
    NO_DATA,
    SAID,
    STALE,
    STATES,
    WITHDRAWN,
    Claim,
    Policy,
    Trust,
    decode,
)
from troth.ledger.verify import Found, fields_of, read_note, read_since, trusted

TOLD = "trust:claim:check"
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError)  # of what was signed all the same
_HASH = 32
_AHEAD = 300_000_000  # microseconds that the clock of whoever asks may be behind


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person knows already: the key, when it is, checkpoints seen earlier, whose document it should be."""

    at: datetime
    key: str | None = None
    since: Sequence[tuple[str, Sequence[str]]] = ()
    programme: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to be so. `proved`: promises whose telling the ledger has; `compared`: checkpoints held earlier
    that could be compared with this one, of `held`.
    """

    trust: Trust
    checkpoint: Checkpoint
    proved: int
    held: int
    compared: int


def verify(data: bytes, asked: Asked) -> Verified:
    """Raise Found, or CannotVerify where `asked` itself cannot be used."""
    try:
        return _verify(data, asked)
    except MALFORMED as wrong:
        raise Found(f"it is signed, and has not the form of its type ({type(wrong).__name__}: {wrong})") from None


def _verify(data: bytes, asked: Asked) -> Verified:
    trust, text, note = decode(data)
    verifier = trusted(asked.key, trust.ledger.vkey)
    signed(note, verifier, text)
    checkpoint = _checkpoint(trust, verifier)
    _whose(trust, asked)
    _times(trust, checkpoint, asked.at)
    _levels(trust)
    for level in trust.policy:
        _named(f"the policy’s level {level.level}", level.entry.index, partial(_policy, level, checkpoint))
    for claim in trust.claims:
        _named(f"the promise {claim.id}", None, partial(_claim, trust, claim, checkpoint))
    _manifest(trust)
    held = [one for name, notes in asked.since for one in read_since(notes, verifier, name)]
    compared = sum([_extends(one, checkpoint) for one in held])
    return Verified(trust, checkpoint, sum(claim.told is not None for claim in trust.claims), len(held), compared)


def signed(note: str, verifier: Verifier, text: str) -> None:
    """By this key, this text, and by nobody else."""
    try:
        if open_note(note, verifier) != text:
            raise Found("its signature is of something else: it was changed, or has another’s signature")
        if len(parse_note(note).signatures) != 1:
            raise Found("it has another signature beside its own")
    except NoteError as wrong:
        raise Found(f"its signature cannot be believed: {wrong}") from None


def included(entry: Entry, checkpoint: Checkpoint) -> dict[str, str | int]:
    """The entry is in the ledger; its leaf's fields."""
    if entry.leaf is None:
        raise Found("its entry of the ledger is not shown")
    hashed = leaf_hash(entry.leaf.encode())
    if hashed.hex() != entry.leaf_hash:
        raise Found("its entry of the ledger has another hash")
    verify_inclusion(entry.index, checkpoint.size, hashed, [octets(each) for each in entry.proof], checkpoint.root)
    return fields_of(entry.leaf.encode())


def octets(text: str) -> bytes:
    """A hash, written as it is here."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if found.hex() != text or len(found) != _HASH:
        raise Found("a hash is not written as 64 lower-case hexadecimal digits")
    return found


def _checkpoint(trust: Trust, verifier: Verifier) -> Checkpoint:
    checkpoint, told = read_note(trust.ledger.checkpoint, verifier), trust.ledger
    if (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) != (told.name, told.size, told.root):
        raise Found("the ledger’s name, size or root is not what the checkpoint says")
    return checkpoint


def _whose(trust: Trust, asked: Asked) -> None:
    told = trust.programme
    if asked.programme is not None and asked.programme != told.code:
        raise Found(f"it is of the programme {told.code}, not of {asked.programme}")
    if asked.host is not None and asked.host.lower().rstrip(".") != told.host:
        raise Found(f"it is of the host {told.host or '(none of its own)'}, not of {asked.host}")


def _times(trust: Trust, checkpoint: Checkpoint, at: datetime) -> None:
    now = microseconds(at)
    if trust.clock not in ("", MOVED):
        raise Found("its clock is none that there is")
    if trust.valid_until <= trust.issued_at:
        raise Found("it ends before it begins")
    if microseconds(checkpoint.at) > trust.issued_at:
        raise Found("its checkpoint was signed after it was issued")
    if now + _AHEAD < trust.issued_at and trust.clock != MOVED:
        raise Found("it is from the future: it was issued after the time that is asked about")
    if now > trust.valid_until:
        raise Found("it has expired: take a new one from the page that it came from")


def _levels(trust: Trust) -> None:
    """None but the programme's promise and the operator's own, each once."""
    levels = [level.level for level in trust.policy]
    if {*levels} - {f"programme:{trust.programme.code}", "operator"} or len({*levels}) < len(levels):
        raise Found("its policy is not that of its programme")


def _policy(level: Policy, checkpoint: Checkpoint) -> None:
    fields = included(level.entry, checkpoint)
    said = tuple(fields.get(name) for name in ("kind", "of", "digest"))
    if said != (APPROVED, "policy", level.digest) or str(fields.get("code")) != level.level or fields.get("tenant"):
        raise Found("the entry of its approval is of something else")
    octets(level.digest)


def _claim(trust: Trust, claim: Claim, checkpoint: Checkpoint) -> None:
    if claim.state not in STATES or claim.shown not in (CLAIMED, SAID, WITHDRAWN):
        raise Found("its state, or how it is shown, has no meaning")
    if (claim.shown == CLAIMED) != (claim.state == HOLDS) or (claim.shown == WITHDRAWN) == (claim.sentence is not None):
        raise Found("it is claimed though it does not hold, or told though it is withdrawn")
    if any(at is not None and at > trust.issued_at for at in (claim.checked_at, claim.since)):
        raise Found("it was looked at after the document was issued")
    if claim.told is not None:
        _told(trust, claim, included(claim.told, checkpoint))
    elif claim.state in (HOLDS, STALE) or claim.evidence is not None:
        raise Found("it is said to hold, and no entry of the ledger is shown that was told so")
    if claim.state == NO_CONTROL and (claim.how is not None or claim.checked_at is not None):
        raise Found("it has no control, and is said to have been looked at")


def _told(trust: Trust, claim: Claim, fields: dict[str, str | int]) -> None:
    owner = "" if claim.scope == "installation" else trust.programme.id
    if (fields["kind"], fields.get("claim"), fields.get("programme")) != (TOLD, claim.id, owner):
        raise Found("the entry of its telling is of another promise, or another programme’s")
    if fields.get("evidence") != claim.evidence:
        raise Found("what its control saw is not what the ledger was told")
    told, aged = fields.get("state"), (HOLDS, STALE)
    if told != claim.state and (told, claim.state) != aged and claim.state != NO_DATA:
        raise Found(f"the ledger was told that it {told}, the document says {claim.state}")
    if claim.checked_at is None or int(fields["at"]) > trust.issued_at:
        raise Found("it was told to the ledger after the document was issued, or never looked at")


def _manifest(trust: Trust) -> None:
    shown = {claim.id: _hashed(claim.sentence) for claim in trust.claims if claim.sentence is not None}
    if len({claim.id for claim in trust.claims}) != len(trust.claims):
        raise Found("it names a promise twice")
    if trust.manifest.sentences != shown:
        raise Found("the hashes of the sentences are not those of the sentences that it has")
    if len({file.name for file in trust.manifest.files}) != len(trust.manifest.files):
        raise Found("it names a document twice")
    for file in trust.manifest.files:
        octets(file.sha256)


def _hashed(sentence: str) -> str:
    return hashlib.sha256(sentence.encode()).hexdigest()


def _extends(held: Checkpoint, own: Checkpoint) -> bool:
    """Could it be compared? One size has one root, and a later checkpoint is never smaller."""
    if held.size == own.size and held.root != own.root:
        raise Found(f"rolled back: the checkpoint of {held.size} entries that you hold has another root")
    if (held.size > own.size and held.at < own.at) or (held.size < own.size and held.at > own.at):
        raise Found(f"rolled back: the checkpoint that you hold, of {held.at:%Y-%m-%d %H:%M:%S} UTC, has {held.size} "
                    f"entries, and the document’s, of {own.at:%Y-%m-%d %H:%M:%S} UTC, has {own.size}")  # fmt: skip
    return held.size == own.size


def _named(what: str, index: int | None, judge: Callable[[], None]) -> None:
    try:
        judge()
    except (Found, BadProof, ValueError) as wrong:
        said = wrong.what if isinstance(wrong, Found) else str(wrong)
        raise Found(f"{what}: {said}", index) from None
