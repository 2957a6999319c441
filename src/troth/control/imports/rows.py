"""Imports: the rows of an import in the database, as its worker and its pages read and write them.

The worker's transactions are each for the import's client, so row-level security shows it nothing else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from troth.control.audit.scope import Connection
from troth.control.imports.importer import Taken
from troth.keys import places
from troth.keys.keyring import TenantKeys

RECEIVED, CHECKED, APPROVED, DONE, UNREADABLE, DROPPED = 1, 2, 3, 4, 5, 6
_COLUMNS = """
SELECT id, tenant_id, kind, name, source, options, digest, octets, parts, state, step, lines, good, bad, same, doubted,
       encoding, notes, chunks, rows_digest,
       next_chunk, outcome, why, created_by, created_at, checked_at, change_id, approved_at,
       done_at
FROM troth.import
"""


@dataclass(frozen=True, slots=True)
class Import:
    """A row of `import`; sql/0001_imports.sql says what each column is."""

    id: UUID
    tenant_id: UUID | None
    kind: str
    name: str
    source: str
    options: str
    digest: bytes
    octets: int
    parts: int
    state: int
    step: int
    lines: int | None
    good: int | None
    bad: int | None
    same: int | None
    doubted: int | None
    encoding: str | None
    notes: list[str]
    chunks: int | None
    rows_digest: bytes | None
    next_chunk: int
    outcome: str
    why: str | None
    created_by: UUID
    created_at: datetime
    checked_at: datetime | None
    change_id: UUID | None
    approved_at: datetime | None
    done_at: datetime | None

    @property
    def chosen(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.options)
        return found

    @property
    def became(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.outcome)
        return found


@dataclass(frozen=True, slots=True)
class Chunk:
    """`rows`: as they were found good, less those that a later line contradicted."""

    n: int
    digest: bytes
    rows: tuple[Taken, ...]


def find(connection: Connection, import_id: UUID) -> Import | None:
    """Where the transaction works; None for another client's."""
    with connection.cursor(row_factory=class_row(Import)) as cursor:
        return cursor.execute(f"{_COLUMNS} WHERE id = %s", (import_id,)).fetchone()


def newest(connection: Connection, tenant: UUID | None, before: UUID | None, most: int) -> list[Import]:
    whose = "tenant_id IS NOT DISTINCT FROM %s AND (%s::uuid IS NULL OR id < %s)"
    query = f"{_COLUMNS} WHERE {whose} ORDER BY id DESC LIMIT %s"
    with connection.cursor(row_factory=class_row(Import)) as cursor:
        return cursor.execute(query, (tenant, before, before, most)).fetchall()


def faults(
    connection: Connection, import_id: UUID, after: int, most: int, *, taken: bool = False
) -> list[tuple[int, str, str]]:
    """(line, code, hint) of what is left out, in the order of the lines; `taken`: of what is taken with a doubt."""
    query = """
    SELECT line, code, hint FROM troth.import_fault
    WHERE import_id = %s AND taken = %s AND line > %s ORDER BY line LIMIT %s
    """
    return connection.execute(query, (import_id, taken, after, most)).fetchall()


@dataclass(frozen=True, slots=True)
class Asking:
    """How many of an import are asked to confirm: in all, so far, and not at all, since there was no need any more."""

    to_ask: int
    asked: int
    passed: int

    @property
    def waiting(self) -> int:
        return self.to_ask - self.asked - self.passed


def asking(connection: Connection, import_id: UUID) -> Asking | None:
    """None: nobody of it confirms for themselves, or nothing was carried out yet."""
    query = "SELECT to_ask, asked, passed FROM troth.import_asking WHERE import_id = %s"
    with connection.cursor(row_factory=class_row(Asking)) as cursor:
        return cursor.execute(query, (import_id,)).fetchone()


def part(connection: Connection, one: Import, own: TenantKeys, n: int) -> bytes:
    """A part of what was handed in, opened."""
    query = "SELECT part_ct FROM troth.import_part WHERE import_id = %s AND n = %s"
    row = connection.execute(query, (one.id, n)).fetchone()
    if row is None:
        raise LookupError("a part of this file is missing")
    return own.open(bytes(row[0]), places.import_part(one.id, n))


def keep(connection: Connection, one: Import, own: TenantKeys, n: int, rows: Sequence[Taken]) -> None:
    """A chunk of good rows, sealed."""
    text = msgspec.json.encode([(row.line, row.value) for row in rows])
    sealed = own.seal(text, places.import_chunk(one.id, n))
    values = (one.id, n, rows[0].line, rows[-1].line, sealed)
    connection.execute("SELECT troth.import_chunk_v1(%s, %s, %s, %s, %s)", values)


def keep_faults(
    connection: Connection, one: Import, found: Sequence[tuple[int, str, str]], *, taken: bool = False
) -> None:
    if found:
        lines, codes, hints = (list(each) for each in zip(*found, strict=True))
        connection.execute("SELECT troth.import_faults_v1(%s, %s, %s, %s, %s)", (one.id, lines, codes, hints, taken))


def intact(connection: Connection, one: Import) -> bool:
    """Whether the chunks are those whose digest two people approved; asked before the first is carried out."""
    query = """
    SELECT sha256(coalesce(string_agg(sha256(rows_ct), ''::bytea ORDER BY n), '')) FROM troth.import_chunk
    WHERE import_id = %s
    """
    row = connection.execute(query, (one.id,)).fetchone()
    return row is not None and bytes(row[0]) == bytes(one.rows_digest or b"")


def chunk(connection: Connection, one: Import, own: TenantKeys, n: int) -> Chunk:
    """LookupError when it is not there any more."""
    query = "SELECT first_line, last_line, rows_ct, digest FROM troth.import_chunk WHERE import_id = %s AND n = %s"
    row = connection.execute(query, (one.id, n)).fetchone()
    if row is None:
        raise LookupError("a chunk of this import is missing")
    first, last, sealed, digest = row
    text = own.open(bytes(sealed), places.import_chunk(one.id, n))
    query = "SELECT line FROM troth.import_fault WHERE import_id = %s AND NOT taken AND line BETWEEN %s AND %s"
    out = {line for (line,) in connection.execute(query, (one.id, first, last)).fetchall()}
    found: list[tuple[int, dict[str, str]]] = msgspec.json.decode(text, type=list[tuple[int, dict[str, str]]])
    return Chunk(n, bytes(digest), tuple(Taken(*each) for each in found if each[0] not in out))


def call(connection: Connection, function: str, *values: Any) -> Any:
    """One of this room's functions; its name is ours, never somebody's word."""
    places_of = ", ".join(["%s"] * len(values))
    row = connection.execute(f"SELECT troth.{function}({places_of})", values).fetchone()
    return row[0] if row else None
