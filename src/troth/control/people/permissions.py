"""People: who may do what, read from permissions.toml: role x action x scope, and nothing that is not named there.

The table `permission` of the database holds the same rows, written at every upgrade (cli/standing_rules).
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol
from uuid import UUID

import msgspec

from troth.rules.profile import PROFILES

OPERATOR_ROLES = ("owner", "security", "deliverability", "compliance", "ops-admin", "support", "auditor")
CLIENT_ROLES = ("admin", "author", "approver", "developer", "viewer")
SCOPES = {"own": CLIENT_ROLES, "clients": OPERATOR_ROLES, "house": OPERATOR_ROLES}
HOUSE = ""  # the profile where there is no client
# ACC-3: administrators of clients need a second factor, but where the profile only recommends it to clients
_ADMINS_PROVE_TWICE = frozenset({"property", "construction"})


class Cells(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The roles of each scope; a profile's own row names only the scopes that differ."""

    own: tuple[str, ...] | None = None
    clients: tuple[str, ...] | None = None
    house: tuple[str, ...] | None = None


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the file."""

    what: str
    own: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    house: tuple[str, ...] = ()
    second: bool = False
    named: tuple[str, ...] = ()
    profile: dict[str, Cells] = {}


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One cell that says yes. `second`: only in a session with a second factor; `named`: only the two individuals."""

    profile: str
    action: str
    scope: str
    role: str
    second: bool
    named: bool


class Asker(Protocol):
    """As much of people.actor.Actor as a right depends on."""

    @property
    def role(self) -> str: ...
    @property
    def tenant_id(self) -> UUID | None: ...
    @property
    def scope(self) -> UUID | None: ...
    @property
    def profile(self) -> str: ...
    @property
    def named(self) -> bool: ...


@cache
def actions() -> dict[str, Action]:
    """Every action by name, in the file's order."""
    raw = tomllib.loads(files(__package__).joinpath("permissions.toml").read_text(encoding="utf-8"))
    return msgspec.convert(raw, dict[str, Action])


@cache
def permissions() -> dict[tuple[str, str, str, str], Permission]:
    """Every cell that says yes, by (profile, action, scope, role)."""
    return expanded(actions())


def expanded(given: Mapping[str, Action]) -> dict[tuple[str, str, str, str], Permission]:
    """The cells that a table of actions comes to."""
    found = [cell for name, action in given.items() for cell in _cells(name, action)]
    return {(one.profile, one.action, one.scope, one.role): one for one in found}


def _cells(name: str, action: Action) -> Iterator[Permission]:
    for profile in (HOUSE, *PROFILES):
        for scope in SCOPES:
            if (scope == "house") is (profile == HOUSE):
                for role in _roles(action, scope, profile):
                    own = name.startswith("self:")  # where one takes up the factor that the rest asks for
                    twice = scope != "own" or (role == "admin" and profile in _ADMINS_PROVE_TWICE)
                    second = action.second or (twice and not own)
                    yield Permission(profile, name, scope, role, second, named=profile in action.named)


def _roles(action: Action, scope: str, profile: str) -> tuple[str, ...]:
    own = action.profile.get(profile, Cells())
    given = getattr(own, scope)
    roles: tuple[str, ...] = getattr(action, scope) if given is None else given
    return SCOPES[scope] if roles == ("*",) else roles


def scope_of(actor: Asker) -> str:
    if actor.tenant_id is not None:
        return "own"
    return "clients" if actor.scope is not None else "house"


def permission(actor: Asker, action: str) -> Permission | None:
    """The cell for this person where they look now; None: they may not. KeyError for an action that the file lacks."""
    if action not in actions():
        raise KeyError(action)
    scope = scope_of(actor)
    return permissions().get((HOUSE if scope == "house" else actor.profile, action, scope, actor.role))


def allowed(actor: Asker, action: str) -> bool:
    """Whether the person may; whether their session shows enough for it is the guard's and the database's business."""
    cell = permission(actor, action)
    return cell is not None and (actor.named or not cell.named)


def names_individuals(profile: str) -> bool:
    """Whether only designated people may write for clients of this profile."""
    return any(cell.named for cell in permissions().values() if cell.profile == profile)
