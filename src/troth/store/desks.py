"""The desks of abuse and of vulnerabilities, typed: what they find and take, and the mail that answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from troth.rules.desks import Stack
from troth.store.connection import Connection, run, tuples
from troth.store.queries import load

_SQL = load("desks")


@dataclass(frozen=True, slots=True)
class Match:
    """A message that a letter names, with whose it is. `domain`: of its sender, which its Message-ID ends in."""

    message: UUID
    tenant: UUID
    programme: UUID
    category: UUID
    template: UUID | None
    domain: str


@dataclass(frozen=True, slots=True)
class Due:
    """One mail to a reporter. `system`: the tenant that writes, None: there is none. `clocks`: those that run."""

    id: UUID
    case: UUID
    kind: str
    case_kind: str
    reference: str
    programme: UUID | None
    system: UUID | None
    keyset: bytes | None = field(repr=False)
    zone: str | None
    sender: str | None
    domain: str | None
    index: bytes
    address_ct: bytes
    confirmed: bool
    words_ct: bytes | None
    answers_ct: bytes | None
    clocks: tuple[tuple[str, datetime], ...]


async def programmes(connection: Connection) -> dict[str, UUID]:
    """Each programme by its domain, in lower case."""
    return {domain: id_ for id_, domain in await tuples(connection, _SQL["programmes"], {})}


async def match(connection: Connection, messages: Sequence[UUID]) -> list[Match]:
    """Those that are there, in the order asked."""
    return [Match(*found) for found in await tuples(connection, _SQL["match"], {"messages": list(messages)})]


async def policies(connection: Connection, tenant: UUID | None, programme: UUID | None) -> list[Stack]:
    params = {"tenant": tenant, "programme": programme}
    return [Stack(*found) for found in await tuples(connection, _SQL["policies"], params)]


@dataclass(frozen=True, slots=True)
class Room:
    """What a desk takes in a day: of all, of one source, and octets."""

    most: int
    each: int
    octets: int


async def room(connection: Connection, desk: str, source: bytes, octets: int, limits: Room) -> bool:
    """Count one more, if there is room for it. `source`: a keyed hash of 32 bytes, or empty."""
    params = {"desk": desk, "source": source, "octets": octets, "most": limits.most, "each": limits.each,
              "octets_most": limits.octets}  # fmt: skip
    return bool((await tuples(connection, _SQL["room"], params))[0][0])


async def case_of(connection: Connection, messages: Sequence[UUID], reference: str, index: bytes | None) -> UUID | None:
    """The case that a letter answers, by the mail that it answers or by its subject and sender."""
    params = {"messages": list(messages), "reference": reference, "index": index}
    found: UUID | None = (await tuples(connection, _SQL["case_of"], params))[0][0]
    return found


async def reporter(connection: Connection, case: UUID, index: bytes, address: bytes, *, signed: bool) -> bool:
    """Who reported; `address` sealed to keys/places.case_reporter. False: somebody is written there already."""
    params = {"case": case, "index": index, "address": address, "signed": signed}
    return bool((await tuples(connection, _SQL["reporter"], params))[0][0])


async def received(connection: Connection, letter: UUID, case: UUID, answers: bytes | None, most: int) -> str:
    """queued, often or nobody. `answers`: a Message-ID, sealed to keys/places.case_words of the letter."""
    params = {"id": letter, "case": case, "answers": answers, "most": most}
    return str((await tuples(connection, _SQL["received"], params))[0][0])


async def letters(connection: Connection, most: int) -> list[Due]:
    rows = await tuples(connection, _SQL["letters"], {"most": most})
    return [Due(*(*found, tuple(zip(names or (), dues or (), strict=True)))) for *found, names, dues in rows]


async def letter_done(connection: Connection, letter: UUID, email: UUID | None, why: str | None) -> None:
    await run(connection, _SQL["letter_done"], {"id": letter, "email": email, "why": why})


async def letter_tried(connection: Connection, letter: UUID) -> None:
    await run(connection, _SQL["letter_tried"], {"id": letter})
