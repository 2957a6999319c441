"""Imports: a file is looked at row by row: what is good is sealed in chunks, what is not is kept as line and reason.

Begun again after a kill, it starts from the first line. A million rows are the most (finding.py says why).
"""

from collections.abc import Callable, Iterator

from troth.control.audit.scope import Connection, within
from troth.control.imports import rows
from troth.control.imports.finding import Found
from troth.control.imports.hosts import Hosts
from troth.control.imports.importer import Ground, Importer, Stopped, Unreadable, Waits
from troth.control.imports.rows import Import
from troth.control.imports.table import DETECT, Table
from troth.keys.keyring import TenantKeys
from troth.keys.opened import Keys
from troth.outside.dns import Resolver

MOST = 1_000_000  # rows of one file
CHUNK = 1_000  # rows; also how often progress is told
ENCODING = "encoding"  # the option that every upload has
_WAITED = "For an hour the DNS answered nothing, so this file’s domains could not be looked up: hand it in again later."


def check(
    connection: Connection, keys: Keys, own: TenantKeys, importer: Importer, one: Import, stopped: Callable[[], bool],
    resolver: Resolver | None = None,
) -> None:  # fmt: skip
    """All of it; afterwards the import is checked, or unreadable. Waits: not now, and the import says why."""
    with within(connection, one.tenant_id):
        rows.call(connection, "import_begin_v1", one.id)
    hosts = Hosts(resolver, stopped) if resolver is not None else None
    try:
        _check(connection, keys, own, importer, one, stopped, hosts)
    except Unreadable as why:
        _unreadable(connection, one, str(why))
    except Waits as why:
        with within(connection, one.tenant_id):
            waits = rows.call(connection, "import_waits_v1", one.id, str(why))
        if waits:
            raise
        _unreadable(connection, one, _WAITED)


def _unreadable(connection: Connection, one: Import, why: str) -> None:
    with within(connection, one.tenant_id):
        rows.call(connection, "import_unreadable_v1", one.id, why[:2000])


def _check(
    connection: Connection, keys: Keys, own: TenantKeys, importer: Importer, one: Import, stopped: Callable[[], bool],
    hosts: Hosts | None,
) -> None:  # fmt: skip
    options, found = one.chosen, Found()
    opened = getattr(importer, "opened", Table)  # an importer may know other files than CSV
    table = opened(_parts(connection, one, own), options.get(ENCODING, DETECT))
    with within(connection, one.tenant_id):
        read = importer.begin(table.header, options, Ground(connection, keys, one.tenant_id))
    for line in table:
        if found.lines == MOST:
            raise Unreadable(f"The file has more than {MOST:,} rows: split it, and import each part.")
        found.take(line, len(table.header), read)
        if found.lines % CHUNK == 0:
            if stopped():
                raise Stopped
            _flush(connection, one, own, found, hosts)
    if not found.lines:
        raise Unreadable("The file has no rows: only its first line, which names the columns.")
    _flush(connection, one, own, found, hosts)
    notes = [importer.then(options, found.good), *_ignored(importer, table.header)]
    values = (table.encoding, notes, found.lines, found.good, found.bad, found.same)
    with within(connection, one.tenant_id):
        rows.call(connection, "import_checked_v1", one.id, *values)


def _ignored(importer: Importer, header: tuple[str, ...]) -> Iterator[str]:
    ignored = [each[:100] for each in importer.words.ignored(header) if each]
    if ignored:
        yield f"Not looked at: the column{'s' if len(ignored) > 1 else ''} {', '.join(ignored)}."


def _parts(connection: Connection, one: Import, own: TenantKeys) -> Iterator[bytes]:
    """Each part is read in a transaction of its own, so that none lasts as long as the check."""
    for n in range(one.parts):
        with within(connection, one.tenant_id):
            part = rows.part(connection, one, own, n)
        yield part


def _flush(connection: Connection, one: Import, own: TenantKeys, found: Found, hosts: Hosts | None) -> None:
    found.settle(hosts)
    with within(connection, one.tenant_id):
        if found.batch:
            rows.keep(connection, one, own, found.chunks, found.batch)
            found.chunks += 1
        rows.keep_faults(connection, one, found.faults)
        rows.keep_faults(connection, one, found.doubts, taken=True)
        rows.call(connection, "import_step_v1", one.id, found.lines)
    found.batch, found.faults, found.doubts = [], [], []
