"""Audits: what a page is asked for, as it stands in the address bar: a programme, two days, how many are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from troth.control.audits.period import Period
from troth.control.audits.survey import LONGEST, MOST_SAMPLE, SAMPLE

_LONGEST = 40
_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """`given`: as typed, or as proposed; `wrong`: field -> what to do. `period` None: something is wrong."""

    given: dict[str, str]
    asked: bool
    period: Period | None = None
    sample: int = SAMPLE
    wrong: dict[str, str] = field(default_factory=dict)


def read(query: Mapping[str, str], now: datetime, codes: Mapping[str, object]) -> Asked:
    """Days are UTC's; the last one is of the period, as far as it has passed."""
    proposed = {"from": f"{(now - _BEFORE).date()}", "to": f"{now.date()}", "sample": str(SAMPLE), "programme": ""}
    typed = {name: query.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in proposed}
    given = {name: typed[name] or proposed[name] for name in proposed}
    if not typed["programme"]:
        return Asked(given, asked=False)
    wrong: dict[str, str] = {}
    if given["programme"] not in codes:
        wrong["programme"] = "There is no such programme: choose from the list."
    begins, ends = _day(given, "from", wrong), _day(given, "to", wrong)
    sample = _sample(given["sample"], wrong)
    if begins is None or ends is None:
        return Asked(given, asked=True, wrong=wrong)
    period = Period(_start(begins), min(_start(ends + timedelta(days=1)), now))
    _check(period, now, wrong)
    return Asked(given, True, None if wrong else period, sample, wrong)


def _check(period: Period, now: datetime, wrong: dict[str, str]) -> None:
    if period.begins >= now:
        wrong["from"] = "This day has not come yet: give an earlier one."
    elif period.begins >= period.ends:
        wrong["to"] = "The last day lies before the first: give a later one."
    elif period.ends - period.begins > LONGEST:
        wrong["from"] = f"A period has {LONGEST.days} days at most: give a later first day."


def _day(given: Mapping[str, str], name: str, wrong: dict[str, str]) -> date | None:
    try:
        found = date.fromisoformat(given[name])
    except ValueError:
        found = date.min
    if not date(2000, 1, 1) <= found <= date(2999, 1, 1):
        wrong[name] = "Write a day as 2027-01-31."
        return None
    return found


def _sample(text: str, wrong: dict[str, str]) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_SAMPLE:
        return int(text)
    wrong["sample"] = f"Give a number from 1 to {MOST_SAMPLE}."
    return SAMPLE


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
