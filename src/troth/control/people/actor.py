"""People: who asks for a page: the account that signed in, and the client whose rows are looked at now.

`request.actor` is set by the web room's middleware on every page that needs somebody; a page hands it on to
`access_<thing>(actor, id)`.
"""

from dataclasses import dataclass, field
from datetime import tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from troth.control.audit.asking import row
from troth.control.audit.scope import Connection
from troth.control.people.page_sessions import Session
from troth.keys import places

_SCOPE = "scope"


@dataclass(frozen=True, slots=True)
class Actor:
    """`tenant_id`: a member's own, None for staff. `scope`: the tenant whose rows the transaction sees; a member's own
    always, for staff the one they chose, None for no client in particular. `profile`: of that tenant's programme, or
    ""; `named`: one of its designated individuals. `zone`: in which times are shown. `secret`: what governed functions
    ask for.
    """

    account_id: UUID
    human_id: UUID
    role: str
    name: str
    tenant_id: UUID | None
    scope: UUID | None
    tenant_name: str
    zone: tzinfo
    profile: str
    named: bool
    session: Session
    secret: bytes = field(repr=False)

    @property
    def staff(self) -> bool:
        return self.tenant_id is None


def actor_of(request: HttpRequest) -> Actor:
    """The actor of a page that only somebody signed in reaches."""
    found: Actor = request.actor  # type: ignore[attr-defined]  # set by web.middleware
    return found


def load(session: Session, secret: bytes, chosen: str) -> Actor | None:
    """Read who an account is now; None when it may not act any more. `chosen`: what staff look at, from the session."""
    account, wanted = session.account, UUID(chosen) if chosen else None
    found = row("SELECT * FROM troth.login_view_v1(%s, %s)", account, wanted)
    if found is None or not found[4]:
        return None
    human, tenant, role, name_ct, _, tenant_name, zone, profile, named = found
    name = settings.TROTH_KEYS().operator.open(bytes(name_ct), places.account(account, "name")).decode()
    return Actor(
        account,
        human,
        role,
        name,
        tenant,
        tenant or wanted,
        tenant_name or "",
        ZoneInfo(zone),
        profile,
        named,
        session,
        secret,
    )


def raw() -> Connection:
    """Django's own connection, inside the request's transaction, as the rooms below know one."""
    connection.ensure_connection()
    found = connection.connection
    assert isinstance(found, psycopg.Connection)
    return found


def scoped(tenant: UUID | None) -> None:
    """Row-level security shows this transaction that tenant's rows from here on, and those of none."""
    row("SELECT set_config('troth.tenant', %s, true)", str(tenant) if tenant else "")


def chosen(request: HttpRequest) -> str:
    return str(request.session.get(_SCOPE, ""))


def choose(request: HttpRequest, tenant: UUID | None) -> None:
    """Staff look at one client from now on, or at none in particular."""
    request.session[_SCOPE] = str(tenant) if tenant else ""
