"""What must happen on time, typed: the clock's mark, partitions, sweeping."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("duties")
_SWEPT = ("sweep_idempotency", "sweep_rates", "sweep_confirmations", "sweep_codes")


@dataclass(frozen=True, slots=True)
class Installation:
    """The one row that says what this database is; secrets are sealed by the KMS."""

    id: UUID
    mode: str
    cell: str
    secrets_ct: bytes
    operator_keyset: bytes


async def installation(connection: Connection) -> Installation | None:
    """None before `troth init`."""
    found = await rows(connection, _SQL["installation"], {}, Installation)
    return found[0] if found else None


async def move_high_water(connection: Connection) -> datetime:
    moved: datetime = (await tuples(connection, _SQL["high_water"], {}))[0][0]
    return moved


async def make_partitions(connection: Connection) -> int:
    made: int = (await tuples(connection, _SQL["make_partitions"], {}))[0][0]
    return made


async def expire_changes(connection: Connection) -> int:
    """How many proposals were not decided in time; 500 at most at once."""
    over: int = (await tuples(connection, _SQL["expire_changes"], {}))[0][0]
    return over


async def lead(connection: Connection) -> bool:
    """Whether this session may do the duties, from now until it ends."""
    took: bool = (await tuples(connection, _SQL["lead"], {}))[0][0]
    return took


async def sweep(connection: Connection) -> int:
    """Idempotency keys and rate windows whose time is over; links and codes that proved a recipient's act."""
    return sum([await run(connection, _SQL[name], {}) for name in _SWEPT])
