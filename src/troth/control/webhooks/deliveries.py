"""Webhook deliveries as an operator sees them, and what may be asked of the sender: send again, send a test."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.control.webhooks.endpoints import Endpoint

STATES = {1: "waiting", 2: "under way", 3: "delivered", 4: "given up"}
DONE = (3, 4)
_COLUMNS = """
SELECT id, message_id, kind, source_key, at, state, due, attempts, replays, last_at, last_status, last_error, done_at
FROM webhook_outbox"""
_TALLY = """
SELECT count(*) FILTER (WHERE state < 3), count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4)
FROM webhook_outbox WHERE endpoint_id = %s
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. `due`: the next attempt of what waits."""

    id: int
    message_id: UUID
    kind: int
    source_key: str
    at: datetime
    state: int
    due: datetime
    attempts: int
    replays: int
    last_at: datetime | None
    last_status: int | None
    last_error: str | None
    done_at: datetime | None

    @property
    def word(self) -> str:
        return STATES[self.state]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of an endpoint's deliveries wait, were taken, were given up; of the last seven days."""

    waiting: int
    delivered: int
    given_up: int


@dataclass(frozen=True, slots=True)
class Again:
    """What to send once more; all that is given must hold. `failed`: only what was given up."""

    since: datetime | None = None
    message: UUID | None = None
    kind: int | None = None
    failed: bool = False


def newest(connection: Connection, endpoint: Endpoint, limit: int) -> list[Delivery]:
    """What waits, then what is done, newest first; `limit` of each."""
    where = "WHERE endpoint_id = %s AND state"
    with refusals(), within(connection, endpoint.tenant_id), connection.cursor(row_factory=class_row(Delivery)) as rows:
        waiting = rows.execute(f"{_COLUMNS} {where} < 3 ORDER BY due, id LIMIT %s", (endpoint.id, limit)).fetchall()
        done = rows.execute(
            f"{_COLUMNS} {where} > 2 ORDER BY done_at DESC, id DESC LIMIT %s", (endpoint.id, limit)
        ).fetchall()
    return [*waiting, *done]


def one(connection: Connection, endpoint: Endpoint, delivery: int) -> Delivery | None:
    with refusals(), within(connection, endpoint.tenant_id), connection.cursor(row_factory=class_row(Delivery)) as rows:
        return rows.execute(f"{_COLUMNS} WHERE id = %s", (delivery,)).fetchone()


def tally(connection: Connection, endpoint: Endpoint) -> Tally:
    with refusals(), within(connection, endpoint.tenant_id):
        row = connection.execute(_TALLY, (endpoint.id,)).fetchone()
    assert row is not None
    return Tally(*row)


def replay(connection: Connection, endpoint: Endpoint, again: Again, by: str) -> int:
    """How many go out again, each under its own id; raise Refused where that is not asked well."""
    if again == Again():
        raise Refused("Say what to send again: --since TIME, --event ID or --failed.")
    asked = (endpoint.id, again.since, again.message, again.kind, again.failed)
    with refusals(), within(connection, endpoint.tenant_id):
        connection.execute("SELECT set_config('troth.actor', %s, true)", (by,))
        row = connection.execute("SELECT webhook_replay_v1(%s, %s, %s, %s::smallint, %s)", asked).fetchone()
    assert row is not None
    found: int = row[0]
    return found


def test(connection: Connection, endpoint: Endpoint) -> int:
    """Queue a test event; gives its delivery."""
    with refusals(), within(connection, endpoint.tenant_id):
        row = connection.execute("SELECT webhook_test_v1(%s)", (endpoint.id,)).fetchone()
    assert row is not None
    made: int = row[0]
    return made
