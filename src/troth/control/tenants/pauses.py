"""Around the river: the emergency stop, one person's act; its release is a change that a second one approves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within

EFFECTS = ("stop-new", "stop-delivery")
WATCH = "anomaly"  # who starts a pause by itself
LONGEST = 2000  # characters of a reason
_STOP = "SELECT troth.stop_v1(%s, %s, %s, %s, %s)"
_WATCH = "SELECT (troth.pause_v1(ARRAY[%s]::uuid[], %s, %s, %s))[1]"
_CLOCK = "SELECT troth.clock_stop_v1(%s, %s)"
_ACTIVE = """
SELECT id, tenant_id, category_id, effect, reason, started_by, started_at FROM pause
WHERE released_at IS NULL AND tenant_id IS NOT DISTINCT FROM %s ORDER BY started_at
"""


@dataclass(frozen=True, slots=True)
class Pause:
    """`tenant_id` None: the whole installation; `category_id` None: all mail of it. `started_by`: an account's id, or
    the watch's name.
    """

    id: UUID
    tenant_id: UUID | None
    category_id: UUID | None
    effect: str
    reason: str
    started_by: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """What one person stops, and why; `category` is the governed subject, of that tenant."""

    tenant: UUID | None
    effect: str
    reason: str
    category: UUID | None = None


def start(connection: Connection, session: bytes, stop: Stop) -> UUID:
    """Stop new mail, or delivery too, now. Raise Refused for an unknown effect, no reason, or no right to."""
    _check(stop)
    values = (stop.tenant, stop.category, stop.effect, stop.reason.strip(), session)
    with refusals(), within(connection, stop.tenant):
        return _one(connection, _STOP, values)


def start_for_clock(connection: Connection, session: bytes, reason: str) -> UUID:
    """Stop everything since the clock was once ahead; the release takes its highest mark back. Raise Refused."""
    stop = Stop(None, "stop-delivery", reason)
    _check(stop)
    with refusals(), within(connection, None):
        return _one(connection, _CLOCK, (stop.reason.strip(), session))


def watch(connection: Connection, stop: Stop) -> UUID:
    """The same by the watch, over a connection of role troth_flow, which alone may."""
    _check(stop)
    with refusals():
        return _one(connection, _WATCH, (stop.tenant, stop.effect, stop.reason, WATCH))


def _check(stop: Stop) -> None:
    if stop.effect not in EFFECTS:
        raise Refused(f"A pause is one of {', '.join(EFFECTS)}.")
    if not stop.reason.strip():
        raise Refused("Say why, for those who look at it later.")
    if len(stop.reason) > LONGEST:
        raise Refused(f"The reason has {len(stop.reason):,} characters; {LONGEST:,} are the most.")


def _one(connection: Connection, query: str, values: tuple[object, ...]) -> UUID:
    row = connection.execute(query, values).fetchone()
    if row is None:
        raise Refused("The database started no pause.")
    started: UUID = row[0]
    return started


def active(connection: Connection, tenant: UUID | None) -> list[Pause]:
    """The pauses in force for one client, or (None) for the whole installation."""
    with refusals(), within(connection, tenant), connection.cursor(row_factory=class_row(Pause)) as cursor:
        return cursor.execute(_ACTIVE, (tenant,)).fetchall()
