"""What mailbox providers tell of us, typed: a day's numbers of a domain or an address, and how reading them went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from troth.store.connection import Connection, columns, run
from troth.store.queries import load

_SQL = load("postmaster")
_TROUBLE = 500  # characters
GMAIL, SNDS = "gmail", "snds"


@dataclass(frozen=True, slots=True)
class Day:
    """`number`: a share from 0 to 1, or a count."""

    subject: str
    day: date
    metric: str
    number: float
    words: str = ""


async def keep(connection: Connection, source: str, days: Sequence[Day]) -> None:
    if days:
        names = ("subject", "day", "metric", "number", "words")
        await run(connection, _SQL["provider_days"], {"source": source, **columns(days, names)})


async def tell(connection: Connection, source: str, *, read: bool, trouble: str) -> None:
    """trouble: why nothing, or not all, could be read; "" when all was."""
    params = {"source": source, "read": read, "trouble": trouble[:_TROUBLE]}
    await run(connection, _SQL["provider_read"], params)
