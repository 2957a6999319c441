"""Evidence, judged: is what a ledger shows of itself true? Pure; with the writer it shares hashing and layout alone.

A reader of rows or of files feeds a `Walk` leaf by leaf and asks the checks here about what lies beside them. The first
thing that is not as it must be is raised as `Found`; what cannot be judged at all is `CannotVerify`.

    Found          permanent: something was changed, removed, added or put elsewhere; `index` names the entry
    CannotVerify   not judged: what was given to verify is not there, or not what it was said to be
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from troth.ledger.canonical import CanonicalError, canonical, parse_canonical
from troth.ledger.checkpoint import Checkpoint, NoteError, UnverifiedNote, parse, read_unverified
from troth.ledger.leaf import HASH_BYTES, leaf_hash
from troth.ledger.note import Verifier, parse_note, parse_vkey
from troth.ledger.tree import Node, Tree, merkle_root, split

SEAL = "evidence:batch:seal"
_OWN = {"at": int, "kind": str, "tenant": str}  # what every leaf says of itself


class Found(Exception):  # noqa: N818 - the name says what happened, as a sentence would
    """The first bad entry: its index in the ledger (None: it has none), and what is wrong, in a sentence."""

    temporary = False

    def __init__(self, what: str, index: int | None = None) -> None:
        super().__init__(what if index is None else f"entry {index}: {what}")
        self.index = index
        self.what = what


class CannotVerify(Exception):  # noqa: N818 - the name says what happened, as a sentence would
    """There is nothing to judge, in a sentence that says why and what to do."""

    temporary = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf, read: its own keys say when (microseconds since 1970), what, and whose ("" for nobody's)."""

    index: int
    hash: bytes
    at: int
    kind: str
    tenant: str
    fields: dict[str, str | int]
    completed: tuple[Node, ...]


@dataclass(slots=True)
class Since:
    """Checkpoints that somebody holds from earlier; the walk must come through each of them."""

    held: list[Checkpoint]
    passed: int = 0
    _next: list[Checkpoint] = field(init=False)

    def __post_init__(self) -> None:
        self._next = sorted(self.held, key=lambda checkpoint: checkpoint.size, reverse=True)

    def due(self, size: int) -> bool:
        """Is there one of this size, not yet compared?"""
        return bool(self._next) and self._next[-1].size <= size

    def compare(self, size: int, root: bytes) -> None:
        """The walk has this root at this size."""
        while self.due(size):
            held = self._next.pop()
            if held.root != root:
                raise Found(
                    f"rolled back: the checkpoint of {held.size} entries, {held.at:%Y-%m-%d %H:%M:%S} UTC, has another "
                    "root than this ledger has at that size: what is here does not extend what was seen then",
                    size - 1 if size else None,
                )
            self.passed += 1

    def end(self, size: int) -> None:
        """The walk is over at this size."""
        if self._next:
            held = self._next[0]
            raise Found(
                f"rolled back: the checkpoint of {held.at:%Y-%m-%d %H:%M:%S} UTC saw {held.size} entries, "
                f"this ledger has {size}",
                size,
            )


class Walk:
    """From the first leaf to the last: each is whole, canonical, and in its place."""

    def __init__(self, since: Sequence[Checkpoint] = ()) -> None:
        self._tree = Tree()
        self.since = Since(list(since))
        if self.since.due(0):
            self.since.compare(0, self._tree.root())

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._tree.size

    def root(self) -> bytes:
        """The root over the leaves so far."""
        return self._tree.root()

    def leaf(self, index: int, data: bytes) -> Entry:
        """Take the next leaf; raise Found if it is another one, or not in its one form."""
        if index != self._tree.size:
            raise Found(_gap(self._tree.size, index), self._tree.size)
        try:
            fields = fields_of(data)
        except Found as wrong:
            raise Found(wrong.what, index) from None
        hashed = leaf_hash(data)
        completed = tuple(self._tree.append(hashed))
        if self.since.due(self.size):
            self.since.compare(self.size, self.root())
        return Entry(index, hashed, int(fields["at"]), str(fields["kind"]), str(fields["tenant"]), fields, completed)


def check_batch(entry: Entry, hashes: Sequence[bytes]) -> None:
    """The event leaf hashes that a sealing leaf seals are these, in this order."""
    if len(hashes) != entry.fields.get("count"):
        raise Found(f"the leaf seals {entry.fields.get('count')} events, its batch has {len(hashes)}", entry.index)
    if merkle_root(hashes).hex() != entry.fields.get("root"):
        raise Found("the batch's event hashes make another root than the sealing leaf says", entry.index)


