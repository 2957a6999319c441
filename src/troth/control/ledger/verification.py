"""Evidence, judged on the running house: the ledger's rows, the line, the events and what was approved, in one go."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.control.evidence.told import Told
from troth.control.ledger import events, line, rows
from troth.control.ledger.counts import Counts
from troth.control.ledger.cover import MEMORY, Cover
from troth.control.ledger.erasures import Erasures
from troth.control.ledger.governed import Approvals
from troth.control.ledger.live import Live
from troth.control.ledger.report import Report
from troth.control.ledger.rows import Connection, Head
from troth.control.ledger.standings import Standings
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.note import Verifier
from troth.ledger.tree import EMPTY_ROOT
from troth.ledger.verify import Entry, Found, read_since, trusted

PATIENCE = 15.0  # seconds that something may wait in the line: three times the promised five


def _silent(_done: int, _all: int) -> None:
    """No progress to show."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How to verify. `key`: the one a person trusts; `since`: (name, notes) of files; `open_tenant`: the keyring."""

    key: str | None = None
    since: Sequence[tuple[str, Sequence[str]]] = ()
    open_tenant: events.OpenTenant | None = field(default=None, repr=False)
    patience: float = PATIENCE
    memory: int = MEMORY
    progress: Callable[[int, int], None] = _silent


def verify(connection: Connection, reader: Connection, asked: Asked) -> Report:
    """Judge the ledger of this database; raise Found or CannotVerify.

    `connection` is of troth_ledger; `reader` sees the events with their sealed detail (troth_flow), or is the same one.
    """
    report = Report("the database")
    started, waiting = time.monotonic(), line.oldest(connection)
    with Cover(asked.memory) as cover:
        acts = _Acts(Approvals(connection), Erasures(), Told(connection), Standings.read(connection))
        heaps = events.Heaps(cover, Counts(connection), acts.erasures)
        broken = _events(reader, connection, heaps, report, asked)
        report.waiting = line.check(connection, acts.waits)
        head = rows.head(connection)
        _ledger(connection, head, asked, report, cover, acts)
        if broken:  # after the ledger's own entries, which come first
            raise broken
        events.compare(connection, cover)
        heaps.counts.check(connection, report)
    report.governed = acts.check(connection)
    report.standings = acts.standings.check(connection)
    report.failing = acts.standings.failing()
    line.moves(connection, waiting, started, asked.patience, report)
    return report


@dataclass(frozen=True, slots=True)
class _Acts:
    """What must have its entry."""

    approvals: Approvals
    erasures: Erasures
    pieces: Told
    standings: Standings

    def told(self, fields: Mapping[str, str | int]) -> None:
        self._either(fields)
        self.standings.told(fields)

    def waits(self, fields: Mapping[str, str | int]) -> None:
        """The same of an entry of the line."""
        self._either(fields)
        self.standings.waits(fields)

    def _either(self, fields: Mapping[str, str | int]) -> None:
        self.approvals.told(fields)
        self.erasures.told(fields)
        self.pieces.told(fields)

    def check(self, connection: Connection) -> int:
        """How many versions were approved; raise Found."""
        self.erasures.check()
        for _, wrong in self.pieces.wrong(connection):
            raise Found(wrong)
        return self.approvals.check()


def _events(
    reader: Connection, connection: Connection, heaps: events.Heaps, report: Report, asked: Asked
) -> Found | None:
    """The event rows, then the line: whatever is told meanwhile is in the line or sealed when we come to those."""
    try:
        events.scan(reader, heaps, report, asked.open_tenant)
        events.line(connection, heaps.cover)
    except Found as found:
        return found
    return None


def _ledger(connection: Connection, head: Head, asked: Asked, report: Report, cover: Cover, acts: _Acts) -> None:
    def sealed(entry: Entry, hashes: Sequence[bytes]) -> None:
        report.sealed += len(hashes)
        cover.sealed(entry.index, hashes)

    def told(entry: Entry) -> None:
        acts.told(entry.fields)

    key, since = _key(head, asked, report)
    if key is None:
        report.root = EMPTY_ROOT
        return
    Live(connection, head, key, since, sealed=sealed, told=told, progress=asked.progress).run(report)


def _key(head: Head, asked: Asked, report: Report) -> tuple[Verifier | None, list[Checkpoint]]:
    """The key to verify with, and the checkpoints that are held; no key: nothing was signed, nor should have been."""
    own = next((row.vkey for row in head.keys if row.log_id == rows.LOG_ID), None)
    if own is None:
        if head.size or head.nodes or any(head.counted.values()) or head.keys:
            raise Found("the ledger's key is missing from ledger_key")
        if asked.since or asked.key:
            raise Found("rolled back: this ledger has no key and no entry yet")
        report.key = "none yet: nothing was signed"
        return None, []
    key = trusted(asked.key, own)
    report.key_given = asked.key is not None
    report.key = f"{own} ({'the one given' if asked.key else 'the database says so itself; --key checks that'})"
    return key, [one for name, notes in asked.since for one in read_since(notes, key, name)]
