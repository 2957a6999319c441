"""Imports: what a check has found so far: rows to seal, lines that are left out and why, and which rows say the same,
or contradict one another. About 130 octets a row: of each row a digest is remembered, never what it says.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from troth.control.imports.hosts import Hosts
from troth.control.imports.importer import Read, Row, Taken, Unfit
from troth.control.imports.table import Line

HINT = 400  # characters
DOUBT = "doubt"
_DIGEST = (1 << 64) - 1
type Told = list[tuple[int, str, str]]  # line, code, hint


@dataclass(slots=True)
class Found:
    """`waiting`: rows of this batch that are in order by themselves; `batch`, `faults`, `doubts`: to be kept next.
    `seen`: a row's key to its line and the digest of what it says.
    """

    lines: int = 0
    good: int = 0
    bad: int = 0
    same: int = 0
    chunks: int = 0
    seen: dict[int, int] = field(default_factory=dict)
    contradicted: set[int] = field(default_factory=set)
    waiting: list[tuple[int, Row]] = field(default_factory=list)
    batch: list[Taken] = field(default_factory=list)
    faults: Told = field(default_factory=list)
    doubts: Told = field(default_factory=list)

    def take(self, line: Line, width: int, read: Read) -> None:
        """One line of the file."""
        self.lines += 1
        try:
            self.waiting.append((line.number, read(_cells(line, width))))
        except Unfit as unfit:
            self._leave(line.number, unfit)

    def settle(self, hosts: Hosts | None) -> None:
        """What waited is taken or left out, once the DNS was asked for its domains."""
        asked = {row.domain for _, row in self.waiting if row.domain}
        if asked:
            if hosts is None:
                raise LookupError("this process has no resolver to look domains up with")
            hosts.ask(asked)
        unfit = {domain: hosts.unfit(domain) for domain in asked} if hosts else {}
        for number, row in self.waiting:
            if (why := unfit.get(row.domain)) is not None:
                self._leave(number, why)
            else:
                self._compare(number, row)
        self.waiting.clear()

    def _leave(self, number: int, unfit: Unfit) -> None:
        self.bad += 1
        self.faults.append((number, unfit.code, unfit.hint[:HINT]))

    def _compare(self, number: int, row: Row) -> None:
        key, said = int.from_bytes(row.key[:16]), _digest(row)
        before = self.seen.get(key)
        if before is None:
            self.seen[key] = number << 64 | said
            self.batch.append(Taken(number, row.value))
            self.good += 1
            if row.doubt:
                self.doubts.append((number, DOUBT, row.doubt[:HINT]))
            return
        first, agrees = before >> 64, before & _DIGEST == said
        if key not in self.contradicted and agrees:
            self.same += 1
            self.faults.append((number, "repeated", f"The same as line {first:,}, which is taken once."))
            return
        if key not in self.contradicted:
            self.contradicted.add(key)
            self.good, self.bad = self.good - 1, self.bad + 1
            self.faults.append((first, "contradicted", f"Line {number:,} is about the same one and says otherwise."))
        self.bad += 1
        self.faults.append((number, "contradicts", f"Line {first:,} is about the same one and says otherwise."))


def _digest(row: Row) -> int:
    said: object = row.value if row.says is None else row.says
    return int.from_bytes(hashlib.sha256(msgspec.json.encode(said, order="sorted")).digest()[:8])


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _cells(line: Line, width: int) -> Sequence[str]:
    if line.fault:
        raise Unfit(line.code, line.fault)
    if len(line.cells) < width or any(line.cells[width:]):
        cells, columns = _number(len(line.cells), "cell"), _number(width, "column")
        raise Unfit("cells", f"{line.where} has {cells}, and the first line names {columns}.")
    return line.cells[:width]
