"""Records: one page of a record, whichever it is: keyed, and bounded however many rows there are.

A page looks through `window` rows at most behind the place where it begins, in the order of an index; what is searched
for by anything else than person, key, place and time is looked for in those. Where they hold too little, the next
page goes on behind them: no query takes long, and none misses anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from troth.control.people.actor import Actor
from troth.control.records.asked import Asked

PAGE = 50
WINDOW = 20_000  # rows; read in some tens of milliseconds
_NARROWED = "SELECT * FROM ({window}) AS w {where} LIMIT %(most)s"
_LAST = "SELECT w.* FROM ({window}) AS w OFFSET %(most)s"


@dataclass(frozen=True, slots=True)
class Query:
    """`window` is a SELECT of rows in order that ends in LIMIT %(window)s, its first column the place; `where` narrows
    them by the window's columns. `values`: for both.
    """

    window: str
    where: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch[T]:
    """`older`: the place at which the next begins; None: that was all. `looked`: the window ended before the page was
    full.
    """

    found: list[T]
    older: str | None
    looked: bool = False


@dataclass(frozen=True, slots=True)
class Log[T]:
    """A record. `query(actor, asked, before)`, and what makes entries of a page's rows, together. `window`: rows that
    a page looks through, fewer where each is JSON to be read.
    """

    name: str
    action: str
    query: Callable[[Actor, Asked, str], Query]
    entries: Callable[[Actor, list[tuple[Any, ...]]], list[T]]
    exported: Callable[[Actor, Sequence[T]], list[dict[str, Any]]]
    header: tuple[str, ...]
    batch: int = 1000  # rows of one piece of an export
    window: int = WINDOW


def page[T](log: Log[T], actor: Actor, asked: Asked, before: str, most: int = PAGE) -> Batch[T]:
    query = log.query(actor, asked, before)
    text = _NARROWED.replace("{window}", query.window).replace("{where}", query.where)
    got = _rows(text, {**query.values, "window": log.window, "most": most + 1})
    if len(got) > most:
        return Batch(log.entries(actor, got[:most]), str(got[most - 1][0]))
    last = _rows(
        _LAST.replace("{window}", query.window), {**query.values, "window": log.window, "most": log.window - 1}
    )
    older = str(last[0][0]) if last else None
    return Batch(log.entries(actor, got), older, looked=older is not None)


def every[T](log: Log[T], actor: Actor, asked: Asked) -> Iterator[list[dict[str, Any]]]:
    """Page by page; each asks the database anew, so each may be a transaction of its own."""
    before: str | None = asked.before
    while before is not None:
        found = page(log, actor, asked, before, log.batch)
        before = found.older
        yield log.exported(actor, found.found)


def _rows(text: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
