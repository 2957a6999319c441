"""Duties of people, typed: what is promised and what was done, and a mail about one that is soon due or late."""

import json

from troth.rules.due import Fact, Home
from troth.store.connection import Connection, tuples
from troth.store.queries import load

_SQL = load("reminders")


async def homes(connection: Connection) -> list[Home]:
    return [Home(*row) for row in await tuples(connection, _SQL["homes"], {})]


async def facts(connection: Connection) -> list[Fact]:
    return [Fact(*row) for row in await tuples(connection, _SQL["facts"], {})]


async def tell(connection: Connection, owner: str, about: str, variables: dict[str, str], *, late: bool) -> int:
    """How many people this is news to; `about` makes it this one, whoever says it again and however often."""
    params = {"owner": owner, "about": about, "late": late, "variables": json.dumps(variables)}
    told: int = (await tuples(connection, _SQL["tell"], params))[0][0]
    return told
