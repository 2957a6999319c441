"""Around the house: loads a backup into an empty database, in one transaction that also compares every table's sum.

The owner loads: constraints are dropped and made again, which checks them; triggers sleep meanwhile, since what they
would write is in the backup, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from troth.cli.backup import catalogue, opening
from troth.cli.backup.catalogue import Connection, Manifest
from troth.cli.backup.opening import Contents, Opened
from troth.cli.backup.sealed import FRAME, NotWhole
from troth.cli.backup.taking import Tell, summed

_FOREIGN = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'troth'::regnamespace AND conparentid = 0 ORDER BY 1, 2
"""
_TRIGGERS = """
SELECT t.tgrelid::regclass::text, quote_ident(t.tgname),
       CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'troth'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'D'
"""
_FORCED = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'troth'::regnamespace AND relforcerowsecurity"


def load(connection: Connection, path: Path, key: bytes, contents: Contents, tell: Tell) -> None:
    """Everything but what `holding` adds; the caller's transaction makes it all or nothing."""
    _same_shape(connection, contents)
    _partitions(connection, contents.manifest)
    with _asleep(connection):
        _empty(connection)
        for part in opening.parts(path, key):
            if isinstance(part, Opened):
                _table(connection, part, tell)
        _sequences(connection, contents.manifest)
    _compare(connection, contents.manifest)


def _same_shape(connection: Connection, contents: Contents) -> None:
    """The same migrations make the same tables; whoever changed one by hand must know that it is not restored."""
    ours = {table.name: table for table in catalogue.tables(connection)}
    theirs = {table.name: table for table in contents.tables}
    if different := [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]:
        raise NotWhole(f"The backup's tables are not this version's ({', '.join(different)}): nothing was changed.")


def _partitions(connection: Connection, manifest: Manifest) -> None:
    there = {part.name for part in catalogue.partitions(connection)}
    for part in manifest.partitions:
        if part.name not in there:
            name, parent = sql.Identifier("troth", part.name), sql.Identifier("troth", part.parent)
            like = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)")
            connection.execute(like.format(name, parent))
            # the bound is PostgreSQL's own text, out of a file whose every octet was authenticated
            attach = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} {}")
            connection.execute(attach.format(parent, name, sql.SQL(part.bound)))


@contextmanager
def _asleep(connection: Connection) -> Iterator[None]:
    """Without triggers, foreign keys and forced row-level security; all are back at the end.

    The statements are made of names and definitions that PostgreSQL itself has quoted.
    """
    foreign = connection.execute(_FOREIGN).fetchall()
    triggers = connection.execute(_TRIGGERS).fetchall()
    forced = connection.execute(_FORCED).fetchall()
    asleep = [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in foreign]
    asleep += [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for table, name, _ in triggers]
    asleep += [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for (table,) in forced]
    awake = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}" for table, name, what in foreign]
    awake += [f"ALTER TABLE {table} {state} TRIGGER {name}" for table, name, state in triggers]
    awake += [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for (table,) in forced]
    for statement in asleep:
        connection.execute(statement)
    yield
    for statement in awake:
        connection.execute(statement)


def _empty(connection: Connection) -> None:
    """What migrations have put there is in the backup, too."""
    names = sql.SQL(", ").join(sql.Identifier("troth", table.name) for table in catalogue.tables(connection))
    connection.execute(sql.SQL("TRUNCATE {}").format(names))


def _table(connection: Connection, part: Opened, tell: Tell) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(part.table.copy_in()) as rows:
            for octets in part.stream:
                for start in range(0, len(octets), FRAME):
                    rows.write(octets[start : start + FRAME])
        total = part.stream.total
        if cursor.rowcount != total.rows:
            raise NotWhole(f"{part.table.name}: {cursor.rowcount} rows came in of {total.rows}: nothing was changed.")
    if total.rows:
        tell(f"{part.table.name}: {total.rows} rows")


def _sequences(connection: Connection, manifest: Manifest) -> None:
    for name, last in manifest.sequences:
        where = sql.Identifier("troth", name).as_string(connection)
        connection.execute("SELECT setval(%s::regclass, %s, %s)", (where, last or 1, last is not None))


def _compare(connection: Connection, manifest: Manifest) -> None:
    """Read every table back: what lies in the database is what lay in the other one."""
    ours = [summed(connection, table, _nowhere) for table in catalogue.tables(connection)]
    if different := [ours.table for ours, theirs in zip(ours, manifest.tables, strict=True) if ours != theirs]:
        raise NotWhole(f"Read back, these tables differ from the backup: {', '.join(different)}. Nothing was changed.")
    checkpoint = catalogue.checkpoint(connection)
    if checkpoint != manifest.checkpoint:
        raise NotWhole("The ledger's newest checkpoint is not the backup's: nothing was changed.")
    missing = {part.name for part in manifest.partitions} - {part.name for part in catalogue.partitions(connection)}
    if missing:
        raise NotWhole(f"Partitions are missing: {', '.join(sorted(missing))}. Nothing was changed.")


def _nowhere(_octets: bytes) -> None:
    """For sums alone."""
