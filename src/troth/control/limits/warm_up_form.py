"""Around the river: a warm-up as somebody types it: a first number and how it grows, or each day's; read into a
schedule, or what is wrong with it, at its field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from troth.rules import warm_up

FIELDS = ("way", "starts", "first", "percent", "last", "steps", "reason")
WAYS = (
    ("growth", "It grows by a share each day", "From the first day’s number up to the last one’s."),
    ("steps", "Each day’s number, one by one", "What a mailbox provider or a relay asks for."),
)
LONGEST = 2000  # characters of a reason, and of the steps
_WHOLE = re.compile(r"\d{1,3}(?:[,\u00a0 ]\d{3})+|\d{1,9}", re.ASCII)
_PERCENT = 200  # the most that a day may be more than the one before


@dataclass(frozen=True, slots=True)
class Schedule:
    starts: str
    caps: list[int]


def read(posted: Mapping[str, str]) -> dict[str, str]:
    """What was typed, as it was typed."""
    return {name: posted.get(name, "").replace("\0", "").replace("\r\n", "\n")[: LONGEST + 1] for name in FIELDS}


def first_typed(today: date, caps: list[int], starts: date | None) -> dict[str, str]:
    """What the form shows at first: the schedule in force, or one that many begin with."""
    typed = dict.fromkeys(FIELDS, "")
    typed |= {"way": "growth", "starts": str(today), "first": "50", "percent": "50", "last": "20,000"}
    if starts is not None and caps:
        typed |= {"way": "steps", "starts": str(starts), "steps": "\n".join(str(each) for each in caps)}
    return typed


def schedule(typed: Mapping[str, str], today: date) -> tuple[Schedule | None, dict[str, str]]:
    """The schedule, or the faults by field."""
    faults: dict[str, str] = {}
    starts = _starts(typed["starts"], today, faults)
    caps = _grown(typed, faults) if typed["way"] == "growth" else _steps(typed, faults)
    if typed["way"] not in ("growth", "steps"):
        faults["way"] = "Choose how the schedule is given."
    if len(typed["reason"]) > LONGEST:
        faults["reason"] = f"{LONGEST:,} characters are the most: shorten it."
    elif not typed["reason"].strip():
        faults["reason"] = "Say why, for the person who approves it."
    return (None, faults) if faults or caps is None else (Schedule(starts, caps), {})


def _starts(text: str, today: date, faults: dict[str, str]) -> str:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        shown = f"“{text.strip()[:40]}” is no day. " if text.strip() else ""
        faults["starts"] = f"{shown}Write the first day as YYYY-MM-DD, such as {today}."
        return ""
    return found.isoformat()


def _grown(typed: Mapping[str, str], faults: dict[str, str]) -> list[int] | None:
    first = _number(typed, "first", warm_up.MOST, faults)
    percent = _number(typed, "percent", _PERCENT, faults)
    last = _number(typed, "last", warm_up.MOST, faults)
    if first is None or percent is None or last is None:
        return None
    if last < first:
        faults["last"] = f"A warm-up never falls: give {first:,}, the first day’s number, or more."
        return None
    caps = warm_up.grown(first, percent, last)
    if len(caps) > warm_up.DAYS:
        faults["percent"] = (
            f"{percent} % a day takes more than {warm_up.DAYS} days from {first:,} to {last:,}: let it grow faster, or "
            "begin with more."
        )
        return None
    return caps


def _steps(typed: Mapping[str, str], faults: dict[str, str]) -> list[int] | None:
    """A number a line, or with blanks between; a comma could stand in a number or between two."""
    if len(typed["steps"]) > LONGEST:
        faults["steps"] = f"A schedule has at most {warm_up.DAYS} days."
        return None
    if not typed["steps"].strip():
        faults["steps"] = "Give each day’s number, the first day’s first."
        return None
    caps: list[int] = []
    for each in re.split(r"[\s;]+", typed["steps"].strip()):
        if not re.fullmatch(r"\d{1,9}", each, re.ASCII):
            faults["steps"] = f"“{each[:40]}” is no whole number: give each day a line of its own, in figures alone."
            return None
        caps.append(int(each))
    if wrong := warm_up.problem(caps):
        faults["steps"] = wrong
        return None
    return caps


def _number(typed: Mapping[str, str], name: str, most: int, faults: dict[str, str]) -> int | None:
    text = typed[name].strip().removesuffix("%").strip()
    found = int(re.sub(r"\D", "", text)) if _WHOLE.fullmatch(text) else 0
    if not 1 <= found <= most:
        faults[name] = f"Give a whole number from 1 to {most:,}."
        return None
    return found
