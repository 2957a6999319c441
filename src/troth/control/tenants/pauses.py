"""Around the river: the emergency stop, one person's act; its release is a change that a second one approves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within

EFFECTS = ("stop-new", "stop-delivery")
_ACTIVE = """
SELECT id, tenant_id, effect, reason, started_by, started_at FROM pause
WHERE released_at IS NULL AND tenant_id IS NOT DISTINCT FROM %s ORDER BY started_at
"""


@dataclass(frozen=True, slots=True)
class Pause:
    """`tenant_id` None: the whole installation."""

    id: UUID
    tenant_id: UUID | None
    effect: str
    reason: str
    started_by: str
    started_at: datetime


def start(connection: Connection, tenant: UUID | None, effect: str, reason: str, by: str) -> UUID:
    """Stop new mail, or delivery too, now. Raise Refused for an unknown effect or no reason."""
    if effect not in EFFECTS:
        raise Refused(f"A pause is one of {', '.join(EFFECTS)}.")
    if not reason.strip():
        raise Refused("Say why, for those who look at it later.")
    with refusals(), within(connection, tenant):
        row = connection.execute("SELECT pause_v1(%s::uuid[], %s, %s, %s)", ([tenant], effect, reason, by)).fetchone()
    if row is None:
        raise Refused("The database started no pause.")
    started: UUID = row[0][0]
    return started


def active(connection: Connection, tenant: UUID | None) -> list[Pause]:
    """The pauses in force for one client, or (None) for the whole installation."""
    with refusals(), within(connection, tenant), connection.cursor(row_factory=class_row(Pause)) as cursor:
        return cursor.execute(_ACTIVE, (tenant,)).fetchall()