def batch_hashes(entry: Entry, data: bytes) -> list[bytes]:
    """A batch's concatenated hashes, cut."""
    if len(data) % HASH_BYTES:
        raise Found("the batch's hashes are cut off: not a multiple of 32 bytes", entry.index)
    return split(data)


def check_note(note: str, key: Verifier, size: int, root: bytes) -> Checkpoint:
    """A stored checkpoint: signed by `key` and by it alone, of this size, with the root that the leaves make."""
    last = size - 1
    try:
        checkpoint = read_note(note, key)
    except Found as wrong:
        raise Found(f"the checkpoint of {size} entries: {wrong.what}", last) from None
    if checkpoint.size != size:
        raise Found(f"the checkpoint kept for {size} entries says {checkpoint.size}", last)
    if checkpoint.root != root:
        raise Found(f"the leaves make another root than the checkpoint of {size} entries signed", last)
    return checkpoint


def check_signed(entry: Entry, signed: int) -> None:
    """A sealing leaf is the last of its turn: a checkpoint was signed over it. `signed`: size of the newest so far."""
    if entry.kind == SEAL and signed != entry.index + 1:
        raise Found(
            f"the checkpoint of {entry.index + 1} entries, which was signed as it sealed, is missing", entry.index
        )


def read_note(note: str, key: Verifier) -> Checkpoint:
    """A stored checkpoint, signed by `key` and by it alone."""
    try:
        checkpoint = parse(note, key)
        signatures = len(parse_note(note).signatures)
    except NoteError as wrong:
        raise Found(f"a checkpoint that cannot be believed: {wrong}") from None
    if signatures != 1:
        raise Found(f"a checkpoint with {signatures} signatures, not its own alone")
    return checkpoint


def read_key(vkey: str) -> Verifier:
    """The ledger's own key, as it keeps it."""
    try:
        return parse_vkey(vkey)
    except NoteError as wrong:
        raise Found(f"the ledger's key is not one: {wrong}") from None


def trusted(given: str | None, own: str) -> Verifier:
    """The key to verify with: the one that a person trusts, which must be the ledger's own, else the ledger's own."""
    if given is None:
        return read_key(own)
    try:
        key = parse_vkey(given.strip())
    except NoteError as wrong:
        raise CannotVerify(f"--key: {wrong}") from None
    if read_key(own) != key:
        raise Found("the ledger keeps another key than the trusted one: it was replaced, or this is another ledger")
    return key


def read_since(notes: Iterable[str], key: Verifier, name: str) -> list[Checkpoint]:
    """The checkpoints that a person holds. Of another log: not judged; of this one, but with another key: found."""
    found: list[Checkpoint] = []
    for note in notes:
        try:
            found.append(parse(note, key))
        except UnverifiedNote as wrong:
            other = _origin(note, name)
            if other != key.name:
                raise CannotVerify(f"{name} holds a checkpoint of another log, {other}; this is {key.name}") from None
            raise Found(f"{name}: {wrong}. Either the ledger's key was replaced, or this checkpoint is false") from None
        except NoteError as wrong:
            raise CannotVerify(f"{name} holds something that is not a checkpoint: {wrong}") from None
    if not found:
        raise CannotVerify(f"{name} holds no checkpoint")
    return found


def _origin(note: str, name: str) -> str:
    try:
        return read_unverified(note).origin
    except NoteError as wrong:
        raise CannotVerify(f"{name} holds something that is not a checkpoint of ours: {wrong}") from None


def fields_of(data: bytes) -> dict[str, str | int]:
    """A leaf's fields; raise Found if these bytes are not a leaf in its one form."""
    try:
        fields: dict[str, str | int] = parse_canonical(data)
        canonical(fields)
    except CanonicalError as wrong:
        raise Found(f"its leaf is not in canonical form: {wrong}") from None
    if any(type(fields.get(name)) is not kind for name, kind in _OWN.items()):
        raise Found("its leaf does not say when, what and whose (at, kind, tenant)")
    return fields


def _gap(expected: int, index: int) -> str:
    if index > expected:
        return f"it is missing; the next that is there is {index}"
    return f"in its place is one that calls itself {index}"
