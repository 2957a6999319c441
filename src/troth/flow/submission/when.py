"""Submission, reading: `scheduled_at`, as ISO 8601 with a zone or in the few English sentences of Resend's users.

    time     = "now" / "in" amount unit / amount unit "from now" / day ["at"] clock / day / "at" clock
    amount   = 1*4DIGIT / "a" / "an"            unit = sec / min / hour / day / week, and their usual spellings
    day      = "today" / "tomorrow" / ["on" / "next"] weekday
    clock    = 1*2DIGIT [":" 2DIGIT] ["am" / "pm"] / "noon" / "midnight", then optionally "utc"

A day without a clock is that day at this hour. A clock is read in the client firm's own time zone. A weekday is the
next one, never today.
"""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from troth.flow.submission.problem import Problem

_UNITS = {
    "second": timedelta(seconds=1), "seconds": timedelta(seconds=1), "sec": timedelta(seconds=1),
    "secs": timedelta(seconds=1), "s": timedelta(seconds=1),
    "minute": timedelta(minutes=1), "minutes": timedelta(minutes=1), "min": timedelta(minutes=1),
    "mins": timedelta(minutes=1), "m": timedelta(minutes=1),
    "hour": timedelta(hours=1), "hours": timedelta(hours=1), "hr": timedelta(hours=1), "hrs": timedelta(hours=1),
    "h": timedelta(hours=1),
    "day": timedelta(days=1), "days": timedelta(days=1), "d": timedelta(days=1),
    "week": timedelta(weeks=1), "weeks": timedelta(weeks=1), "w": timedelta(weeks=1),
}  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AMOUNT = rf"(?P<amount>[0-9]{{1,4}}|an?) ?(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
_RELATIVE = re.compile(rf"(?:in {_AMOUNT}|{_AMOUNT.replace('P<', 'P<b_')} from now)", re.ASCII)
_CLOCK = r"(?P<word>noon|midnight)|(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?(?: ?(?P<half>am|pm))?"  # e.g. 9:30 am
_ABSOLUTE = re.compile(
    rf"(?:(?:on |next )?(?P<day>today|tomorrow|{'|'.join(_WEEKDAYS)}))?(?: ?(?:at )?(?:{_CLOCK})(?P<utc> utc| gmt)?)?",
    re.ASCII,
)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LONGEST = 64  # characters
_FIELD = "scheduled_at"


def needs_now(text: str) -> bool:
    """Whether the text can only be read by knowing what time it is, and where."""
    return not _ISO.match(text.strip())


def parse_iso(text: str) -> datetime:
    """ISO 8601 with a time zone, as an aware UTC time; Problem with the way out."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unreadable() from None
    sentence = "The time has no time zone; add Z, or an offset such as +02:00."
    raise Problem("schedule-unreadable", sentence, _FIELD)


def parse_english(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """One of the sentences above, said at `now` in `zone`, as an aware UTC time."""
    words = " ".join(text.lower().split())
    if len(text) <= _LONGEST and words:
        if words == "now":
            return now
        if found := _RELATIVE.fullmatch(words):
            return now + _span(found)
        found = _ABSOLUTE.fullmatch(words)
        if found and (found["day"] or words.startswith("at ")):
            return _absolute(found, now, zone)
    raise _unreadable()


def _span(found: re.Match[str]) -> timedelta:
    amount = found["amount"] or found["b_amount"]
    unit = _UNITS[found["unit"] or found["b_unit"]]
    return unit * (int(amount) if amount.isdigit() else 1)


def _absolute(found: re.Match[str], now: datetime, zone: ZoneInfo) -> datetime:
    here = now.astimezone(ZoneInfo("UTC") if found["utc"] else zone)
    day = here.date() + timedelta(days=_days(found["day"], here.weekday()))
    clock = _clock(found)
    if clock is None:
        clock = here.time()
    return datetime.combine(day, clock, here.tzinfo).astimezone(UTC)


def _days(day: str | None, today: int) -> int:
    if day in (None, "today"):
        return 0
    if day == "tomorrow":
        return 1
    assert day is not None
    return (_WEEKDAYS.index(day) - today - 1) % 7 + 1


def _clock(found: re.Match[str]) -> time | None:
    if found["word"]:
        return time(12 if found["word"] == "noon" else 0)
    if found["hour"] is None:
        return None
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        raise _unreadable()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute)


def _unreadable() -> Problem:
    sentence = (
        "`scheduled_at` cannot be read; send ISO 8601 with a time zone, as 2026-12-01T09:00:00Z, "
        "or English as in 1 min, in 2 hours, tomorrow at 9am."
    )
    return Problem("schedule-unreadable", sentence, _FIELD)
