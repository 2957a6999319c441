"""Imports, behind the pages: files that were handed in are checked, and what was approved is carried out, one import
after the other. One process works at a time, whichever has the lock; without it the others wait.
"""

import logging
import time
from collections.abc import Callable, Mapping
from uuid import UUID

import psycopg

from troth.control.audit.scope import Connection, within
from troth.control.imports import rows
from troth.control.imports.applying import apply
from troth.control.imports.checking import check
from troth.control.imports.importer import Importer, Stopped, Waits
from troth.control.imports.rows import APPROVED, RECEIVED
from troth.keys.keyring import TenantKeys
from troth.keys.opened import Keys
from troth.outside.dns import Resolver

_LOCK = 0x7407_0005  # a number of ours, the same in every process
_PAUSE = 1.0  # seconds between two looks
_LATER = 60.0  # seconds after a fault of ours, or of the DNS, for that import
_TIDY = 3600.0
_log = logging.getLogger("troth.imports")


class Worker:
    """`connect` gives a connection of role troth_control; `stopped` is asked between batches. Without a `resolver`,
    what needs one stands still.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        keys: Callable[[Connection], Keys],
        importers: Mapping[str, Importer],
        stopped: Callable[[], bool],
        resolver: Resolver | None = None,
    ) -> None:
        self._resolver = resolver
        self._connect, self._open, self._importers, self._stopped = connect, keys, importers, stopped
        self._keys: Keys | None = None
        self._again: dict[UUID, float] = {}  # imports that met a fault -> when they are tried again
        self._tidied = 0.0

    def run(self) -> None:
        """Until `stopped`; a database that is away is waited for."""
        while not self._stopped():
            try:
                with self._connect() as connection:
                    has_lock = False
                    while not self._stopped():
                        has_lock = has_lock or _locked(connection)
                        if not has_lock or not self.round(connection):
                            time.sleep(_PAUSE)
            except psycopg.OperationalError as away:
                _log.warning("the database is away: %s", type(away).__name__)
                time.sleep(_PAUSE)

    def round(self, connection: Connection) -> int:
        """Everything that waits now; how many imports went on."""
        if self._keys is None:
            self._keys = self._open(connection)
        due = connection.execute("SELECT * FROM troth.imports_due_v1(100)").fetchall()
        done = 0
        for import_id, tenant, state in due:
            if state in (RECEIVED, APPROVED) and self._again.get(import_id, 0.0) <= time.monotonic():
                done += self._one(connection, self._keys, import_id, tenant)
        if time.monotonic() - self._tidied > _TIDY or not self._tidied:
            connection.execute("SELECT troth.imports_tidy_v1()")
            self._tidied = time.monotonic()
        return done

    def _one(self, connection: Connection, keys: Keys, import_id: UUID, tenant: UUID | None) -> int:
        try:
            with within(connection, tenant):
                one, own = rows.find(connection, import_id), _own(connection, keys, tenant)
            if one is None:
                return 0
            what = (connection, keys, own, self._importers[one.kind], one, self._stopped)
            if one.state == RECEIVED:
                check(*what, self._resolver)
            else:
                apply(*what)
        except Stopped:
            return 0
        except Waits:
            self._again[import_id] = time.monotonic() + _LATER
            return 0
        except psycopg.OperationalError:
            raise
        except Exception as trouble:  # noqa: BLE001 - the other imports go on; the words may hold an address
            _log.error("import %s stands still: %s", import_id, type(trouble).__name__)
            self._again[import_id] = time.monotonic() + _LATER
            return 0
        return 1


def _locked(connection: Connection) -> bool:
    """From now on until this connection ends."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    return bool(row and row[0])


def _own(connection: Connection, keys: Keys, tenant: UUID | None) -> TenantKeys:
    """The client's keyset, or the operator's own where there is no client."""
    if tenant is None:
        return keys.operator
    row = connection.execute("SELECT keyset FROM troth.tenant WHERE id = %s", (tenant,)).fetchone()
    if row is None:
        raise LookupError("the client is not there any more")
    return keys.keyring.tenant(tenant, bytes(row[0]))
