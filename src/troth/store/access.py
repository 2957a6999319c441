"""Access that ends with a date, typed: the duty, and the mail that tells of it."""

from dataclasses import dataclass
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("access")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell somebody. `variables` as JSON; `system` and what follows None: nobody writes to them now.
    `subject_ct`: the name of the account that it is about.
    """

    id: UUID
    account_id: UUID
    template: str
    variables: str
    system: UUID | None
    keyset: bytes | None
    timezone: str | None
    name_ct: bytes | None
    address_ct: bytes | None
    subject_ct: bytes | None


async def duty(connection: Connection) -> int:
    """Leavers, unused accounts, reviews; how much was done."""
    done: int = (await tuples(connection, _SQL["duty"], {}))[0][0]
    return done


async def notices(connection: Connection, most: int) -> list[Notice]:
    return await rows(connection, _SQL["notices"], {"most": most}, Notice)


async def noticed(connection: Connection, notice: UUID, why: str | None) -> None:
    """`why`: it could not be sent."""
    await run(connection, _SQL["noticed"], {"notice": notice, "why": why})
