"""Claims, in words: a sentence's template filled from a policy, and the numbers that it got from there.

A place is {path} or {path:form}: the path of a policy's field (rules/policy.py) and how its value is written. No digit
is written in a template itself, but in the names of STANDARDS: a number of the page is the policy's, or measured.

    ValueError   a template names a field or a form that is not there, or says a number itself
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from troth.rules.business_time import MINUTES, parse_span
from troth.rules.policy import FIELDS, Policy, value_of
from troth.rules.policy_said import length, number, share, span
from troth.rules.policy_words import listed, word
from troth.rules.strictness import NONE

STANDARDS: Mapping[str, str] = MappingProxyType(
    {
        "TLS 1.3": "the version of a protocol is its name",
        "AES-256": "the length of its key is part of a cipher's name",
        "SAML 2.0": "the version of a protocol is its name",
        "OWASP Top 10": "the title of a list",
        "EC2": "the name of a service of AWS",
        "S3": "the name of a service of AWS",
    }
)
_PLACE = re.compile(r"\{([a-z_.]+)(?::([a-z]+))?\}")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_RHYTHMS = {1: "daily", 7: "weekly", 30: "monthly", 31: "monthly", 91: "quarterly", 92: "quarterly", 365: "yearly"}
_TWO_HOURS = 120  # minutes
_NBSP = "\N{NO-BREAK SPACE}"
_ACTIONS = {"slow": "sending slows down", "stop-new": "new mail is paused", "stop-delivery": "all delivery is paused"}
_PATHS = frozenset(field.path for field in FIELDS)


def filled(template: str, policy: Policy) -> tuple[str, tuple[str, ...]]:
    """The sentence, and the numbers in it, each as it is written."""
    told: list[str] = []

    def fill(place: re.Match[str]) -> str:
        told.append(_written(value_of(policy, place[1]), place[2]))
        return told[-1]

    sentence = _PLACE.sub(fill, template)
    return sentence, tuple(each for part in told for each in _NUMBER.findall(part))


def paths(template: str) -> tuple[str, ...]:
    """The fields that a template names, in its order."""
    return tuple(place[1] for place in _PLACE.finditer(template))


def problem(template: str) -> str | None:
    """What is wrong with a template, or None."""
    places = [(place[1], place[2]) for place in _PLACE.finditer(template)]
    if strange := [path for path, _ in places if path not in _PATHS]:
        return f"{strange[0]} is no field of a policy"
    if strange := [form for _, form in places if form and form not in _FORMS]:
        return f"{strange[0]} is no way of writing a value"
    rest = _PLACE.sub("", template)
    for name in STANDARDS:
        rest = rest.replace(name, "")
    return "it says a number, or has a brace, that comes from no policy" if re.search(r"[\d{}]", rest) else None


def _written(value: Any, form: str | None) -> str:
    if form:
        return _FORMS[form](value)
    if isinstance(value, tuple):
        return listed([word(str(each)) for each in value])
    if isinstance(value, int):
        return f"{value:,}"
    return "no set time" if value == NONE else length(value) if " " in value else str(value)


def _minutes(text: str) -> str:
    """Up to two hours in minutes: 60 min; a longer one as it is."""
    told = None if text == NONE else parse_span(text)
    if told is None or told.unit != MINUTES or told.count > _TWO_HOURS:
        return _written(text, None)
    return f"{told.count:,}{_NBSP}min"


def _every(days: int) -> str:
    rhythm = f" ({_RHYTHMS[days]})" if days in _RHYTHMS else ""
    return f"every {number(days, 'day')}{rhythm}"


def _months(days: int) -> str:
    years, rest = divmod(days, 365)
    return number(days, "day") if rest or not years else number(12 * years, "month")


def _approved(people: int) -> str:
    if people == 1:
        return "a second authorised person has approved it"
    return f"{people}{_NBSP}further authorised people have approved it"


def _ways(given: tuple[str, ...]) -> str:
    return listed([word(each) for each in given if each != "system"], "or") or "any accepted way"


_FORMS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "plain": str,
        "days": lambda days: number(days, "day"),
        "hours": lambda hours: f"{hours:,}{_NBSP}h",
        "months": _months,
        "every": _every,
        "minutes": _minutes,
        "span": span,
        "spans": lambda waits: f"after {listed([span(each) for each in waits])}",
        "count": lambda entries: f"{len(entries)}",
        "share": share,
        "permille": lambda share_of: share(share_of * 1_000),
        "percent": lambda share_of: f"{share_of:,}{_NBSP}%",
        "action": lambda action: _ACTIONS[action],
        "approved": _approved,
        "ways": _ways,
    }
)
