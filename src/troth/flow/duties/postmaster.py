"""Beside the river: reads what Gmail and Microsoft tell of our domains and addresses, and keeps it by day.

What cannot be read is told where it is shown; what was read before stays.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import structlog

from troth.mail.postmaster_tools import ERRORS, METRICS, Value
from troth.mail.snds import Activity, Block
from troth.outside.postmaster_tools import NotRead, PostmasterTools
from troth.outside.snds import Snds
from troth.store import gate
from troth.store import postmaster as store
from troth.store.connection import Connection
from troth.store.postmaster import GMAIL, SNDS, Day

EVERY = 6 * 3600.0  # seconds; both tell a day's numbers once a day
_BACK = timedelta(days=14)  # Gmail fills days in late
_RESULTS = {"green": 0.0, "yellow": 1.0, "red": 2.0}
log = structlog.get_logger("troth.duties")


async def gmail(connection: Connection, tools: PostmasterTools) -> int:
    """Every domain that the account may see; one that cannot be read keeps none of the others from being."""
    today = (await gate.now(connection)).date()
    troubles: list[str] = []
    kept = 0
    try:
        domains = await tools.domains()
    except NotRead as trouble:
        domains, troubles = (), [str(trouble)]
    for domain in domains:
        found = await _domain(tools, domain, today, troubles)
        await store.keep(connection, GMAIL, [Day(domain, each.day, each.metric, each.number) for each in found])
        kept += len(found)
    if not domains and not troubles:
        troubles.append("The account sees no domain: share our domains with it in Postmaster Tools.")
    await _tell(connection, GMAIL, troubles, read=bool(kept) or not troubles)
    return kept


async def _domain(tools: PostmasterTools, domain: str, today: date, troubles: list[str]) -> list[Value]:
    found: list[Value] = []
    for asked in (METRICS, ERRORS):
        try:
            found += await tools.values(domain, asked, today - _BACK, today)
        except NotRead as trouble:
            troubles.append(f"{domain}, {', '.join(asked)}: {trouble}")
    return found


async def snds(connection: Connection, reader: Snds) -> int:
    """The newest day of each address, and the addresses that Microsoft blocks today."""
    today = (await gate.now(connection)).date()
    troubles: list[str] = []
    days: list[Day] = []
    try:
        days += [day for each in await reader.activity() for day in _activity(each)]
    except NotRead as trouble:
        troubles.append(str(trouble))
    try:
        days += _blocks(await reader.blocks(), today)
    except NotRead as trouble:
        troubles.append(str(trouble))
    await store.keep(connection, SNDS, days)
    await _tell(connection, SNDS, troubles, read=len(troubles) < len(("data", "status")))
    return len(days)


def _activity(each: Activity) -> tuple[Day, ...]:
    less = "less than that" if each.under else ""
    return (
        Day(each.address, each.day, "filter_result", _RESULTS[each.result], each.result),
        Day(each.address, each.day, "complaint_rate", each.complaints, less),
        Day(each.address, each.day, "trap_hits", float(each.traps), _plain(each.comments)),
        Day(each.address, each.day, "recipients", float(each.recipients)),
    )


def _blocks(blocks: Iterable[Block], today: date) -> list[Day]:
    """By the first address of each range."""
    return [
        Day(each.first, today, "blocked", float(each.blocked), _plain(f"to {each.last}: {each.why}")) for each in blocks
    ]


def _plain(words: str) -> str:
    """A stranger's comment without an address in it."""
    return words.replace("@", " at ")[:300]


async def _tell(connection: Connection, source: str, troubles: list[str], *, read: bool) -> None:
    if troubles:
        log.warning("duties.provider_not_read", source=source, troubles=len(troubles))
    await store.tell(connection, source, read=read, trouble=" ".join(dict.fromkeys(troubles)))
