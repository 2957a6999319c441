"""The tests' PostgreSQL: one server a test process, one migrated template, a fresh clone for each test (20 ms)."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from troth.outside.postgres import Server, find
from troth.store.connection import Connection, connect

TEMPLATE = "troth_template"
_PREPARE = """
import json, sys
from troth.cli.database import prepare
prepare(*json.loads(sys.argv[1]))
"""
_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A clone of the migrated template. `server` may be stopped and started by a test that has it to itself."""

    server: Server
    name: str
    opened: list[psycopg.Connection[Any]] = field(default_factory=list)
    where: dict[str, Any] = field(default_factory=dict)  # known also while the server is away

    def open(self, role: str = "postgres", tenant: object = None) -> psycopg.Connection[Any]:
        """A connection as a role, closed after the test; `tenant` is what row-level security goes by."""
        connection = psycopg.connect(**self.conninfo(role), autocommit=True)
        self.opened.append(connection)
        connection.execute("SET search_path = troth, public")
        if tenant is not None:
            connection.execute("SELECT set_config('troth.tenant', %s, false)", (str(tenant),))
        return connection

    def conninfo(self, role: str = "troth_flow") -> dict[str, Any]:
        if not self.where:
            self.where.update(self.server.conninfo())
        return {**self.where, "user": role, "dbname": self.name}

    def owner(self) -> psycopg.Connection[Any]:
        """As troth_migrate acting for the owner: for looking and for what an incident would do, autocommitting."""
        options = "-c role=troth_owner -c search_path=troth"
        return psycopg.connect(**self.conninfo("troth_migrate"), options=options, autocommit=True)

    def filler(self) -> psycopg.Connection[Any]:
        """As the superuser with triggers off: for writing what the gate and approve_v1 would have written."""
        options = "-c session_replication_role=replica -c search_path=troth"
        return psycopg.connect(**self.conninfo("postgres"), options=options, autocommit=True)

    def fill(self, statement: str, *params: Any) -> None:
        with self.filler() as connection:
            connection.execute(statement, params or None)

    def run(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """One statement as the owner; its rows, if it has any."""
        with self.owner() as connection:
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    async def connect(self, name: str, role: str = "troth_flow") -> Connection:
        return await connect(self.conninfo(role), name)


def _fastest() -> str:
    """Where thousands of clones are made: in memory where there is plenty (4 GB free), else on the disk."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else "/tmp"


@pytest.fixture(scope="session")
def pg_server():
    """A server of this test process alone (xdist: one a worker)."""
    bin_dir = os.environ.get("TROTH_PG_BIN")
    folder = Path(tempfile.mkdtemp(prefix="troth-test-", dir=_fastest()))
    folder.chmod(0o711)  # pytest's own folders are closed to the account that PostgreSQL runs as
    sizes = {"max_wal_size": "256MB", "min_wal_size": "64MB"}  # it may lie in memory
    with Server(folder / "pg", find(Path(bin_dir) if bin_dir else None), durable=False, options=sizes) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pg_template(pg_server):
    """Prepared in a child: Django's settings are of a process, and tests have their own."""
    admin, migrate = pg_server.conninfo(), pg_server.conninfo("troth_migrate", TEMPLATE)
    subprocess.run([sys.executable, "-c", _PREPARE, json.dumps([admin, migrate])], check=True)
    with psycopg.connect(**pg_server.conninfo("troth_flow", TEMPLATE), autocommit=True) as connection:
        connection.execute("SELECT troth.make_partitions_v1()")
    return TEMPLATE


@pytest.fixture
def database(pg_server, pg_template):
    """A fresh database with schema, roles, grants and partitions; nothing in it."""
    with cloned(pg_server, pg_template) as made:
        yield made


def create(admin, name, template):
    """A copy by files: page by page through the log takes ten times as long."""
    admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")


@contextmanager
def cloned(pg_server, pg_template):
    """The same for what lasts longer than a test."""
    name = f"troth_{os.getpid()}_{next(_numbers)}"
    if not pg_server.alive:
        pg_server.start()
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        create(admin, name, pg_template)
        # what is committed must outlive a killed server, as everywhere; only the machine may not crash
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
        admin.execute(
            f"GRANT CONNECT ON DATABASE {name} TO troth_control, troth_flow, troth_ledger, troth_signin, troth_migrate"
        )
    made = Database(pg_server, name)
    yield made
    for connection in made.opened:
        connection.close()
    if not pg_server.alive:
        pg_server.start()
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
