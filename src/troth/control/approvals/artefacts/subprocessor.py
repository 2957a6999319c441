"""Four eyes, kind `programme`: its subprocessors: the other firms that handle personal data, each said in full."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from troth.control.audit.refusals import Problem

MOST = 100
_URL = re.compile(r"https://[!-~]{4,500}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LENGTHS = {"name": 120, "purpose": 300, "data": 300}


class Subprocessor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`purpose`: what it does; `data`: of what; `country`: where, ISO 3166-1 in two letters; `since`: a date, which may
    lie ahead, so that who is added can be told beforehand; `link`: its own page.
    """

    name: str
    purpose: str
    data: str
    country: str
    since: str
    link: str = ""


def problems(given: Sequence[Subprocessor]) -> list[Problem]:
    """Everything that is wrong with a list of them."""
    found = [problem for n, each in enumerate(given) for problem in _wrong(f"subprocessors.{n}", each)]
    names = [each.name.casefold() for each in given]
    if len(given) > MOST:
        found.append(Problem("subprocessors", "many", f"{MOST} are the most."))
    if len(set(names)) < len(names):
        found.append(Problem("subprocessors", "twice", "Name each of them once."))
    return found


def _wrong(path: str, given: Subprocessor) -> Iterator[Problem]:
    for name, most in _LENGTHS.items():
        value = getattr(given, name)
        if not value.strip() or len(value) > most or _UNPRINTED.search(value):
            yield Problem(f"{path}.{name}", "grammar", f"Say it in one line of up to {most} characters.")
    if not _COUNTRY.match(given.country):
        yield Problem(f"{path}.country", "grammar", "Write the country as two capital letters, such as IE.")
    if not _is_date(given.since):
        yield Problem(f"{path}.since", "grammar", "Write the day as 2026-11-23.")
    if given.link and not _URL.match(given.link):
        yield Problem(f"{path}.link", "grammar", "Write an address that begins with https://.")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
