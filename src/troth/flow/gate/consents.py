"""The gate's look into the consent ledger, for the few categories that are sent on consent: one more trip, for them."""

from collections.abc import Sequence
from uuid import UUID

from troth.flow.gate.judge import Bound, on_consent
from troth.flow.gate.world import World
from troth.rules.consent import Entry
from troth.store import consents as store
from troth.store.connection import Connection


async def learn(connection: Connection, world: World, bounds: Sequence[Bound]) -> None:
    """Adds to the world what is on record of the people whom these emails need consent of; nobody else is looked up."""
    asked = [b for b in bounds if b.category is not None and on_consent(b.category)]
    places = {(b.caller.tenant_id, one.index) for b in asked for one in b.parsed.recipients if one.index}
    known = (world.people.get(place) for place in places)
    world.consents.update(await told(connection, [p.person_id for p in known if p is not None and p.person_id]))


async def told(connection: Connection, people: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    """What is on record of each of these people; nothing is asked for nobody."""
    found: dict[UUID, list[Entry]] = {person: [] for person in people}
    for row in await store.of_people(connection, list(found)) if found else ():
        category = None if row.category_id is None else str(row.category_id)
        found[row.person_id].append(Entry(category, row.kind, row.basis, row.at, row.expires_at))
    return found
