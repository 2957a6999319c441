"""The database's clock, for what opens the gate: one that was set back, or whose machine is behind, opens nothing."""

from datetime import datetime

import psycopg

from troth.store.connection import Connection, tuples
from troth.store.queries import load

_SQL = load("clock")


class ClockBehind(psycopg.OperationalError):
    """Temporary, and as good as a store that is away: the clock stands over 5 s behind its highest mark."""


async def steady(connection: Connection) -> datetime:
    """The database's clock, read once a batch and handed on; raise ClockBehind."""
    now, behind = (await tuples(connection, _SQL["steady"], {}))[0]
    if behind:
        raise ClockBehind(
            "The database's clock stands behind its highest mark: nothing is accepted until it has passed."
        )
    moment: datetime = now
    return moment
