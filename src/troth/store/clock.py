"""The database's clock, for what opens the gate: one that was set back, or whose machine is behind, opens nothing."""

from datetime import datetime

import psycopg

from troth.store.connection import Connection, tuples
from troth.store.queries import load

_SQL = load("clock")


class ClockBehind(psycopg.OperationalError):
    """Temporary, and as good as a store that is away: the clock stands over 5 s behind its highest mark."""


class LedgerBehind(psycopg.OperationalError):
    """The same of a database that was rolled back, as the sequencer found: two people let it go on."""


async def steady(connection: Connection) -> datetime:
    """The database's clock, read once a batch and handed on; raise ClockBehind, or LedgerBehind."""
    now, behind, rolled_back = (await tuples(connection, _SQL["steady"], {}))[0]
    if rolled_back:
        raise LedgerBehind(
            "The database is behind its own ledger: nothing is accepted until two people have released the stop."
        )
    if behind:
        raise ClockBehind(
            "The database's clock stands behind its highest mark: nothing is accepted until it has passed."
        )
    moment: datetime = now
    return moment
