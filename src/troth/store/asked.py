"""What strangers ask of the trust centres, typed: the mail that it takes, and its end."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("asked")


@dataclass(frozen=True, slots=True)
class Due:
    """One mail. `kind`: confirm or answer; `asks`: question or documents; `system`: the tenant that writes, None: there
    is none; `until`: how long granted documents can be taken.
    """

    id: UUID
    asked: UUID
    kind: str
    asks: str
    outcome: str
    reference: str
    until: datetime | None
    system: UUID | None
    keyset: bytes | None = field(repr=False)
    zone: str | None
    sender: str | None
    address_ct: bytes = field(repr=False)
    answer_ct: bytes | None = field(repr=False)


async def letters(connection: Connection, most: int) -> list[Due]:
    return await rows(connection, _SQL["letters"], {"most": most}, Due)


async def letter_done(connection: Connection, letter: UUID, email: UUID | None, why: str | None) -> None:
    await run(connection, _SQL["letter_done"], {"id": letter, "email": email, "why": why})


async def letter_tried(connection: Connection, letter: UUID) -> None:
    await run(connection, _SQL["letter_tried"], {"id": letter})


async def sweep(connection: Connection) -> int:
    """What nobody confirmed goes, and the words of what was answered long ago; how many."""
    swept: int = (await tuples(connection, _SQL["sweep"], {}))[0][0]
    return swept
