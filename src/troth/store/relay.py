"""The relay's webhooks, typed: a call is begun once and ended when all that it told is on record; numbers of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from troth.store.connection import Connection, rows, run, tuples
from troth.store.queries import load

_SQL = load("relay")


@dataclass(frozen=True, slots=True)
class Clocks:
    """`now` governs; `wall` is the true time, which a stranger's signature was made at."""

    now: datetime
    wall: datetime


async def clocks(connection: Connection) -> Clocks:
    return (await rows(connection, _SQL["relay_wall"], {}, Clocks))[0]


async def begin(connection: Connection, relay: str, token: str, body: bytes) -> bool:
    """Whether this call is to be carried out: it is new, or it broke off before its end. body: SHA-256 of it."""
    params = {"relay": relay, "token": token, "body": body}
    return bool(await tuples(connection, _SQL["relay_begin"], params))


async def end(connection: Connection, relay: str, token: str) -> None:
    await run(connection, _SQL["relay_end"], {"relay": relay, "token": token})


async def count(connection: Connection, relay: str, outcomes: Mapping[str, int]) -> None:
    """Add to the day's numbers; of nothing, nothing."""
    if outcomes:
        params = {"relay": relay, "outcomes": list(outcomes), "numbers": list(outcomes.values())}
        await run(connection, _SQL["relay_count"], params)


async def sweep(connection: Connection) -> int:
    """How many calls are forgotten, since no signature of that age is believed any more."""
    return await run(connection, _SQL["relay_sweep"], {})
