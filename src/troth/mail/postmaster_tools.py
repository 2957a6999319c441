"""Feedback: Gmail's Postmaster Tools API v2 as documents: what is asked of it, and what its answers say. Pure.

Source: "Postmaster Tools API", REST v2: domains.list, domains.domainStats.query, MetricDefinition, StatisticValue.
Rates are 0 to 1. The reputation of v1 is not there any more.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from troth.mail import relay_facts as say

_PAGE = 200  # what the API gives at most
_MOST = 500  # domains, values of one answer
# Our name of each -> Gmail's metric and its filter. Of DMARC, SPF and DKIM: what passed of what tried.
METRICS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "spam_rate": ("SPAM_RATE", ""), "spf_rate": ("AUTH_SUCCESS_RATE", 'auth_type = "spf"'),
    "dkim_rate": ("AUTH_SUCCESS_RATE", 'auth_type = "dkim"'),
    "dmarc_rate": ("AUTH_SUCCESS_RATE", 'auth_type = "dmarc"'),
    "tls_rate": ("TLS_ENCRYPTION_RATE", 'traffic_direction = "inbound"'),
})  # fmt: skip
# Asked for by itself: an account may have it or not.
ERRORS: Mapping[str, tuple[str, str]] = MappingProxyType({"error_rate": ("DELIVERY_ERROR_RATE", "")})


@dataclass(frozen=True, slots=True)
class Value:
    """One day's metric of a domain; `number` 0 to 1."""

    metric: str
    day: date
    number: float


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """One page; `more`: the token of the next, "" on the last."""

    found: tuple[T, ...]
    more: str


def question(metrics: Mapping[str, tuple[str, str]], first: date, last: date, more: str = "") -> dict[str, Any]:
    """The body of domainStats:query; both days are in it."""
    asked = [
        {"name": name, "baseMetric": {"standardMetric": metric}, **({"filter": only} if only else {})}
        for name, (metric, only) in metrics.items()
    ]
    times = {"dateRanges": {"dateRanges": [{"start": _parts(first), "end": _parts(last)}]}}
    found = {"metricDefinitions": asked, "timeQuery": times, "pageSize": _PAGE, "aggregationGranularity": "DAILY"}
    return {**found, "pageToken": more} if more else found


def domains(document: Mapping[str, Any]) -> Answer[str]:
    """The domains that the account may see, in lower case."""
    names = [say.text(say.mapping(each).get("name"), 300) for each in say.listed(document.get("domains"), _MOST)]
    found = tuple(name.removeprefix("domains/").lower() for name in names if name.startswith("domains/"))
    return Answer(found, say.text(document.get("nextPageToken"), 2_000))


def values(document: Mapping[str, Any]) -> Answer[Value]:
    """What it tells; a value that is no share, or of no day, is left out."""
    found = [_value(say.mapping(each)) for each in say.listed(document.get("domainStats"), _MOST)]
    return Answer(tuple(each for each in found if each), say.text(document.get("nextPageToken"), 2_000))


def _value(given: Mapping[str, Any]) -> Value | None:
    metric, number = say.text(given.get("metric"), 60), _number(say.mapping(given.get("value")))
    day = _day(say.mapping(given.get("date")))
    known = metric in METRICS or metric in ERRORS
    return Value(metric, day, number) if known and day is not None and number is not None else None


def _number(value: Mapping[str, Any]) -> float | None:
    for kind in ("doubleValue", "floatValue", "intValue"):
        found = say.text(value.get(kind), 40)
        if found:
            try:
                number = float(found)
            except ValueError:
                return None
            return number if math.isfinite(number) and 0 <= number <= 1 else None
    return None


def _day(given: Mapping[str, Any]) -> date | None:
    try:
        return date(say.whole(given.get("year")), say.whole(given.get("month")), say.whole(given.get("day")))
    except ValueError:
        return None


def _parts(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
