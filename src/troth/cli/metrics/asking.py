"""Around the river: what the database itself knows of every stage, asked once a scrape and within two seconds.

Two roles ask: troth_flow sees the river, troth_ledger what waits for the tree. Neither sees more than at work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from troth.rules.states import State
from troth.store.connection import Connection, Unavailable

PATIENCE = 2.0  # seconds for all of it
_TIMEOUT = "SET statement_timeout = '1500ms'"

type Values = dict[str, dict[str, float]]
type Connect = Callable[[str], Awaitable[Connection]]

# A claimed row's `due` is its lease, in the future; so what is due and in the past waits for someone.
RIVER = {
    "queue": "SELECT count(*), coalesce(extract(epoch FROM now_v1() - min(due)), 0) FROM spool WHERE due <= now_v1()",
    "spool": "SELECT state, count(*) FROM spool GROUP BY state",
    "pauses": "SELECT effect, count(*) FROM pause WHERE released_at IS NULL GROUP BY effect",
    "domains": "SELECT ready_until > now_v1(), count(*) FROM domain_state GROUP BY 1",
    "checkpoint": "SELECT size, extract(epoch FROM now_v1() - at) FROM ledger_checkpoint ORDER BY size DESC LIMIT 1",
    "outbox": """
    SELECT count(*), coalesce(extract(epoch FROM now_v1() - min(at)), 0) FROM webhook_outbox WHERE state < 3
    """,
    "letters": "SELECT count(*) FROM inbound_letter WHERE read_at IS NULL",
    "duties": "SELECT extract(epoch FROM now_v1() - high_water) FROM clock_mark",
}
LEDGER = {
    "pending": """
    SELECT count(*), coalesce(extract(epoch FROM now_v1() - min(at)), 0)
    FROM (SELECT at FROM ledger_pending UNION ALL SELECT at FROM event_pending) AS line
    """,
}
_STATES = ("queued", "claimed", "sending", "deferred", "held")
_EFFECTS = ("stop-new", "stop-delivery")


async def ask(flow: Connect, ledger: Connect) -> Values:
    """Gauges by name and label; raise Unavailable or TimeoutError when the store does not answer in time."""
    async with asyncio.timeout(PATIENCE):
        river, line = await asyncio.gather(_rows(flow, RIVER), _rows(ledger, LEDGER))
    return _values(river | line)


async def _rows(connect: Connect, questions: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    async with await connect("metrics") as connection:
        await connection.execute(_TIMEOUT)
        return {name: await (await connection.execute(text)).fetchall() for name, text in questions.items()}


def _values(found: dict[str, list[tuple[Any, ...]]]) -> Values:
    """Every series is there from the start, so that an alarm on 0 can be told from one on nothing."""
    due, age = found["queue"][0]
    pending, pending_age = found["pending"][0]
    outbox, outbox_age = found["outbox"][0]
    states = {State(state).name.lower(): float(n) for state, n in found["spool"]}
    ready = dict(found["domains"])
    values: Values = {
        "troth_queue_age_seconds": {"": float(age)},
        "troth_queue_due": {"": float(due)},
        "troth_spool_rows": dict.fromkeys(_STATES, 0.0) | states,
        "troth_pauses": dict.fromkeys(_EFFECTS, 0.0) | {effect: float(n) for effect, n in found["pauses"]},
        "troth_domains": {"yes": float(ready.get(True, 0)), "no": float(ready.get(False, 0))},
        "troth_ledger_pending": {"": float(pending)},
        "troth_ledger_pending_age_seconds": {"": float(pending_age)},
        "troth_inbound_unread": {"": float(found["letters"][0][0])},
        "troth_webhook_outbox": {"": float(outbox)},
        "troth_webhook_outbox_age_seconds": {"": float(outbox_age)},
    }
    for size, since in found["checkpoint"]:
        values["troth_ledger_size"] = {"": float(size)}
        values["troth_ledger_checkpoint_age_seconds"] = {"": float(since)}
    for (since,) in found["duties"]:
        values["troth_duties_age_seconds"] = {"": float(since)}
    return values


AWAY = (*Unavailable, TimeoutError)
