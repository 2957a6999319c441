"""Evidence of a period, judged: every hash, signature, proof and count of an auditor's bundle, and the draws again.

Needs the file and the public key, and nothing else. The rest of it is in bundle_parts.py. Found: something is not as it
was signed, or what was signed contradicts itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from troth.ledger import bundle as form
from troth.ledger.archive import unpack
from troth.ledger.bundle import Bundle, Range
from troth.ledger.bundle_parts import Shown, evidence, histories, messages, populations, promises, shown_entries
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.leaf import microseconds
from troth.ledger.note import Verifier
from troth.ledger.proofs import BadProof, verify_consistency
from troth.ledger.signed_file import opened, shaped, signed_text
from troth.ledger.tree import Tree, frontier, split
from troth.ledger.trust_check import MALFORMED, Asked, octets, signed
from troth.ledger.trust_check import verify as verify_trust
from troth.ledger.verify import Found, read_note, trusted

_MOST_MANIFEST = 2**24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to be so. `until`: to which time of the period the range is signed; `receipts`: of messages drawn;
    `tellings`: of promises, each with what was seen.
    """

    bundle: Bundle
    checkpoint: Checkpoint
    until: datetime
    shown: Shown
    receipts: int
    tellings: int


def verify(data: bytes, key: str | None = None, programme: str | None = None) -> Verified:
    """Raise Found, or CannotVerify where `key` is none."""
    try:
        return _verify(data, key, programme)
    except MALFORMED as wrong:
        raise Found(f"it is signed, and has not the form of a bundle ({type(wrong).__name__}: {wrong})") from None


def _verify(data: bytes, key: str | None, programme: str | None) -> Verified:
    files = unpack(data)
    body, note = opened(files.get(form.MANIFEST, b""), "bundle", form.TYPE, _MOST_MANIFEST)
    bundle = shaped(body, Bundle)
    verifier = trusted(key, bundle.vkey)
    signed(note, verifier, signed_text(form.TYPE, body))
    _files(bundle, files)
    _told(bundle, programme)
    checkpoint = read_note(bundle.checkpoint, verifier)
    ends = _range(bundle.range, files[form.HASHES], verifier, checkpoint)
    until = _period(bundle, verifier, checkpoint, ends)
    shown = shown_entries(bundle, files)
    tellings = histories(bundle, files, shown)
    promised = promises(bundle, files, tellings)
    populations(bundle, files, shown, ends.root)
    receipts = messages(bundle, files, bundle.vkey, checkpoint)
    evidence(bundle, files)
    _trust(bundle, files, checkpoint, promised)
    return Verified(bundle, checkpoint, until, shown, receipts, len(tellings))


def _files(bundle: Bundle, files: Mapping[str, bytes]) -> None:
    """The files are those of the manifest, and each is as it says."""
    names = [file.name for file in bundle.files]
    if missing := sorted({*names, *form.FIXED} - set(files)):
        raise Found(f"the file {missing[0]} is missing")
    if more := sorted(set(files) - {*names, form.MANIFEST}):
        raise Found(f"the file {more[0]} is none of this bundle")
    if names != sorted(set(names)) or not set(form.FIXED) <= set(names):
        raise Found("its manifest names a file twice, or not in its place, or leaves one out")
    for file in bundle.files:
        if (sha256(files[file.name]).hexdigest(), len(files[file.name])) != (file.sha256, file.bytes):
            raise Found(f"the file {file.name} is not the one that was signed")


def _told(bundle: Bundle, programme: str | None) -> None:
    if programme is not None and programme != bundle.programme.code:
        raise Found(f"it is of the programme {bundle.programme.code}, not of {programme}")
    if not bundle.begins < bundle.ends <= bundle.made_at:
        raise Found("its period ends before it begins, or after it was made")


def _range(told: Range, hashes: bytes, verifier: Verifier, checkpoint: Checkpoint) -> Checkpoint:
    """The leaves grow the tree from the first checkpoint to the last one, and that one grew to the bundle's."""
    ends = read_note(told.ends, verifier)
    if len(hashes) % 32 or told.end - told.start != len(hashes) // 32 or ends.size != told.end:
        raise Found("the hashes of its range are not as many as it says")
    tree = _begun(told, verifier)
    for hashed in split(hashes):
        tree.append(hashed)
    if tree.root() != ends.root:
        raise Found("the hashes of its range make another root than the checkpoint that ends it: one was changed, "
                    "added or left out")  # fmt: skip
    _grown(told, ends, checkpoint)
    return ends


def _begun(told: Range, verifier: Verifier) -> Tree:
    places = list(frontier(told.start))
    if len(places) != len(told.before) or (told.start > 0) != (told.begins is not None):
        raise Found("what its range begins with is missing")
    nodes = [(*place, octets(each)) for place, each in zip(places, told.before, strict=True)]
    tree = Tree.resume(told.start, nodes)
    if told.begins is not None:
        begins = read_note(told.begins, verifier)
        if (begins.size, begins.root) != (told.start, tree.root()):
            raise Found("its range does not begin with the checkpoint that it says")
    return tree


def _grown(told: Range, ends: Checkpoint, checkpoint: Checkpoint) -> None:
    proof = [octets(each) for each in told.growth]
    if told.end == 0:
        raise Found("it is of a ledger without entries, of which nothing can be proved")
    try:
        verify_consistency(ends.size, checkpoint.size, proof, ends.root, checkpoint.root)
    except BadProof as wrong:
        raise Found(f"its checkpoint does not extend the one that ends its range: {wrong}") from None


def _period(bundle: Bundle, verifier: Verifier, checkpoint: Checkpoint, ends: Checkpoint) -> datetime:
    """To when the range is signed: to the period's end, unless nothing came after it."""
    told = bundle.range
    if told.begins is not None and microseconds(read_note(told.begins, verifier).at) >= bundle.begins:
        raise Found("its range begins with a checkpoint of the period itself: what came before is left out")
    if microseconds(checkpoint.at) > bundle.made_at:
        raise Found("its checkpoint was signed after it was made")
    period_ends = _EPOCH + timedelta(microseconds=bundle.ends)
    if ends.at < period_ends and ends.size != checkpoint.size:
        raise Found("its range ends with a checkpoint of the period itself: what came after is left out")
    return min(ends.at, period_ends)


def _trust(bundle: Bundle, files: Mapping[str, bytes], checkpoint: Checkpoint, promised: list[str]) -> None:
    """The trust document is of the same programme, time and ledger."""
    at = _EPOCH + timedelta(microseconds=bundle.made_at)
    try:
        found = verify_trust(files[form.TRUST], Asked(at, bundle.vkey, programme=bundle.programme.code))
    except Found as wrong:
        raise Found(f"{form.TRUST}: {wrong.what}") from None
    if found.trust.programme != bundle.programme:
        raise Found(f"{form.TRUST}: it is of another programme")
    if sorted(each.id for each in found.trust.claims) != sorted(promised):
        raise Found(f"{form.PROMISES}: it does not name each promise of {form.TRUST} once")
    one_root(found.checkpoint, checkpoint)


def one_root(one: Checkpoint, other: Checkpoint) -> None:
    """Two checkpoints of one size are of one tree."""
    if one.size == other.size and one.root != other.root:
        raise Found("two of its checkpoints have the same size and different roots")
