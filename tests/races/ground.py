"""The races' ground: a PostgreSQL of their own, an operator, client firms, and rows for as many rounds as are run.

A mark looks at rows and opens nothing, so people who are only marked have keys that open nothing; people to whom the gate
writes have real ones.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from tests.support.firm import Firm, Operator, make_firm, make_operator, now
from tests.support.postgres import _PREPARE, TEMPLATE, Database, cloned

from troth.keys import places
from troth.keys.ids import uuid7
from troth.mail.address import parse_address
from troth.outside.postgres import Server, find

_CLAIMED = 3


@dataclass(frozen=True)
class Ground:
    """What the racing processes are told: where the database is, whose keys are whose, and the operator's key file."""

    database: Database
    operator: Operator

    def firm(self, code: str, **limits: int) -> Firm:
        """A client whose limits are wide but for those named."""
        made = make_firm(self.operator, code, floor=1_000_000)  # the watch's holds are another matter
        if limits:
            self.operator.govern("policy", made.tenant, "tenant", {"limits": limits})
        return made


@contextmanager
def ground() -> Iterator[Ground]:
    """Made anew, and gone afterwards."""
    bin_dir = os.environ.get("TROTH_PG_BIN")
    with tempfile.TemporaryDirectory(prefix="troth-races-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with Server(folder / "pg", find(Path(bin_dir) if bin_dir else None), durable=False) as server:
            admin, migrate = server.conninfo(), server.conninfo("troth_migrate", TEMPLATE)
            subprocess.run([sys.executable, "-c", _PREPARE, json.dumps([admin, migrate])], check=True)
            with psycopg.connect(**server.conninfo("troth_flow", TEMPLATE), autocommit=True) as connection:
                connection.execute("SELECT troth.make_partitions_v1()")
            with cloned(server, TEMPLATE) as database:
                yield Ground(database, make_operator(database))


def claimed(at: Ground, firm: Firm, rounds: int) -> list[tuple[UUID, UUID, bytes]]:
    """So many messages, each to somebody else, in the hands of a worker: (message, email, blind index)."""
    made = [(uuid7(now()), uuid7(now()), uuid7(now()), os.urandom(32)) for _ in range(rounds)]
    version = at.operator.snapshot(firm.category)
    with at.database.filler() as connection, connection.transaction(), connection.cursor() as cursor:
        _copy(cursor, "person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at)",
              ((p, firm.tenant, i, b"\x02x", b"\x01x", bytes(16), 2, "confirmation-link", now(), now())
               for _, _, p, i in made))  # fmt: skip
        _copy(cursor, "email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)",
              ((e, firm.tenant, firm.category, version, bytes(32), now(), 1) for _, e, _, _ in made))  # fmt: skip
        _copy(cursor, "message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at, decision_ct,"
                      " state, state_at)",
              ((m, e, firm.tenant, p, i, firm.category, 1, now(), b"\x02x", 2, now()) for m, e, p, i in made))  # fmt: skip
        _copy(cursor, "spool (message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot,"
                      " domain_id, state, due, lifetime_ends, token)",
              ((m, firm.tenant, e, p, i, firm.category, version, firm.domain, _CLAIMED, now(), "2100-01-01", 1)
               for m, e, p, i in made))  # fmt: skip
        cursor.execute("UPDATE domain_state SET ready_until = '2100-01-01'")
        cursor.execute("ANALYZE spool; ANALYZE person; ANALYZE message; ANALYZE email")
    return [(message, email, index) for message, email, _, index in made]


def people(at: Ground, firm: Firm, count: int) -> list[str]:
    """So many verified recipients with keys that open; their addresses."""
    addresses = [f"r{n}@example.net" for n in range(count)]
    rows = []
    for address in addresses:
        person, parsed = uuid7(now()), parse_address(address)
        key, wrapped = firm.keys.new_person_key(person)
        sealed = key.seal(parsed.addr_spec.encode(), places.address(person))
        rows.append((person, firm.tenant, firm.index(address), sealed, wrapped, bytes(16), 2, "confirmation-link", now(),
                     now()))  # fmt: skip
    with at.database.filler() as connection, connection.transaction(), connection.cursor() as cursor:
        _copy(cursor, "person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at)",
              rows)  # fmt: skip
        cursor.execute("UPDATE domain_state SET ready_until = '2100-01-01', checked_at = now(), last_good_at = now()")
        cursor.execute("ANALYZE person")
    return addresses


def _copy(cursor: psycopg.Cursor[Any], where: str, rows: Any) -> None:
    with cursor.copy(f"COPY {where} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
