"""The race of new times: several doors ask for, move and call back mail to one recipient, whose days have a limit each.

A message that moves is counted where it goes and gives back where it was: in the end the count of every day is that of the
messages that go then, and never was it more than the limit.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from tests.races import doors
from tests.races.doors import ASKS, LIMIT, Outcome, Told
from tests.support.firm import Firm

from troth.flow.gate import limits
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused, Taken
from troth.flow.gate.recall import Recall

DAYS = 2  # as many as messages move between
MOVES = 3  # of each message


@dataclass(frozen=True)
class Held:
    """One recipient on disk: of each day to come its messages and its count."""

    messages: tuple[int, ...]
    counts: tuple[int, ...]


def _day(n: int) -> datetime:
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon + timedelta(days=3 + n)


def door(_race: str, number: int, told: Told, addresses: Sequence[str], barrier: Any, answers: Any) -> None:
    """One door process."""
    try:
        answers.put((number, asyncio.run(doors.all_rounds(_round, told, addresses, barrier))))
    except BaseException as error:
        barrier.abort()
        answers.put((number, repr(error)))
        raise


async def _round(gate: Gate, told: Told, address: str) -> list[str]:
    """What became of each message, in words: "refused", or what its moves met, and whether it was called back."""
    return [word for words in await asyncio.gather(*(_one(gate, told, address) for _ in range(ASKS))) for word in words]


async def _one(gate: Gate, told: Told, address: str) -> list[str]:
    dice = random.Random()  # noqa: S311 - no secret
    asked = EmailAsked(
        to=(address,), template="reminder", variables={"name": "Ann"}, scheduled_at=_day(dice.randrange(DAYS))
    )
    answer = await gate.submit(Ask(Caller(key_hash=told.key_hash), (asked,), "POST", "/emails"))
    if not isinstance(answer, Taken) or answer.ids[0] is None:
        return ["refused"]
    words, tenant = ["taken"], (await _tenant(told))
    for _ in range(MOVES):
        word = await gate.reschedule(
            tenant, answer.ids[0], _day(dice.randrange(DAYS)) + timedelta(hours=dice.randrange(4))
        )
        words.append("full" if isinstance(word, Refused) else word.value)
    if dice.random() < 0.4:
        words.append("called back" if await gate.cancel(tenant, answer.ids[0]) is Recall.DONE else "lost")
    return words


async def _tenant(told: Told) -> Any:
    """The key's client, asked once."""
    if told.key_hash not in _TENANTS:
        with psycopg.connect(**{**told.conninfo, "user": "postgres"}) as connection:
            query = "SELECT tenant_id FROM troth.api_key WHERE hash = %s"
            (_TENANTS[told.key_hash],) = connection.execute(query, (told.key_hash,)).fetchone() or (None,)
    return _TENANTS[told.key_hash]


_TENANTS: dict[bytes, Any] = {}


def on_disk(conninfo: dict[str, Any], firm: Firm, indexes: Sequence[bytes]) -> list[Held]:
    """Each recipient's days, by the spool and by the counters."""
    starts = [limits.day_of(_day(n), "Europe/London")[0] for n in range(DAYS)]
    with psycopg.connect(**{**conninfo, "user": "postgres"}) as connection:
        found = connection.execute(
            "SELECT blind_index, counted_day, count(*)::int FROM troth.spool WHERE tenant_id = %s GROUP BY 1, 2",
            (firm.tenant,),
        ).fetchall()
        used = connection.execute(
            "SELECT subject, window_start, used FROM troth.rate_counter WHERE tenant_id = %s AND scope = %s",
            (firm.tenant, limits.RECIPIENT_DAY),
        ).fetchall()
    rows = {(bytes(index), day): n for index, day, n in found}
    counts = {(subject, day): n for subject, day, n in used}
    held = []
    for index in indexes:
        subject = limits.recipient_subject(firm.template, index)
        held.append(Held(tuple(rows.get((index, day), 0) for day in starts),
                         tuple(counts.get((subject, day), 0) for day in starts)))  # fmt: skip
    return held


def judge(given: Sequence[Sequence[Sequence[str]]], held: Sequence[Held]) -> Outcome:
    """`given`: for each door each round's words."""
    words = [word for each in given for one in each for word in one]
    refused = words.count("refused") + words.count("full")
    over = sum(max(one.messages) > LIMIT for one in held)
    differs = sum(one.messages != one.counts for one in held)
    lost = sum(word in ("missing", "too-late", "lost") for word in words)
    return Outcome(len(held), len(words), len(words) - refused, refused, over, lost, differs)
