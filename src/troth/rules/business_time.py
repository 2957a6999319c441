"""The house of cases: how long a promise lasts, on the clock or in business time, and when it ends.

Business time runs on business days alone, from `opens` to `closes` of the calendar's zone. A business day is a day that
is neither weekend nor public holiday there (weekends differ by country, too: the library `holidays` knows). "n business
days" end at the same time of day, n business days later. What arrives while business is closed counts from the next
opening, and its last day ends at closing time: never later than the end of the n-th business day after it arrived,
which is how a contract reads (Regulation (EEC) 1182/71, Article 3).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

MINUTES, BUSINESS_HOURS, BUSINESS_DAYS = "minutes", "business hours", "business days"
_MOST = 366 * 24 * 60  # minutes: a year
_DAY = timedelta(days=1)
_LEAST_OPEN = 6 * 60  # minutes: shorter days would make of business hours weeks
_HOUR, _DAY_MINUTES, _WORKDAY = 60, 1_440, 8  # minutes, minutes, hours of a working day when spans are compared
_SPAN = re.compile(r"\s*(\d{1,6})\s*([a-z]+(?: +[a-z]+)?)\s*", re.IGNORECASE)
_UNITS = {
    "m": (MINUTES, 1), "min": (MINUTES, 1), "minute": (MINUTES, 1), "minutes": (MINUTES, 1),
    "h": (MINUTES, 60), "hour": (MINUTES, 60), "hours": (MINUTES, 60),
    "d": (MINUTES, 1_440), "day": (MINUTES, 1_440), "days": (MINUTES, 1_440),
    "business hour": (BUSINESS_HOURS, 1), "business hours": (BUSINESS_HOURS, 1),
    "business day": (BUSINESS_DAYS, 1), "business days": (BUSINESS_DAYS, 1),
}  # fmt: skip
_MOST_OF = MappingProxyType({MINUTES: _MOST, BUSINESS_HOURS: 1_000, BUSINESS_DAYS: 250})
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """A length: `count` of `unit` (MINUTES of the clock, BUSINESS_HOURS, BUSINESS_DAYS). ValueError beyond a year."""

    count: int
    unit: str

    def __post_init__(self) -> None:
        if not 1 <= self.count <= _MOST_OF[self.unit]:
            raise ValueError(f"must be from 1 to {_MOST_OF[self.unit]:,} {self.unit}")

    @property
    def longest(self) -> int:
        """Minutes that it may take at most, where two public holidays fall into it: by this, spans are compared."""
        if self.unit == MINUTES:
            return self.count
        days = self.count if self.unit == BUSINESS_DAYS else -(-self.count // _WORKDAY)
        whole = (days + 2 * ((days + 1) // 5 + 1) + 2) * _DAY_MINUTES
        return whole if self.unit == BUSINESS_DAYS else whole - (days * _WORKDAY - self.count) * _HOUR

    def __str__(self) -> str:
        """As a policy's document says it: 4 h, 30 min, 14 d, 4 business hours, 1 business day."""
        if self.unit != MINUTES:
            return f"{self.count} {self.unit if self.count > 1 else self.unit[:-1]}"
        if self.count % _DAY_MINUTES == 0 and self.count > 3 * _DAY_MINUTES:
            return f"{self.count // _DAY_MINUTES} d"
        return f"{self.count // _HOUR} h" if self.count % _HOUR == 0 else f"{self.count} min"


@dataclass(frozen=True, slots=True)
class Calendar:
    """When business is open. `country`: "", or ISO 3166 such as DE or DE-BY; `opens`, `closes`: minutes of the day."""

    zone: str
    country: str = ""
    opens: int = 9 * 60
    closes: int = 17 * 60

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


@dataclass(frozen=True, slots=True)
class DayOff:
    """A day between two times on which business is closed. `why`: the holiday's name, or "weekend"."""

    day: date
    why: str


def parse_span(text: str) -> Span:
    """Read 4 h, 30 min, 14 d, 4 business hours, 1 business day; ValueError in words."""
    found = _SPAN.fullmatch(text)
    unit = _UNITS.get(" ".join(found[2].lower().split())) if found else None
    if found is None or unit is None:
        raise ValueError("must be a length such as 30 min, 4 h, 14 d, 4 business hours or 1 business day")
    return Span(int(found[1]) * unit[1], unit[0])


