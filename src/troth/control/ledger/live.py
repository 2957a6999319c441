"""Evidence, verified where it lies: every row of the ledger's tables against what the leaves themselves make.

It reads by key pages while the sequencer goes on writing: what is judged is the ledger up to the size it had at the
start. With the writer it shares hashing and layout alone (troth.ledger).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from troth.control.ledger import rows
from troth.control.ledger.report import Report
from troth.control.ledger.rows import LOG_ID, BatchRow, CheckpointRow, Connection, Head, LeafRow
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.leaf import microseconds
from troth.ledger.note import Verifier
from troth.ledger.tree import Node
from troth.ledger.verify import SEAL, Entry, Found, Walk, batch_hashes, check_batch, check_note, check_signed

PAGE = 1024  # leaves

type Sealed = Callable[[Entry, Sequence[bytes]], None]
type Told = Callable[[Entry], None]


class Live:
    """One verification of the rows of one ledger.

    `sealed` is handed each batch's event hashes, `told` each entry, `progress` the leaves so far and in all.
    """

    def __init__(
        self,
        connection: Connection,
        head: Head,
        key: Verifier,
        since: Sequence[Checkpoint],
        *,
        sealed: Sealed,
        told: Told,
        progress: Callable[[int, int], None],
    ) -> None:
        self._connection = connection
        self._head = head
        self._key = key
        self._walk = Walk(since)
        self._sealed = sealed
        self._told = told
        self._progress = progress
        self._seals = 0

    def run(self, report: Report) -> None:
        """From the first leaf to the last; raise Found at the first row that is not as it must be."""
        size = self._head.size
        _own_log(self._head)
        for low in range(0, size, PAGE):
            self._page(low, min(low + PAGE, size), report)
            self._progress(self._walk.size, size)
        self._ends(report)
        report.entries, report.root = size, self._walk.root()

    def _page(self, low: int, high: int, report: Report) -> None:
        stored = rows.nodes(self._connection, [(level, low >> level, high >> level) for level in _levels(high)])
        batches = Peek(rows.batches(self._connection, low, high))
        checkpoints = Peek(iter(rows.checkpoints(self._connection, low, high)))
        for row in rows.leaves(self._connection, low, high):
            entry = self._walk.leaf(row.index, row.leaf.encode())
            _columns(row, entry)
            self._batch(entry, batches)
            for node in entry.completed:
                _node(node, stored)
            self._checkpoint(entry, checkpoints, report)
            self._told(entry)
        if self._walk.size < high:
            raise Found("it is missing", self._walk.size)
        report.nodes += len(stored)

    def _batch(self, entry: Entry, batches: "Peek[BatchRow]") -> None:
        row = batches.take(lambda row: row.index <= entry.index)
        if entry.kind != SEAL:
            if row:
                raise Found("a batch says that this entry seals it, and it does not", row.index)
            return
        if row is None or row.index != entry.index:
            raise Found("it seals a batch of events that is missing", entry.index)
        self._seals += 1
        self._sealed(entry, _batch(entry, row))

    def _checkpoint(self, entry: Entry, checkpoints: "Peek[CheckpointRow]", report: Report) -> None:
        row = checkpoints.take(lambda row: row.size <= self._walk.size)
        if row is None:
            check_signed(entry, report.size_signed)
            return
        checkpoint = check_note(row.note, self._key, row.size, self._walk.root())
        if row.root != checkpoint.root:
            raise Found(
                f"the root kept beside the checkpoint of {row.size} entries is not the one signed", row.size - 1
            )
        if row.at != checkpoint.at:
            raise Found(
                f"the time kept beside the checkpoint of {row.size} entries is not the one signed", row.size - 1
            )
        report.checkpoint(checkpoint)

    def _ends(self, report: Report) -> None:
        """What was not walked over must not be there."""
        size = self._walk.size
        if report.size_signed != size:
            raise Found(f"the newest checkpoint covers {report.size_signed} entries, the ledger has {size}", size)
        _exact(self._head, "ledger_leaf", size, "an entry")
        _exact(self._head, "ledger_batch", self._seals, "a batch")
        _exact(self._head, "ledger_checkpoint", report.checkpoints, "a checkpoint")
        _exact_nodes(self._head, size)
        _begun(self._head, report)
        self._walk.since.end(size)
        report.since = self._walk.since.passed


class Peek[T]:
    """An iterator whose next row is taken only when it is due."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._next: T | None = next(source, None)

    def take(self, due: Callable[[T], bool]) -> T | None:
        """The next row if it is due, else None."""
        row = self._next
        if row is None or not due(row):
            return None
        self._next = next(self._source, None)
        return row


