"""Imports: a file is looked at row by row: what is good is sealed in chunks, what is not is kept as line and reason.

Begun again after a kill, it starts from the first line. Memory: about 130 octets a row, for finding rows that repeat or
contradict another; a million rows are the most.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from troth.control.audit.scope import Connection, within
from troth.control.imports import rows
from troth.control.imports.importer import Importer, Read, Row, Taken, Unfit, Unreadable
from troth.control.imports.rows import Import
from troth.control.imports.table import DETECT, Line, Table
from troth.keys.keyring import TenantKeys
from troth.keys.opened import Keys

MOST = 1_000_000  # rows of one file
CHUNK = 1_000  # rows; also how often progress is told
ENCODING = "encoding"  # the option that every upload has
_HINT = 400  # characters
_DIGEST = (1 << 64) - 1


@dataclass(slots=True)
class _Found:
    """What was found so far; `seen`: a row's key to its line and the digest of what it says."""

    lines: int = 0
    good: int = 0
    bad: int = 0
    same: int = 0
    chunks: int = 0
    seen: dict[int, int] = field(default_factory=dict)
    contradicted: set[int] = field(default_factory=set)
    batch: list[Taken] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)


class Stopped(Exception):  # noqa: N818 - the process ends; the file waits
    """Asked to end before the end of the file."""


def check(
    connection: Connection, keys: Keys, own: TenantKeys, importer: Importer, one: Import, stopped: Callable[[], bool]
) -> None:
    """All of it; afterwards the import is checked, or unreadable."""
    with within(connection, one.tenant_id):
        rows.call(connection, "import_begin_v1", one.id)
    try:
        _check(connection, keys, own, importer, one, stopped)
    except Unreadable as why:
        with within(connection, one.tenant_id):
            rows.call(connection, "import_unreadable_v1", one.id, str(why)[:2000])


def _check(
    connection: Connection, keys: Keys, own: TenantKeys, importer: Importer, one: Import, stopped: Callable[[], bool]
) -> None:
    options, found = one.chosen, _Found()
    opened = getattr(importer, "opened", Table)  # an importer may know other files than CSV
    table = opened(_parts(connection, one, own), options.get(ENCODING, DETECT))
    read = importer.begin(table.header, options, keys)
    for line in table:
        found.lines += 1
        if found.lines > MOST:
            raise Unreadable(f"The file has more than {MOST:,} rows: split it, and import each part.")
        _take(found, line, len(table.header), read)
        if found.lines % CHUNK == 0:
            if stopped():
                raise Stopped
            _flush(connection, one, own, found)
    if not found.lines:
        raise Unreadable("The file has no rows: only its first line, which names the columns.")
    _flush(connection, one, own, found)
    ignored = [each[:100] for each in importer.words.ignored(table.header) if each]
    notes = [importer.then(options, found.good)]
    if ignored:
        notes.append(f"Not looked at: the column{'s' if len(ignored) > 1 else ''} {', '.join(ignored)}.")
    values = (table.encoding, notes, found.lines, found.good, found.bad, found.same)
    with within(connection, one.tenant_id):
        rows.call(connection, "import_checked_v1", one.id, *values)


def _parts(connection: Connection, one: Import, own: TenantKeys) -> Iterator[bytes]:
    """Each part is read in a transaction of its own, so that none lasts as long as the check."""
    for n in range(one.parts):
        with within(connection, one.tenant_id):
            part = rows.part(connection, one, own, n)
        yield part


def _take(found: _Found, line: Line, width: int, read: Read) -> None:
    try:
        row = read(_cells(line, width))
    except Unfit as unfit:
        found.bad += 1
        found.faults.append((line.number, unfit.code, unfit.hint[:_HINT]))
        return
    _compare(found, line.number, row)


def _cells(line: Line, width: int) -> tuple[str, ...]:
    if line.fault:
        raise Unfit("quotes", line.fault)
    if len(line.cells) < width or any(line.cells[width:]):
        raise Unfit("cells", f"This line has {len(line.cells)} cells, and the first line names {width} columns.")
    return line.cells[:width]


def _compare(found: _Found, number: int, row: Row) -> None:
    key = int.from_bytes(row.key[:16])
    said = int.from_bytes(
        hashlib.sha256(msgspec.json.encode(row.value if row.says is None else row.says, order="sorted")).digest()[:8]
    )
    before = found.seen.get(key)
    if before is None:
        found.seen[key] = number << 64 | said
        found.batch.append(Taken(number, row.value))
        found.good += 1
        return
    first, agrees = before >> 64, before & _DIGEST == said
    if key not in found.contradicted and agrees:
        found.same += 1
        found.faults.append((number, "repeated", f"The same as line {first:,}, which is taken once."))
        return
    if key not in found.contradicted:
        found.contradicted.add(key)
        found.good, found.bad = found.good - 1, found.bad + 1
        found.faults.append((first, "contradicted", f"Line {number:,} is about the same one and says otherwise."))
    found.bad += 1
    found.faults.append((number, "contradicts", f"Line {first:,} is about the same one and says otherwise."))


def _flush(connection: Connection, one: Import, own: TenantKeys, found: _Found) -> None:
    with within(connection, one.tenant_id):
        if found.batch:
            rows.keep(connection, one, own, found.chunks, found.batch)
            found.chunks += 1
        rows.keep_faults(connection, one, found.faults)
        rows.call(connection, "import_step_v1", one.id, found.lines)
    found.batch, found.faults = [], []
