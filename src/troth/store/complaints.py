"""Complaints, typed: the loops that are believed, what is known of who complained, and the record of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("complaints")


@dataclass(frozen=True, slots=True)
class Loop:
    """A feedback loop that is believed. domains: those that sign its reports; sender: its From address."""

    id: UUID
    name: str
    provider: str
    domains: Sequence[str]
    sender: str


@dataclass(frozen=True, slots=True)
class About:
    """A message that was complained of, and how its recipient came to be one. address_ct: None of an erased one."""

    sent_for_at: datetime
    category: str | None
    template: str | None
    version: int | None
    template_subject: UUID | None
    tenant_kind: int
    status: int
    pathway: str | None
    verified_at: datetime | None
    expires_at: datetime | None
    registered_at: datetime
    address_ct: bytes | None


@dataclass(frozen=True, slots=True)
class Given:
    """A row of the consent ledger, without its wording."""

    kind: int
    basis: str
    at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewComplaint:
    """`came_at`: when its report reached us; loop: None for one that no loop of ours told."""

    id: UUID
    message: UUID
    source_key: str
    case: UUID
    loop: UUID | None
    via: str
    kind: str
    came_at: datetime


async def loops(connection: Connection) -> list[Loop]:
    return await rows(connection, _SQL["complaint_loops"], {}, Loop)


async def told(connection: Connection, loop: UUID, kind: str, *, new: bool) -> None:
    """One more report of a loop."""
    await run(connection, _SQL["complaint_told"], {"loop": loop, "kind": kind, "new": new})


async def about(connection: Connection, message: UUID) -> About:
    """Of a message that is there: its caller has it locked."""
    return (await rows(connection, _SQL["complaint_about"], {"id": message}, About))[0]


async def consents(connection: Connection, tenant: UUID, person: UUID, category: UUID) -> list[Given]:
    params = {"tenant": tenant, "person": person, "category": category}
    return await rows(connection, _SQL["complaint_consents"], params, Given)


async def keep(connection: Connection, made: NewComplaint) -> None:
    """The record; refused while its recipient is not suppressed, its event not told or its case not open."""
    params = {
        "id": made.id, "message": made.message, "source_key": made.source_key, "case": made.case, "loop": made.loop,
        "via": made.via, "kind": made.kind, "came_at": made.came_at,
    }  # fmt: skip
    await run(connection, _SQL["complaint_keep"], params)


async def pattern(connection: Connection, tenant: UUID, hours: int) -> tuple[int, bool]:
    """How many messages of a client were complained of lately, and whether it is stopped for that already."""
    [(number, stopped)] = await tuples(connection, _SQL["complaint_pattern"], {"tenant": tenant, "hours": hours})
    return number, stopped


async def stop(connection: Connection, tenant: UUID, reason: str) -> UUID:
    """Nothing of this client is sent until two people lift it."""
    made: UUID = (await tuples(connection, _SQL["complaint_stop"], {"tenants": [tenant], "reason": reason}))[0][0]
    return made


async def count_templates(connection: Connection) -> int:
    """How many were sent for each template, by the hour, for the trend; how many hours were counted."""
    counted: int = (await tuples(connection, _SQL["complaint_templates"], {}))[0][0]
    return counted
