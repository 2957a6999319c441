"""Complaints, what mailbox providers tell of us: the last weeks of each domain and address as curves, and how reading
them went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from troth.control.audit.asking import rows

DAYS = 30
_MOST = 4_000  # numbers on the page: 20 domains of six metrics for 30 days
WIDTH, HEIGHT = 120, 24
_DAYS = """
SELECT source, subject, metric, day, number, words FROM provider_day
WHERE day > (now_v1() AT TIME ZONE 'UTC')::date - %s ORDER BY source, subject, metric, day LIMIT %s
"""
_READ = "SELECT source, tried_at, read_at, trouble, now_v1() FROM provider_read ORDER BY source"
# metric -> its name for people, and how a number of it is written
METRICS = {
    "spam_rate": ("Marked as spam by readers", "share"), "spf_rate": ("SPF passed", "share"),
    "dkim_rate": ("DKIM passed", "share"), "dmarc_rate": ("DMARC passed", "share"),
    "tls_rate": ("Came over TLS", "share"), "error_rate": ("Refused or put off", "share"),
    "filter_result": ("Filter result", "words"), "complaint_rate": ("Complained about", "share"),
    "trap_hits": ("Trap hits", "count"), "recipients": ("Recipients", "count"), "blocked": ("Blocked today", "yes"),
}  # fmt: skip
_TONES = {"green": "holds", "yellow": "stale", "red": "fails"}
PROVIDERS = {"gmail": "Gmail Postmaster Tools", "snds": "Microsoft SNDS"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of a domain or an address. `newest`: as written; `line`: a path in a box of WIDTH by HEIGHT."""

    name: str
    newest: str
    words: str
    day: date
    line: str
    tone: str
    lowest: str
    highest: str


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """`tried` None: it is not read here. `read` is the newest time that brought something."""

    name: str
    tried: datetime | None
    read: datetime | None
    trouble: str
    subjects: tuple[Subject, ...]


type _Number = tuple[date, float, str]


def providers() -> list[Provider]:
    """Both, whether they are read or not."""
    told = {source: (tried, read, trouble) for source, tried, read, trouble, _ in rows(_READ)}
    found: dict[str, dict[str, dict[str, list[_Number]]]] = {}
    for source, subject, metric, day, number, words in rows(_DAYS, DAYS, _MOST):
        found.setdefault(source, {}).setdefault(subject, {}).setdefault(metric, []).append((day, number, words))
    return [
        Provider(name, *told.get(source, (None, None, "")), subjects=_subjects(found.get(source, {})))
        for source, name in PROVIDERS.items()
    ]


def _subjects(found: dict[str, dict[str, list[_Number]]]) -> tuple[Subject, ...]:
    return tuple(
        Subject(name, tuple(_figure(metric, metrics[metric]) for metric in METRICS if metric in metrics))
        for name, metrics in found.items()
    )


def _figure(metric: str, numbers: Sequence[_Number]) -> Figure:
    (name, kind), (day, newest, words) = METRICS[metric], numbers[-1]
    only = [number for _, number, _ in numbers]
    told = words if kind == "words" else written(newest, kind)
    tone = _TONES.get(words, "") if kind == "words" else ("fails" if kind == "yes" and newest else "")
    low, high = ("", "") if kind in ("words", "yes") else (written(min(only), kind), written(max(only), kind))
    return Figure(name, told, "" if kind == "words" else words, day, line(numbers), tone, low, high)


def written(number: float, kind: str) -> str:
    if kind == "share":
        return f"{number * 100:.2f} %"
    if kind == "yes":
        return "yes" if number else "no"
    return f"{number:,.0f}"


def line(numbers: Sequence[_Number]) -> str:
    """The days in their distance, the highest number at the top; one alone is a dash."""
    first, last = numbers[0][0], numbers[-1][0]
    days, most = (last - first).days or 1, max(number for _, number, _ in numbers) or 1.0
    points = [
        f"{(day - first).days * WIDTH / days:.1f} {HEIGHT - number * (HEIGHT - 2) / most - 1:.1f}"
        for day, number, _ in numbers
    ]
    return f"M{points[0]}H{WIDTH}" if len(points) == 1 else "M" + "L".join(points)
