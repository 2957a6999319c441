"""Around the house: what the database holds, read from its own catalogue, so that no table can be forgotten.

A table's octets are PostgreSQL's COPY BINARY in the order of its primary key, so the same rows always give the same
SHA-256, in whatever database they lie.
"""

from typing import Any

import msgspec
import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

# filled by the migrations themselves, and compared by name
_SKIPPED = "django_migrations"
_TABLES = """
SELECT c.relname,
       array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
             AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
       array(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
             WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.n),
       array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attcollation <> 0)
FROM pg_class c
WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> %s
ORDER BY c.relname
"""
_PARTITIONS = """
SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE p.relnamespace = 'troth'::regnamespace AND c.relkind = 'r' AND c.relispartition ORDER BY 1, 2
"""
_SEQUENCES = "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'troth' ORDER BY 1"
_MIGRATIONS = "SELECT app::text, name::text FROM troth.django_migrations ORDER BY app, name"
_CHECKPOINT = """
SELECT size, encode(root, 'hex') FROM troth.ledger_checkpoint WHERE log_id = 1 ORDER BY size DESC LIMIT 1
"""


class Table(msgspec.Struct, frozen=True):
    """One table as a whole, its partitions in it; `text` are columns that have a collation."""

    name: str
    columns: list[str]
    key: list[str]
    text: list[str]

    def copy_out(self) -> sql.Composed:
        """Sorted by octets, so that the order does not hang on the database's collation."""
        order = sql.SQL(", ").join(self._sort(column) for column in self.key or self.columns)
        return sql.SQL("COPY (SELECT {} FROM troth.{} ORDER BY {}) TO STDOUT (FORMAT binary)").format(
            self._columns(), sql.Identifier(self.name), order
        )

    def copy_in(self) -> sql.Composed:
        return sql.SQL("COPY troth.{} ({}) FROM STDIN (FORMAT binary)").format(
            sql.Identifier(self.name), self._columns()
        )

    def _columns(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    def _sort(self, column: str) -> sql.Composed:
        collated = sql.SQL(' COLLATE "C"') if column in self.text else sql.SQL("")
        return sql.Identifier(column) + collated


class Sum(msgspec.Struct, frozen=True):
    """A table's rows, octets and SHA-256."""

    table: str
    rows: int
    octets: int
    sha256: str


class Partition(msgspec.Struct, frozen=True):
    parent: str
    name: str
    bound: str


class Manifest(msgspec.Struct, frozen=True):
    """The last record: what the whole must come to. `sequences`: name and last value (None: never used)."""

    installation: str
    mode: str
    cell: str
    taken: str  # the database's own clock
    server: str
    migrations: list[tuple[str, str]]
    tables: list[Sum]
    partitions: list[Partition]
    sequences: list[tuple[str, int | None]]
    checkpoint: tuple[int, str] | None
    files: list[str]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def tables(connection: Connection) -> list[Table]:
    return [Table(*row) for row in connection.execute(_TABLES, (_SKIPPED,))]


def partitions(connection: Connection) -> list[Partition]:
    return [Partition(*row) for row in connection.execute(_PARTITIONS)]


def sequences(connection: Connection) -> list[tuple[str, int | None]]:
    """Ask after the snapshot: a sequence is never behind a row that the snapshot sees."""
    return [(name, last) for name, last in connection.execute(_SEQUENCES)]


def migrations(connection: Connection) -> list[tuple[str, str]]:
    return [(app, name) for app, name in connection.execute(_MIGRATIONS)]


def checkpoint(connection: Connection) -> tuple[int, str] | None:
    """Size and root of the ledger's newest checkpoint."""
    row = connection.execute(_CHECKPOINT).fetchone()
    return (row[0], row[1]) if row else None


def empty(connection: Connection) -> bool:
    """Whether nothing of ours is in the database: no schema, or no table in it."""
    found = connection.execute(
        "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'troth'"
    )
    return found.fetchone() is None


def unfinished(connection: Connection) -> bool:
    """Whether the tables are there and no installation: a restore or a `troth init` that was killed."""
    there = connection.execute("SELECT to_regclass('troth.installation') IS NOT NULL").fetchone()
    if there != (True,):
        return False
    found = connection.execute("SELECT FROM troth.installation UNION ALL SELECT FROM troth.tenant").fetchone()
    return found is None
