"""Around the house: takes a backup of a running platform: one snapshot of every table, streamed out and sealed.

    header | settings file, web key | table, octets, sum | ... | manifest

Nothing waits for it but a migration: readers and writers go on, and it holds no lock that they want.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from troth.cli.backup import catalogue
from troth.cli.backup.catalogue import Connection, Manifest, Sum, Table
from troth.cli.backup.sealed import FRAME, Writer

_OPTIONS = "-c role=troth_owner -c search_path=troth -c lock_timeout=5s -c timezone=UTC -c jit=off"
_INSTALLATION = "SELECT id::text, mode, cell, now_v1()::text, current_setting('server_version') FROM installation"

Tell = Callable[[str], None]


class Carried(msgspec.Struct, frozen=True, tag="file"):
    """A small file of the keyring or the settings, whole."""

    name: str
    octets: bytes


class Begun(msgspec.Struct, frozen=True, tag="table"):
    """The frames that follow are this table's."""

    table: Table


class Ended(msgspec.Struct, frozen=True, tag="end"):
    """No more of it; what it came to."""

    total: Sum


class Last(msgspec.Struct, frozen=True, tag="manifest"):
    manifest: Manifest


Record = Carried | Begun | Ended | Last


@dataclass(frozen=True, slots=True)
class Identity:
    """What the database says it is."""

    id: str
    mode: str
    cell: str
    now: str
    server: str


def connect(conninfo: dict[str, Any], name: str = "backup") -> Connection:
    """As troth_migrate acting for the owner, who sees every row."""
    return psycopg.connect(**conninfo, options=_OPTIONS, application_name=f"troth {name}", autocommit=True)


def identity(connection: Connection) -> Identity | None:
    row = connection.execute(_INSTALLATION).fetchone()
    return Identity(*row) if row else None


def take(connection: Connection, writer: Writer, files: list[Carried], tell: Tell) -> Manifest:
    """Write everything; returns what it came to."""
    writer.begin()
    for file in files:
        writer.record(file)
    names = [table.name for table in catalogue.tables(connection)]
    began = time.monotonic()
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _hold(connection, names)  # takes no snapshot: that comes with the next statement
        found = identity(connection)
        assert found is not None, "the caller has looked"
        sums = [_table(connection, writer, table, tell) for table in catalogue.tables(connection)]
        manifest = _manifest(connection, found, sums, [file.name for file in files])
    tell(f"snapshot held for {time.monotonic() - began:.1f} s")
    writer.record(Last(manifest), last=True)
    return manifest


def _manifest(connection: Connection, found: Identity, sums: list[Sum], files: list[str]) -> Manifest:
    return Manifest(
        found.id,
        found.mode,
        found.cell,
        found.now,
        found.server,
        catalogue.migrations(connection),
        sums,
        catalogue.partitions(connection),
        catalogue.sequences(connection),
        catalogue.checkpoint(connection),
        files,
    )


def _hold(connection: Connection, names: list[str]) -> None:
    """So that no partition is dropped under us: the weakest lock, which only changes of the schema mind."""
    tables = sql.SQL(", ").join(sql.Identifier("troth", name) for name in names)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(tables))


def _table(connection: Connection, writer: Writer, table: Table, tell: Tell) -> Sum:
    writer.record(Begun(table))
    total = summed(connection, table, writer.data)
    writer.record(Ended(total))
    if total.rows:
        tell(f"{table.name}: {total.rows} rows, {total.octets} octets")
    return total


def summed(connection: Connection, table: Table, out: Callable[[bytes], None]) -> Sum:
    """A table's octets into `out`, in pieces of about FRAME, and what they come to."""
    digest, octets, gathered = hashlib.sha256(), 0, bytearray()
    with connection.cursor() as cursor:
        with cursor.copy(table.copy_out()) as rows:
            for row in rows:
                gathered += row
                if len(gathered) >= FRAME:
                    digest.update(gathered)
                    octets += len(gathered)
                    out(bytes(gathered))
                    gathered.clear()
        digest.update(gathered)
        if gathered:
            out(bytes(gathered))
        return Sum(table.name, cursor.rowcount, octets + len(gathered), digest.hexdigest())