def _columns(row: LeafRow, entry: Entry) -> None:
    stored = (row.leaf_hash, row.kind, str(row.tenant_id or ""), microseconds(row.at))
    for name, kept, own in zip(
        ("leaf_hash", "kind", "tenant_id", "at"), stored, (entry.hash, entry.kind, entry.tenant, entry.at), strict=True
    ):
        if kept != own:
            raise Found(f"its column {name} is not what its leaf says", entry.index)


def _batch(entry: Entry, row: BatchRow) -> Sequence[bytes]:
    hashes = batch_hashes(entry, row.hashes)
    check_batch(entry, hashes)
    if row.events != len(hashes):
        raise Found(f"its batch says {row.events} events and has {len(hashes)}", entry.index)
    _same_time("first_at", row.first_at, entry)
    _same_time("last_at", row.last_at, entry)
    return hashes


def _same_time(name: str, kept: datetime, entry: Entry) -> None:
    if microseconds(kept) != entry.fields.get(name):
        raise Found(f"its batch's column {name} is not what the sealing leaf says", entry.index)


def _node(node: Node, stored: dict[tuple[int, int], bytes]) -> None:
    level, index, hashed = node
    if stored.get((level, index)) != hashed:
        low, high = index << level, (index + 1 << level) - 1
        what = "is missing" if (level, index) not in stored else "is not what they make: one of them or it was changed"
        raise Found(f"the hash kept over entries {low} to {high} (level {level}, number {index}) {what}", low)


def _levels(size: int) -> range:
    """The levels of complete nodes in a tree of `size` leaves, without its leaves."""
    return range(1, size.bit_length())


def _own_log(head: Head) -> None:
    """There is one log; a row of another is a row that was moved out of this one, or put there."""
    found = {name: {row.log_id for row in counted} for name, counted in head.counted.items()}
    found["ledger_node"] = {row.log_id for row in head.nodes}
    found["ledger_key"] = {row.log_id for row in head.keys}
    for name, logs in found.items():
        if logs - {LOG_ID}:
            raise Found(f"{name} has rows of log {min(logs - {LOG_ID})}; there is only log {LOG_ID}")


def _exact(head: Head, name: str, expected: int, what: str) -> None:
    counted = sum(row.n for row in head.counted[name])
    if counted != expected:
        low = min((row.low for row in head.counted[name]), default=0)
        where = f", the lowest at {low}" if low < 0 else ""
        raise Found(f"{name} has {counted} rows and should have {expected}: {what} was added or doubled{where}")


def _exact_nodes(head: Head, size: int) -> None:
    there = {row.level: (row.n, row.low, row.high) for row in head.nodes}
    for level in _levels(size):
        n = size >> level
        if there.pop(level, None) != (n, 0, n - 1):
            raise Found(f"ledger_node has not exactly {n} rows of level {level}: one was added, moved or removed")
    if there:
        raise Found(f"ledger_node has rows of level {min(there)}, which a ledger of {size} entries has not")


def _begun(head: Head, report: Report) -> None:
    if len(head.keys) > 1:
        raise Found(f"ledger_key has {len(head.keys)} rows and should have one: a key was added")
    if head.keys and report.first_at and head.keys[0].created_at != report.first_at:
        raise Found("ledger_key's created_at is not the time of the first checkpoint")
