"""The database's `allowed` and Python's say the same: every action x every account x every client and none, in a session
with a second factor and in one without.
"""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import pytest
from tests.support.firm import make_firm, now
from tests.support.pages import join

from troth.control.people import permissions
from troth.control.people.permissions import CLIENT_ROLES, OPERATOR_ROLES
from troth.keys.ids import uuid7
from troth.rules.profile import PROFILES

_MAY = """
CREATE FUNCTION pg_temp.may(p_secret bytea, p_action text, p_tenant uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM troth.allowed(p_secret, p_action, p_tenant);
    RETURN 'yes';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$"""
_ALL = """
SELECT who.n, place.n, action, pg_temp.may(who.secret, action, place.id)
FROM unnest(%s::bytea[]) WITH ORDINALITY AS who(secret, n), unnest(%s::uuid[]) WITH ORDINALITY AS place(id, n),
     unnest(%s::text[]) AS action"""
_SESSION = (
    "INSERT INTO session (id, account_id, secret_hash, kind, methods, opened_at, expires_at, ends_at, second_factor_at)"
    " VALUES (%s, %s, %s, 'page', '{password}', now_v1(), now_v1() + interval '1 hour', now_v1() + interval '1 hour', %s)"
)


@dataclass(frozen=True)
class Who:
    """An account in one session, looking at one client: what people.permissions asks for."""

    role: str
    tenant_id: UUID | None
    named_by: UUID | None
    second: bool
    secret: bytes
    scope: UUID | None = None
    profile: str = ""

    @property
    def named(self) -> bool:
        return self.scope is not None and self.named_by == self.scope


@pytest.fixture
def cast(operator):
    firms = {profile: make_firm(operator, profile[:6], profile) for profile in PROFILES}
    building = firms["construction"].tenant
    sides = [(None, role) for role in OPERATOR_ROLES]
    sides += [(firm.tenant, role) for firm in firms.values() for role in CLIENT_ROLES]
    named = {(building, "author"), (None, "compliance")}
    operator.database.fill("DELETE FROM designation WHERE tenant_id = %s", building)
    people = []
    for tenant, role in sides:
        who = join(operator, f"{role} <{role}@{tenant or 'house'}.test>", role, tenant, password="", second=False)
        naming = building if (tenant, role) in named else None
        if naming:
            query = "INSERT INTO designation VALUES (%s, %s, %s, now_v1())"
            operator.database.fill(query, building, who.account, 1 if tenant else 2)
        for second in (True, False):
            secret = sha256(f"{who.account}{second}".encode()).digest()
            session = (uuid7(now()), who.account, sha256(secret).digest(), now() if second else None)
            operator.database.fill(_SESSION, *session)
            people.append(Who(role, tenant, naming, second, secret))
    return operator, people, {None: "", **{firm.tenant: profile for profile, firm in firms.items()}}


def test_the_database_and_the_pages_agree(cast, capsys):
    operator, people, places = cast
    operator.admin.execute(_MAY)
    actions, scopes = list(permissions.actions()), list(places)
    given = ([who.secret for who in people], scopes, actions)
    found = operator.admin.execute(_ALL, given).fetchall()
    assert len(found) == len(people) * len(scopes) * len(actions)
    wrong = []
    for n, place, action, said in found:
        who, scope = people[n - 1], scopes[place - 1]
        wanted = _wanted(who, action, scope, places[scope])
        if said != wanted:
            wrong.append(f"{action} by {who.role} ({places[who.tenant_id] or 'staff'}) for {places[scope] or 'no client'},"
                         f" {'with' if who.second else 'without'} a second factor: SQL {said}, pages {wanted}")  # fmt: skip
    with capsys.disabled():
        print(f"\nmatrix: {len(actions)} actions x {len(people)} sessions x {len(scopes)} clients = {len(found)} cells of"
              f" allowed() checked in SQL, {len(wrong)} wrong")  # fmt: skip
    assert not wrong, "\n".join(wrong[:50])


def _wanted(who: Who, action: str, scope: UUID | None, profile: str) -> str:
    if who.tenant_id is not None and scope != who.tenant_id:
        return "42501"  # another client, or the house: not by any role
    asker = Who(who.role, who.tenant_id, who.named_by, who.second, who.secret, scope, profile)
    if not permissions.allowed(asker, action):
        return "42501"
    cell = permissions.permission(asker, action)
    return "28000" if cell.second and not who.second else "yes"
