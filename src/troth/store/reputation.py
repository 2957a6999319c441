"""The reputation of sending addresses and domains, typed: what DNS lists said, look by look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("reputation")


@dataclass(frozen=True, slots=True)
class Kept:
    """One look to keep; `tenant` None: of the installation's own address."""

    id: UUID
    tenant: UUID | None
    subject: str
    list: str
    state: str
    said: str


@dataclass(frozen=True, slots=True)
class Last:
    subject: str
    list: str
    state: str
    at: datetime


async def due(connection: Connection, age: timedelta) -> tuple[bool, datetime]:
    """Whether nothing was looked at for `age`, and the database's time."""
    found: tuple[bool, datetime] = (await tuples(connection, _SQL["due"], {"age": age}))[0]
    return found


async def domains(connection: Connection) -> dict[str, UUID]:
    return dict(await tuples(connection, _SQL["domains"], {}))


async def newest(connection: Connection, what: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Last]:
    """(subject, list) -> the last look, where there was one."""
    params = {"subjects": [subject for subject, _ in what], "lists": [name for _, name in what]}
    return {(each.subject, each.list): each for each in await rows(connection, _SQL["newest"], params, Last)}


async def keep(connection: Connection, looks: Sequence[Kept]) -> int:
    columns = {
        "ids": [each.id for each in looks],
        "tenants": [each.tenant for each in looks],
        "subjects": [each.subject for each in looks],
        "lists": [each.list for each in looks],
        "states": [each.state for each in looks],
        "said": [each.said for each in looks],
    }
    return await run(connection, _SQL["keep"], columns)
