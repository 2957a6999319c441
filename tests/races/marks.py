"""Races against the mark: a suppression, a pause, a cancellation. Two processes a pair, let go at the same moment.

Times are of the machine's one monotonic clock. A change that is acknowledged before the mark was asked for must be seen
by it; of a cancellation and a mark exactly one wins.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from troth.flow import events
from troth.store import spool
from troth.store.connection import Connection, connect

type Race = Literal["suppression", "pause", "cancel"]
LEASE = timedelta(minutes=10)
_PATIENCE = 60.0  # seconds for the other side
_JITTER = 0.003  # seconds: longer than a statement takes, so that each side is first now and then, and they overlap


@dataclass(frozen=True)
class Round:
    message: UUID
    email: UUID
    index: bytes
    tenant: UUID


@dataclass(frozen=True)
class Seen:
    """One side of one round: when it was asked for, when its commit was acknowledged, and what came of it."""

    began: int
    ended: int
    result: int


@dataclass(frozen=True)
class Outcome:
    """`late`: sent although the change was acknowledged before its mark began; `both`, `neither`: of a cancellation."""

    rounds: int
    sent: int
    stopped: int
    overlapped: int
    late: int
    both: int = 0
    neither: int = 0

    @property
    def wrong(self) -> int:
        return self.late + self.both + self.neither


def judge(race: Race, marks: Sequence[Seen], changes: Sequence[Seen]) -> Outcome:
    """What came of the rounds, each side's in the same order."""
    pairs = list(zip(marks, changes, strict=True))
    sent = [m.result == 0 for m in marks]
    late = sum(m.result == 0 and m.began > c.ended and (race != "cancel" or c.result == 1) for m, c in pairs)
    both = sum(m.result == 0 and c.result == 1 for m, c in pairs) if race == "cancel" else 0
    neither = sum(m.result != 0 and c.result == 0 for m, c in pairs) if race == "cancel" else 0
    overlapped = sum(m.began < c.ended and c.began < m.ended for m, c in pairs)
    return Outcome(len(pairs), sum(sent), len(pairs) - sum(sent), overlapped, late, both, neither)


def side(race: Race, which: str, conninfo: dict[str, Any], rounds: Sequence[Round], barrier: Any, told: Any) -> None:
    """One process: all its rounds, one after the other, each begun together with the other side's."""
    role = {**conninfo, "user": "troth_flow"}
    try:
        told.put((which, asyncio.run(_rounds(race, which, role, rounds, barrier))))
    except BaseException as error:
        barrier.abort()
        told.put((which, repr(error)))
        raise


async def _rounds(
    race: Race, which: str, conninfo: dict[str, Any], rounds: Sequence[Round], barrier: Any
) -> list[Seen]:
    act = _mark if which.startswith("mark") else _CHANGES[race]
    seen = []
    async with await connect(conninfo, f"race {which}") as connection, await _above(conninfo) as above:
        for each in rounds:
            if which.startswith("change") and race == "pause":
                await above.execute("DELETE FROM troth.pause WHERE tenant_id = %s", (each.tenant,))
            barrier.wait(_PATIENCE)
            time.sleep(random.random() * _JITTER)  # noqa: S311 - no secret
            seen.append(await _timed(act, connection, each))
            barrier.wait(_PATIENCE)  # a pause is lifted only when the round's mark is over
    return seen


async def _above(conninfo: dict[str, Any]) -> Connection:
    """Who may take the pause of the round before away again, which nobody of the house may."""
    made = await connect({**conninfo, "user": "postgres"}, "race above")
    await made.execute("SET session_replication_role = replica")
    return made


async def _timed(act: Callable[[Connection, Round], Awaitable[int]], connection: Connection, each: Round) -> Seen:
    began = time.monotonic_ns()
    result = await act(connection, each)
    return Seen(began, time.monotonic_ns(), result)


async def _mark(connection: Connection, each: Round) -> int:
    found = await spool.mark(connection, claims=[(each.message, 1)], lease=LEASE, route="relay")
    return found[each.message]


async def _suppress(connection: Connection, each: Round) -> int:
    query = (
        "SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[2::smallint], ARRAY['race'], ARRAY[%s::uuid], ARRAY[NULL::bytea])"
    )
    return _only(await (await connection.execute(query, (each.index, each.tenant))).fetchone())


async def _pause(connection: Connection, each: Round) -> int:
    query = "SELECT coalesce(cardinality(pause_v1(ARRAY[%s::uuid], 'stop-delivery', 'race', 'operator')), 0)"
    return _only(await (await connection.execute(query, (each.tenant,))).fetchone())


async def _cancel(connection: Connection, each: Round) -> int:
    moment: datetime = (await (await connection.execute("SELECT now_v1()")).fetchone())[0]
    return await events.cancel(connection, each.tenant, each.email, moment, lambda *_: None)


def _only(row: Any) -> int:
    return int(row[0])


_CHANGES = {"suppression": _suppress, "pause": _pause, "cancel": _cancel}
