"""Evidence still in the line: entries and events that wait for the sequencer are whole, and do not wait for long."""

import time
from collections.abc import Callable

from troth.control.ledger.report import Report
from troth.control.ledger.rows import LOG_ID, Connection
from troth.ledger.leaf import leaf_hash, microseconds
from troth.ledger.verify import Found, fields_of

_WAIT = 0.5  # seconds between two looks
_LEADING = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 7403 AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_OLDEST = """
SELECT 'ledger_pending', min(id) FROM ledger_pending UNION ALL SELECT 'event_pending', min(id) FROM event_pending
"""
_ENTRIES = """
SELECT id, log_id, tenant_id, kind, at, leaf, leaf_hash FROM ledger_pending WHERE id > %s ORDER BY id LIMIT 1000
"""

type Oldest = dict[str, int]


def check(connection: Connection, told: Callable[[dict[str, str | int]], None]) -> int:
    """Every entry that waits: is it what its own leaf says? `told` is handed each; how many there are."""
    after, count = -(2**63), 0
    while found := connection.execute(_ENTRIES, (after,)).fetchall():
        for row in found:
            told(_entry(*row))
        after, count = found[-1][0], count + len(found)
    return count


def _entry(row: int, log: int, tenant: object, kind: str, at: object, leaf: str, hashed: bytes) -> dict[str, str | int]:
    if None in (log, kind, at, leaf, hashed):
        raise Found(f"the entry {row} of the line: a column of it is empty")
    try:
        fields = fields_of(leaf.encode())
    except Found as wrong:
        raise Found(f"the entry {row} of the line: {wrong.what}") from None
    stored = (log, str(tenant or ""), kind, at, bytes(hashed))
    own = (LOG_ID, fields["tenant"], fields["kind"], at, leaf_hash(leaf.encode()))
    if stored != own or microseconds(at) != fields["at"]:  # type: ignore[arg-type]  # a timestamptz column
        raise Found(f"the entry {row} of the line: its columns are not what its leaf says")
    return fields


def oldest(connection: Connection) -> Oldest:
    """The oldest of either line."""
    return {name: first for name, first in connection.execute(_OLDEST).fetchall() if first is not None}


def moves(connection: Connection, before: Oldest, since: float, patience: float, report: Report) -> None:
    """What waited at the monotonic time `since` has been taken by now, or is within `patience` seconds; else Found.

    Where no sequencer runs that is said instead: nothing waits for it in vain.
    """
    while _stuck(before, oldest(connection)):
        if not connection.execute(_LEADING).fetchall()[0][0]:
            report.said.append("No sequencer runs: what waits in the line is not sealed until one does (`troth up`).")
            return
        if time.monotonic() - since > patience:
            raise Found(f"what waits in the line is not taken, though a sequencer runs: {patience:.0f} s have passed")
        time.sleep(_WAIT)


def _stuck(before: Oldest, now: Oldest) -> bool:
    return any(name in now and now[name] <= first for name, first in before.items())
