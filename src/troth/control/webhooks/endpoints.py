"""Webhook endpoints: added, shown, rotated, switched and removed. Each change is one transaction with its ledger entry,
which the database writes itself.

A secret leaves here once, when it is made; the store has it sealed under the client's keyset.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.keys import places
from troth.keys.hook_secret import make_secret
from troth.keys.ids import uuid7
from troth.keys.keyring import TenantKeys
from troth.outside.guarded_url import BadUrl, ForbiddenAddress, Guard
from troth.rules.hook_events import ALL_KINDS, TYPES, kinds_of, types_of

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
_LIST = """
SELECT w.id, w.tenant_id, w.url_ct, w.kinds, w.created_at, w.disabled_at, w.disabled_why,
       h.failing_since, coalesce(h.failures, 0) AS failures, h.last_success_at, h.last_attempt_at, h.last_status,
       h.last_error, h.quiet_until, coalesce(h.notice, 0) AS notice, h.notice_why
FROM webhook_endpoint w LEFT JOIN webhook_health h ON h.endpoint_id = w.id
WHERE (%(id)s::uuid IS NULL OR w.id = %(id)s) ORDER BY w.id
"""
_ADD = "INSERT INTO webhook_endpoint (id, tenant_id, url_ct, kinds, created_at) VALUES (%s, %s, %s, %s, %s)"
_SECRET = "INSERT INTO webhook_secret (id, tenant_id, endpoint_id, secret_ct, created_at) VALUES (%s, %s, %s, %s, %s)"  # noqa: S105 - a statement
_END_SECRETS = """
UPDATE webhook_secret SET ends_at = least(coalesce(ends_at, 'infinity'), %s) WHERE endpoint_id = %s
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A new endpoint: `types` None: every one there is. `by` goes into the ledger."""

    url: str
    types: Sequence[str] | None
    by: str


@dataclass(frozen=True, slots=True)
class Added:
    """`secret` is shown this once."""

    id: UUID
    secret: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How an endpoint stands; the URL is still sealed. `notice`: 0 none, 1 to be sent, 2 sent, 3 could not be sent."""

    id: UUID
    tenant_id: UUID
    url_ct: bytes
    kinds: list[int]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    failing_since: datetime | None
    failures: int
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    quiet_until: datetime | None
    notice: int
    notice_why: str | None

    @property
    def types(self) -> tuple[str, ...]:
        return types_of(self.kinds)

    def url(self, keys: TenantKeys) -> str:
        return keys.open(self.url_ct, places.webhook_url(self.id)).decode()


def add(connection: Connection, keys: TenantKeys, tenant: UUID, asked: Asked, guard: Guard) -> Added:
    """Check the URL and the types, and keep the endpoint with a new secret; raise Refused."""
    check_url(guard, asked.url)
    kinds = _kinds(asked.types)
    with _acting(connection, tenant, asked.by):
        now = _clock(connection)
        endpoint, secret = uuid7(now), make_secret()
        sealed = keys.seal(asked.url.encode(), places.webhook_url(endpoint))
        connection.execute(_ADD, (endpoint, tenant, sealed, list(kinds), now))
        _keep_secret(connection, keys, tenant, endpoint, secret, now)
    return Added(endpoint, secret)


def rotate(
    connection: Connection, keys: TenantKeys, found: Endpoint, by: str, overlap: timedelta = OVERLAP
) -> tuple[str, datetime]:
    """A new secret, and when those before it end: until then each delivery carries a signature of each."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Refused(f"The old secret goes on for 0 to {LONGEST_OVERLAP // timedelta(hours=1)} hours.")
    secret = make_secret()
    with _acting(connection, found.tenant_id, by):
        now = _clock(connection)
        connection.execute(_END_SECRETS, (now + overlap, found.id))
        _keep_secret(connection, keys, found.tenant_id, found.id, secret, now)
    return secret, now + overlap


def disable(connection: Connection, found: Endpoint, by: str) -> None:
    """Send nothing more; what happens meanwhile is kept for seven days, to be replayed."""
    query = "UPDATE webhook_endpoint SET disabled_at = now_v1(), disabled_why = 'command' WHERE id = %s"
    if found.disabled_at is not None:
        raise Refused("This endpoint is disabled already.")
    with _acting(connection, found.tenant_id, by):
        connection.execute(query, (found.id,))


def enable(connection: Connection, found: Endpoint, by: str) -> None:
    """Send again from now on; it counts as well until it fails anew."""
    if found.disabled_at is None:
        raise Refused("This endpoint is not disabled.")
    with _acting(connection, found.tenant_id, by):
        connection.execute(
            "UPDATE webhook_endpoint SET disabled_at = NULL, disabled_why = NULL WHERE id = %s", (found.id,)
        )


def remove(connection: Connection, found: Endpoint, by: str) -> None:
    """For good, with its secrets; its deliveries are swept soon after."""
    with _acting(connection, found.tenant_id, by):
        connection.execute("DELETE FROM webhook_endpoint WHERE id = %s", (found.id,))


def listed(connection: Connection, tenant: UUID) -> list[Endpoint]:
    """One client's endpoints, oldest first."""
    return _select(connection, tenant, None)


def find(connection: Connection, tenants: Sequence[UUID], endpoint: UUID) -> Endpoint:
    """The endpoint, in whichever of these clients it is; missing and hidden read the same."""
    for tenant in tenants:
        if there := _select(connection, tenant, endpoint):
            return there[0]
    raise Refused("There is no such endpoint here; `troth webhook list` shows those there are.")


def _select(connection: Connection, tenant: UUID, endpoint: UUID | None) -> list[Endpoint]:
    with refusals(), within(connection, tenant), connection.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(_LIST, {"id": endpoint}).fetchall()


@contextmanager
def _acting(connection: Connection, tenant: UUID, by: str) -> Iterator[None]:
    with refusals(), within(connection, tenant):
        connection.execute("SELECT set_config('troth.actor', %s, true)", (by,))
        yield


def check_url(guard: Guard, url: str) -> None:
    """Raise Refused for a URL that no webhook goes to."""
    try:
        guard.read(url)
    except BadUrl as bad:
        raise Refused(str(bad)) from bad
    except ForbiddenAddress as inner:
        raise Refused(f"{inner.address} is not a public address: webhooks go to public ones only.") from inner


def _kinds(types: Sequence[str] | None) -> tuple[int, ...]:
    if types is None:
        return ALL_KINDS
    try:
        found = kinds_of(types)
    except ValueError as unknown:
        raise Refused(f"There is no event {str(unknown)!r}; there are: {', '.join(TYPES)}.") from None
    if not found:
        raise Refused("Name at least one event, or leave --events out for all of them.")
    return found


def _keep_secret(
    connection: Connection, keys: TenantKeys, tenant: UUID, endpoint: UUID, secret: str, now: datetime
) -> None:
    made = uuid7(now)
    sealed = keys.seal(secret.encode(), places.webhook_secret(made))
    connection.execute(_SECRET, (made, tenant, endpoint, sealed, now))


def _clock(connection: Connection) -> datetime:
    row = connection.execute("SELECT now_v1()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now