def parse_hours(text: str) -> tuple[int, int]:
    """Read 09:00-17:00 as minutes of the day; ValueError in words."""
    found = _HOURS.fullmatch(text)
    opens, closes = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not opens + _LEAST_OPEN <= closes <= _DAY_MINUTES:
        raise ValueError("must be business hours of six hours or more, such as 09:00-17:00")
    return opens, closes


def hours_problem(text: str) -> str | None:
    """Say what is wrong with business hours."""
    try:
        parse_hours(text)
    except ValueError as wrong:
        return str(wrong)
    return None


def zone_problem(text: str) -> str | None:
    """Say what is wrong with the name of a time zone."""
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError):  # unknown; a folder; a name that leads elsewhere
        return "must be the name of a time zone such as Europe/London"
    return None


def country_problem(text: str) -> str | None:
    """Say what is wrong with the code of a country, or of a part of one, whose holidays count."""
    country, _, part = text.partition("-")
    parts = _countries().get(country)
    if text and (parts is None or ("-" in text and part not in parts)):
        return "must be empty, or a country such as DE or a part of one such as DE-BY (ISO 3166)"
    return None


def due(start: datetime, span: Span, calendar: Calendar) -> datetime:
    """When a promise that began at `start` ends, in UTC. ValueError for a naive time."""
    if start.tzinfo is None:
        raise ValueError("A time needs its zone.")
    if span.unit == MINUTES:
        return start.astimezone(UTC) + timedelta(minutes=span.count)
    if span.unit == BUSINESS_HOURS:
        return _hours_on(start, timedelta(hours=span.count), calendar)
    return _days_on(start, span.count, calendar)


def closing(day: date, calendar: Calendar) -> datetime | None:
    """When business closes on a day, in UTC; None for a day off."""
    return None if _closed(day, calendar.country) else _at(day, calendar.closes, calendar.tz)


def days_off(start: datetime, end: datetime, calendar: Calendar) -> tuple[DayOff, ...]:
    """The days between on which business is closed, with why: what explains a date."""
    zone = ZoneInfo(calendar.zone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    span = (day + n * _DAY for n in range((last - day).days + 1))
    return tuple(DayOff(each, why) for each in span if (why := _closed(each, calendar.country)))


def _hours_on(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    days = _open_from(start, calendar)
    while True:
        opens, closes = next(days)
        begins = max(opens, start.astimezone(UTC))
        if closes - begins >= left:
            return begins + left
        left -= closes - begins


def _days_on(start: datetime, count: int, calendar: Calendar) -> datetime:
    """Open at `start`: the same time of day, `count` business days on. Closed: the end of the `count`-th from now."""
    days = _open_from(start, calendar)
    opens, closes = next(days)
    if start < opens:
        for _ in range(count - 1):
            _, closes = next(days)
        return closes
    for _ in range(count):
        opens, closes = next(days)
    zone = ZoneInfo(calendar.zone)
    same = datetime.combine(opens.astimezone(zone).date(), start.astimezone(zone).time(), zone)
    return min(max(same.astimezone(UTC), opens), closes)


def _open_from(start: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """Every stretch of business time that has not ended by `start`, in UTC."""
    zone = ZoneInfo(calendar.zone)
    day = start.astimezone(zone).date() - _DAY
    while True:
        day += _DAY
        if _closed(day, calendar.country):
            continue
        stretch = _at(day, calendar.opens, zone), _at(day, calendar.closes, zone)
        if stretch[1] > start and stretch[0] < stretch[1]:
            yield stretch


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A time of day that a clock put forward skips is the moment after; one that comes twice is the first."""
    whole, minute = divmod(minute, _DAY_MINUTES)
    local = datetime.combine(day + whole * _DAY, time(minute // _HOUR, minute % _HOUR), zone)
    return local.astimezone(UTC)


def _closed(day: date, country: str) -> str:
    """Why business is closed on a day; "": it is open."""
    if not country:
        return "weekend" if day.weekday() >= 5 else ""  # from Saturday on
    return _days_off_of(country, day.year).get(day, "")


@cache
def _countries() -> Mapping[str, list[str]]:
    """The codes of the countries that the library knows (ISO 3166-1 alpha-2), each with those of its parts."""
    return holidays.list_supported_countries(include_aliases=False)


@cache
def _days_off_of(country: str, year: int) -> Mapping[date, str]:
    code, _, part = country.partition("-")
    known = holidays.country_holidays(code, subdiv=part or None, years=year)
    first = date(year, 1, 1)
    days = (first + n * _DAY for n in range((date(year + 1, 1, 1) - first).days))
    return MappingProxyType({day: known.get(day) or "weekend" for day in days if not known.is_working_day(day)})
