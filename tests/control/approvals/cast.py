"""Who plays in the change engine's random sequences, and by hand: what each of their roles may do."""

import base64
import hashlib
import os
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from tests.support.firm import Operator, make_firm, make_operator, now
from tests.support.postgres import Database

from troth.keys.ids import uuid7

CONTENT = ("category", "template")
WRITERS = {"admin", "author", "approver", "owner", "deliverability"}
NUMBERS = {"owner", "deliverability"}
# (verb, kind, is it a client's) -> roles; written down here a second time, on purpose
MAY = {
    **{("propose", kind, True): WRITERS for kind in CONTENT},
    **{("approve", kind, True): WRITERS - {"author"} for kind in CONTENT},
    ("propose", "policy", True): {"admin", *NUMBERS},
    ("approve", "policy", True): NUMBERS,
    ("propose", "policy", False): NUMBERS,
    ("approve", "policy", False): NUMBERS,
    ("propose", "grant", True): {"admin", "owner"},
    ("approve", "grant", True): {"admin", "owner"},
}
REVOKERS = {True: {"admin", "approver", "owner", "deliverability"}, False: {"owner"}}


@dataclass(frozen=True)
class Somebody:
    """`home`: the client that they belong to; None for the operator's staff. `second`: their session shows two factors."""

    name: str
    account: UUID
    human: UUID
    role: str
    home: UUID | None
    second: bool = True


@dataclass
class World:
    """A test database with everybody in it, and what is in force before any sequence begins."""

    database: Database
    operator: Operator
    admin: psycopg.Connection
    firm: UUID
    other: UUID
    people: dict[str, Somebody] = field(default_factory=dict)
    grants: dict[UUID, str] = field(default_factory=dict)  # account -> the artefact of its grant, sealed parts included


def make_world(database: Database) -> World:
    operator = make_operator(database)
    firm, other = make_firm(operator, "aa"), make_firm(operator, "bb")
    world = World(database, operator, database.open(), firm.tenant, other.tenant)
    query = "SELECT id, human_id FROM account ORDER BY created_at, id"
    for n, (account, human) in enumerate(operator.admin.execute(query).fetchall(), 1):
        world.people[f"owner{n}"] = Somebody(f"owner{n}", account, human, "owner", None)
    _join(world, "owner3", "owner", None)
    _join(world, "postmaster", "deliverability", None)
    for role in ("admin", "author", "approver"):
        _join(world, role, role, firm.tenant)
    # the operator's postmaster, who helps out at the client: two accounts, one human
    _join(world, "moonlighter", "approver", firm.tenant, world.people["postmaster"].human)
    _join(world, "outsider", "admin", other.tenant)
    admin = world.people["admin"]
    world.people["hasty"] = Somebody("hasty", admin.account, admin.human, "admin", firm.tenant, second=False)
    return world


def _join(world: World, name: str, role: str, tenant: UUID | None, human: UUID | None = None) -> None:
    account, grant = member(world.operator, role, tenant, human)
    world.grants[account] = grant
    world.people[name] = Somebody(name, account, UUID(grant["human"]), role, tenant)


def member(operator: Operator, role: str, tenant: UUID | None, human: UUID | None = None) -> tuple[UUID, dict]:
    """Somebody more, by an approved grant: the account and the grant's artefact."""
    account, human = uuid7(now()), human or uuid7(now())
    sealed = base64.b64encode(b"\x01sealed").decode()
    grant = {"human": str(human), "role": role, "name_ct": sealed, "address_ct": sealed,
             "address_index": os.urandom(32).hex()}  # fmt: skip
    operator.govern("grant", tenant, f"account-{account.hex}", grant, account)
    return account, grant


def open_page(signin: psycopg.Connection, account: UUID, secret: bytes, *, second: bool = True) -> None:
    """A session of the pages, as role troth_signin opens one."""
    query = "SELECT page_session_open_v1(%s, %s, '{password}', %s, NULL, NULL, NULL)"
    signin.execute(query, (account, hashlib.sha256(secret).digest(), second))
