"""The trust centre: what a check saw, said in public: figures in words, and reasons without the names of anybody.

What a control keeps is for the operator: a sentence may name a client's domain, a message, an address or an error of
the database. Here such names are left out; figures are numbers, days and short words of our own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from troth.control.centre.words import table

_MOST, _LONG = 6, 240
_WITHHELD = "[withheld]"
_AGED = "it was last checked"  # so many hours ago: the page says when
_NAMES = re.compile(
    r"\S*@\S+"  # an address
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b[a-z]{2,6}_\w+_\w{12,}\b"  # an id of the API
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){2,}[0-9a-f:]*"
    r"|\b(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+\b"  # a host, a table's column
    r"|(?:/[\w.-]+){2,}",
    re.IGNORECASE,
)
_INNER = re.compile(r"\A(it could not look|the control itself failed|what it stands on is not there|"
                    r"something that is sealed does not open|it could not be recorded)\b.*", re.DOTALL)  # fmt: skip
_FIGURE = re.compile(r"[<>≤≥]?\s?[\d.,:]+(?:\s?(?:%|d|h|min|s|ms|days?|hours?|bits?))?\Z")
_AMOUNT = re.compile(
    r"\d[\d,.]*(?:\s(?:business\s)?(?:percent|%|hours?|h|days?|minutes?|min|months?|years?|weeks?|times|bits|zones?))(?!\w)"
)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?\Z")


def reasons(why: Iterable[str], long: int = _LONG) -> list[str]:
    """Why it does not hold, or has no data, without anybody's name, each in at most `long` characters."""
    return list(dict.fromkeys(_public(each, long) for each in why if each and not each.startswith(_AGED)))[:_MOST]


def _public(sentence: str, long: int) -> str:
    """What went wrong inside is said to whom it concerns; here, that it did."""
    inner = _INNER.match(sentence)
    told = inner[1] if inner else _NAMES.sub(_WITHHELD, sentence)
    told = f"{told[: long - 1].rstrip()}…" if len(told) > long else told
    return f"{told[:1].upper()}{told[1:].rstrip('.')}."


def figures(seen: Mapping[str, Any]) -> list[str]:
    """Each figure in words, in the order in which the control gathered them."""
    return list(_figures(seen))


def _figures(seen: Mapping[str, Any]) -> Iterator[str]:
    for name, value in seen.items():
        shown = _figure(value)
        if shown is None or not re.fullmatch(r"[a-z0-9_-]{1,60}", name):
            continue
        pattern = table("figures.toml").get(name)
        yield pattern.replace("{n}", shown) if pattern else f"{re.sub('[_-]', ' ', name)}: {shown}"


def _figure(value: Any) -> str | None:
    """A number or a day; anything else may be somebody's name."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    day = _DAY.match(value) if isinstance(value, str) else None
    if day:
        return day[1]
    return value if isinstance(value, str) and _FIGURE.match(value) and not _NAMES.search(value) else None


def strong(sentence: str) -> SafeString:
    """The sentence as policy says it, its amounts in bold."""
    return mark_safe(_AMOUNT.sub(lambda found: f"<b>{found[0]}</b>", escape(sentence)))  # noqa: S308 - escaped
