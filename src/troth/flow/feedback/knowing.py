"""Feedback: what a letter or a relay tells is about a message: its person's address, and the policy that judges it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from troth.flow.feedback.deps import Deps
from troth.flow.gate.recall import opener
from troth.flow.gate.world import learn
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import PersonKey
from troth.rules.policy import Policy
from troth.rules.profile import load_profile
from troth.store import gate
from troth.store.connection import Connection


class Personal(Protocol):
    """A row that says whose key opens it."""

    @property
    def tenant_id(self) -> UUID: ...
    @property
    def keyset(self) -> bytes: ...
    @property
    def data_key(self) -> bytes | None: ...
    @property
    def person_id(self) -> UUID: ...


def key_of(deps: Deps, row: Personal) -> PersonKey | None:
    """None of an erased person."""
    return opener(deps.keyring)(row.tenant_id, row.keyset, row.data_key, row.person_id)


def address_of(key: PersonKey | None, person: UUID, sealed: bytes | None) -> bytes | None:
    """None of an erased person, and where no address is kept."""
    if key is None or sealed is None:
        return None
    try:
        return key.open(sealed, places.address(person))
    except Undecryptable:
        return None


async def policy_of(deps: Deps, connection: Connection, tenant: UUID, category: UUID, now: datetime) -> Policy:
    """The live one, as for a worker's retries; where it cannot be combined, the profile's own numbers."""
    world = await learn(connection, deps.memory, gate.Wanted(now, [], [tenant], [tenant], [], []))
    caller = world.system[tenant]
    code = next((g.code for g in world.governed.values() if g.subject == category), None)
    version = world.version(tenant, "category", code) if code else None
    resolved = world.policy(caller, version, None)
    return resolved.policy if resolved else load_profile(caller.profile).policy
