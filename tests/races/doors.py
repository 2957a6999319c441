"""Races at the gate: a limit, and one idempotency key. Several door processes with the real gate, let go together.

What was taken is counted twice: by the answers, and by the rows on disk.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg

from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Taken
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring
from troth.outside.kms import LocalKms
from troth.store.connection import connect

type Race = Literal["limit", "idempotency", "moves"]
LIMIT = 3  # messages of one template to one recipient in a day
ASKS = 2  # of each door in each round
TOGETHER = 16  # rounds that a door has under way at once
_PATIENCE = 120.0  # seconds for the other doors


@dataclass(frozen=True)
class Told:
    """What a door needs: the database, the key file, whose API key it is."""

    conninfo: dict[str, Any]
    kms: str
    key_hash: bytes
    sealed: bytes


@dataclass(frozen=True)
class Outcome:
    """`over`: rounds in which more was taken than may be; `under`: less, though enough asked; `differs`: rounds whose
    rows on disk are not what the answers said.
    """

    rounds: int
    asked: int
    taken: int
    refused: int
    over: int
    under: int
    differs: int

    @property
    def wrong(self) -> int:
        return self.over + self.under + self.differs


def judge(race: Race, doors: Sequence[Sequence[Sequence[str]]], on_disk: Sequence[int]) -> Outcome:
    """`doors`: for each door, each round's answers: an id of what was taken, or "" for a refusal."""
    over = under = differs = taken = asked = 0
    for answers, rows in zip(zip(*doors, strict=True), on_disk, strict=True):
        given = [one for door in answers for one in door]
        asked += len(given)
        made = Counter(one for one in given if one)
        taken += sum(made.values()) if race == "limit" else len(made)
        may = min(LIMIT, len(given)) if race == "limit" else 1
        over += len(made) > may
        under += len(made) < may or (race == "idempotency" and "" in given)
        differs += rows != len(made)
    return Outcome(len(on_disk), asked, taken, asked - taken, over, under, differs)


def door(race: Race, number: int, told: Told, addresses: Sequence[str], barrier: Any, answers: Any) -> None:
    """One door process."""
    try:
        answers.put((number, asyncio.run(all_rounds(partial(_round, race), told, addresses, barrier))))
    except BaseException as error:
        barrier.abort()
        answers.put((number, repr(error)))
        raise


async def all_rounds(
    one: Callable[[Gate, Told, str], Awaitable[list[str]]], told: Told, addresses: Sequence[str], barrier: Any
) -> list[list[str]]:
    """Each round's answers of one door; the doors meet before each group of rounds."""
    kms = LocalKms(Path(told.kms))
    gate = Gate(lambda name: connect({**told.conninfo, "user": "troth_flow"}, name), Keyring(kms),
                InstallationSecrets.open(kms, told.sealed))  # fmt: skip
    await gate.start()
    found: list[list[str]] = []
    try:
        for first in range(0, len(addresses), TOGETHER):
            barrier.wait(_PATIENCE)
            rounds = addresses[first : first + TOGETHER]
            found += await asyncio.gather(*(one(gate, told, address) for address in rounds))
    finally:
        await gate.stop()
    return found


async def _round(race: Race, gate: Gate, told: Told, address: str) -> list[str]:
    asked = EmailAsked(to=(address,), template="reminder", variables={"name": "Ann"})
    key = (address.encode().ljust(32, b"k"), b"f" * 32) if race == "idempotency" else None
    ask = Ask(Caller(key_hash=told.key_hash), (asked,), "POST", "/emails", idempotency=key)
    answers = await asyncio.gather(*(gate.submit(ask) for _ in range(ASKS)))
    return [str(a.ids[0]) if isinstance(a, Taken) else "" for a in answers]


def on_disk(conninfo: dict[str, Any], tenant: UUID, indexes: Sequence[bytes]) -> list[int]:
    """Messages of each round, by their recipient."""
    query = "SELECT blind_index, count(*)::int FROM troth.message WHERE tenant_id = %s GROUP BY 1"
    with psycopg.connect(**{**conninfo, "user": "postgres"}) as connection:
        found = dict(connection.execute(query, (tenant,)).fetchall())
    return [found.get(index, 0) for index in indexes]
