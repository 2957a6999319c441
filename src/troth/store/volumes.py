"""How much each client had accepted, what is held for it, and the watch over both, typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.events import Waiting
from troth.store.queries import load

_SQL = load("volumes")
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class GaugeRow:
    """`recent` holds all that was accepted since `counted_at`, too; `previous`: newest first."""

    tenant_id: UUID
    counted_at: datetime
    recent: int
    previous: list[int]
    reviewed: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A client under the watch. `moved`: its 24 hours are others than when it was last counted."""

    tenant_id: UUID
    plan: str
    programme: str
    profile: str
    moved: bool


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """`tenant_id` None: above tenants."""

    tenant_id: UUID | None
    code: str
    snapshot_id: UUID
    artefact: str


@dataclass(frozen=True, slots=True)
class Shares:
    tenant_id: UUID
    answered: int
    taken: int
    bounced: int
    complained: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What is raised: the table `anomaly` says what the numbers are."""

    tenant: UUID
    cause: str
    action: str
    minutes: int
    n: int
    of_n: int
    threshold: int
    floor: int
    sentence: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A message that the gate holds for a review."""

    message_id: UUID
    tenant_id: UUID
    category_id: UUID
    template_id: UUID | None
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """What two people decided of held mail: `act` is 'release' or 'refuse'; None: no matter which."""

    change_id: UUID
    tenant_id: UUID
    pause_id: UUID
    act: str
    messages: list[UUID] | None
    categories: list[UUID] | None
    templates: list[UUID] | None
    at: datetime


async def lock(connection: Connection, tenants: Sequence[UUID], now: datetime) -> list[GaugeRow]:
    """The gauges of these clients, locked to the transaction's end; made or counted anew where that is due."""
    wanted = {"tenants": list(tenants)}
    found = await rows(connection, _SQL["lock"], wanted, GaugeRow)
    if len(found) < len(tenants):
        await run(connection, _SQL["begin"], wanted)
        found = await rows(connection, _SQL["lock"], wanted, GaugeRow)
    moved = [g.tenant_id for g in found if g.counted_at <= now]
    if not moved:
        return found
    await recount(connection, moved)
    return await rows(connection, _SQL["lock"], wanted, GaugeRow)


async def recount(connection: Connection, tenants: Sequence[UUID]) -> None:
    """Of gauges that this transaction has locked."""
    await run(connection, _SQL["recount"], {"tenants": list(tenants)})


def counting(
    taken: Mapping[UUID, int], passed: Mapping[UUID, int], now: datetime
) -> list[tuple[bytes, Mapping[str, object]]]:
    """The statements that count what was taken, for a writer that sends them along with others. `passed`: the part of
    it that was not held, of the same tenants.
    """
    if not taken:
        return []
    tenants = list(taken)
    amounts = {"tenants": tenants, "amounts": [passed[t] for t in tenants]}
    return [(_SQL["add"], amounts), (_SQL["slot"], {"tenants": tenants, "amounts": list(taken.values()), "now": now})]


def holding(held: Sequence[HeldRow], now: datetime) -> list[tuple[bytes, Mapping[str, object]]]:
    """The same for what is held."""
    if not held:
        return []
    params = {
        "ids": [h.message_id for h in held],
        "tenants": [h.tenant_id for h in held],
        "categories": [h.category_id for h in held],
        "templates": [h.template_id for h in held],
        "ends": [h.ends_at for h in held],
        "now": now,
    }
    return [(_SQL["hold"], params)]


async def raise_anomaly(connection: Connection, found: Finding) -> UUID | None:
    """The anomaly, with its pause, entry and mails; None when one as strict is in force."""
    params = {"tenant": found.tenant, "cause": found.cause, "action": found.action, "minutes": found.minutes,
              "n": found.n, "of_n": found.of_n, "threshold": found.threshold, "floor": found.floor,
              "sentence": found.sentence}  # fmt: skip
    made: UUID | None = (await tuples(connection, _SQL["raise"], params))[0][0]
    return made


# ---- the watch


async def watched(connection: Connection, after: UUID, most: int) -> list[Watched]:
    return await rows(connection, _SQL["watched"], {"after": after, "most": most}, Watched)


async def policies(connection: Connection, tenants: Sequence[UUID]) -> list[PolicyRow]:
    return await rows(connection, _SQL["policies"], {"tenants": list(tenants)}, PolicyRow)


async def shares(connection: Connection, hours: Mapping[UUID, int]) -> list[Shares]:
    """Of each client in its own hours; those without any are left out."""
    return await rows(connection, _SQL["shares"], {"tenants": list(hours), "hours": list(hours.values())}, Shares)


async def show(connection: Connection, tenant: UUID, *, percent: int, floor: int, action: str) -> None:
    params = {"tenant": tenant, "percent": percent, "floor": floor, "action": action}
    await run(connection, _SQL["shown"], params)


async def overdue(connection: Connection) -> int:
    """Reviews that are late, each told once; how many."""
    told: int = (await tuples(connection, _SQL["overdue"], {}))[0][0]
    return told


async def wall(connection: Connection) -> datetime:
    """The machine's clock, which no test moves."""
    at: datetime = (await tuples(connection, _SQL["wall"], {}))[0][0]
    return at


async def doubt(connection: Connection, ahead: timedelta) -> None:
    """For a day, windows reach back by so much more; less than nothing: the clock went back."""
    await run(connection, _SQL["doubt"], {"ahead": ahead})


async def sweep(connection: Connection) -> int:
    return await run(connection, _SQL["sweep_slots"], {}) + await run(connection, _SQL["sweep_held"], {})


# ---- held mail


async def orders(connection: Connection) -> list[Order]:
    return await rows(connection, _SQL["orders"], {}, Order)


async def ordered(connection: Connection, order: Order, after: UUID, most: int) -> list[UUID]:
    """The next held messages that the order means."""
    params = {"pause": order.pause_id, "after": after, "at": order.at, "messages": order.messages,
              "categories": order.categories, "templates": order.templates, "most": most}  # fmt: skip
    return [message for (message,) in await tuples(connection, _SQL["ordered"], params)]


async def release(connection: Connection, ids: Sequence[UUID], change: UUID) -> int:
    """Those of the order that are held still; how many."""
    n: int = (await tuples(connection, _SQL["release"], {"ids": list(ids), "change": change}))[0][0]
    return n


async def take_held(connection: Connection, ids: Sequence[UUID]) -> list[Waiting]:
    return await rows(connection, _SQL["take_held"], {"ids": list(ids)}, Waiting)


async def done(connection: Connection, change: UUID, n: int, *, over: bool) -> None:
    await run(connection, _SQL["done"], {"change": change, "n": n, "over": over})


async def settled(connection: Connection, after: UUID, most: int) -> UUID | None:
    """Says what became of the next held messages; the last that was looked at, None when there are no more after it."""
    last, looked, _ = (await tuples(connection, _SQL["settled"], {"after": after, "most": most}))[0]
    return last if looked == most else None
