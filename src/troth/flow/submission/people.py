"""Submission, registering: a recipient's row under a tenant, sealed from its first moment on."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.keys import ids, places
from troth.keys.keyring import Keyring
from troth.mail.address import Address
from troth.rules.policy import Policy
from troth.store import people as store
from troth.store.connection import Connection

PENDING, VERIFIED, ERASED = 1, 2, 4
RENEWS = timedelta(days=30)  # before its end, a verification may be given anew


@dataclass(frozen=True, slots=True)
class Found:
    """The person of an address, and whether this request made the row."""

    person: store.Person
    new: bool


async def ensure(
    connection: Connection,
    keyring: Keyring,
    tenant: UUID,
    keyset: bytes,
    address: Address,
    index: bytes,
    now: datetime,
    timezone: str | None = None,
) -> Found:
    """The tenant's person with this address; whoever comes first makes the row."""
    if (found := await store.find(connection, tenant, index)) is not None:
        if timezone not in (None, found.timezone):
            await store.set_zone(connection, tenant, found.id, timezone or "")
        return Found(found, new=False)
    person_id = ids.uuid7(now)
    key, wrapped = keyring.tenant(tenant, keyset).new_person_key(person_id)
    sealed = key.seal(address.addr_spec.encode(), places.address(person_id))
    row = store.NewPerson(person_id, tenant, index, sealed, wrapped, secrets.token_bytes(32), now, timezone)
    if await store.add(connection, row):
        return Found(store.Person(person_id, wrapped, PENDING), new=True)
    found = await store.find(connection, tenant, index)
    assert found is not None
    return Found(found, new=False)


def to_be_asked(person: store.Person, policy: Policy, now: datetime) -> bool:
    """Whether registering asks the recipient (again): not verified in a way that is accepted, or soon no more."""
    if (
        status_word(person.status, person.expires_at, now) != "verified"
        or person.pathway not in policy.recipients.pathways
    ):
        return True
    return person.expires_at is not None and person.expires_at - now < RENEWS


def status_word(status: int, expires_at: datetime | None, now: datetime) -> str:
    """pending, verified, expired or erased."""
    if status == VERIFIED:
        return "expired" if expires_at is not None and expires_at <= now else "verified"
    return {PENDING: "pending", ERASED: "erased"}[status]
