"""Beside the river: what DNS lists say of the addresses and domains that mail leaves from, every hour; whoever is
newly on one becomes a case. A list that cannot be believed says nothing.
"""

from datetime import datetime, timedelta
from uuid import UUID

from troth.flow.duties import alerts
from troth.flow.duties.sending import Sending
from troth.keys import ids
from troth.outside.reputation import Look, address_looks, domain_looks
from troth.store import reputation as store
from troth.store.connection import Connection
from troth.store.reputation import Kept, Last

EVERY = timedelta(hours=1)
_BAD = frozenset({"listed", "unconfirmed"})


async def watch(connection: Connection, sending: Sending, every: timedelta = EVERY) -> int:
    """How many looks were made; none where nothing is to be watched, or it was done within `every`."""
    watched = sending.watched
    due, now = await store.due(connection, every)
    if not due or not (watched.addresses or watched.domain_lists):
        return 0
    tenants = await store.domains(connection) if watched.domain_lists else {}
    looks = [
        *await address_looks(sending.resolver, watched.addresses, watched.address_lists),
        *await domain_looks(sending.resolver, tenants, watched.domain_lists),
    ]
    last = await store.newest(connection, [(each.subject, each.list) for each in looks])
    for look in looks:
        await _told(connection, sending, look, last.get((look.subject, look.list)), tenants.get(look.subject), now)
    kept = [
        Kept(ids.uuid7(now), tenants.get(each.subject), each.subject, each.list, each.state, each.said)
        for each in looks
    ]
    return await store.keep(connection, kept)


async def _told(
    connection: Connection, sending: Sending, look: Look, last: Last | None, tenant: UUID | None, now: datetime
) -> None:
    """A case, once for each subject, list and day; what was as bad at the last look is no news."""
    if look.state not in _BAD or sending.operator is None or (last is not None and last.state in _BAD):
        return
    listed = look.state == "listed"
    title = f"{look.subject} is on {look.list}" if listed else f"{look.subject} has no reverse name that leads back"
    key = f"{look.subject}:{look.list}:{now:%Y-%m-%d}"
    await alerts.open_case(connection, sending.operator, "reputation", key, title, [look.said or title], tenant)
