"""Quiet hours, for gate and delivery: when a recipient's night begins and ends, in the recipient's own time zone.

Pure. Hours are those of the recipient's wall clock, "00" to "23"; an hour that a clock change skips is never quiet, one
that it repeats is quiet twice. Moments are UTC. Zones change on quarter hours only (the tz database, since 1972), so a
day is walked in quarters.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from troth.rules.facts import check_aware
from troth.rules.policy import HOURS

_QUARTER = timedelta(minutes=15)
_QUARTERS = 2 * 24 * 4  # two days: whatever a clock change does, a night that ends has ended by then

Hours = tuple[str, ...]


def knows(zone: str) -> bool:
    """Tell whether the tz database has a zone of this name."""
    try:
        _zone(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def zone_of(recipient: str | None, tenant: str) -> str:
    """Give the zone whose night counts: the recipient's own, else the tenant's."""
    return recipient if recipient is not None and knows(recipient) else tenant


def ends(at: datetime, zone: str, hours: Hours) -> datetime | None:
    """Give the end of the quiet time in which `at` lies; None when it is not quiet then."""
    check_aware(at, "A moment")
    return _ends(_floor(at), zone, hours) if hours else None


def begins(at: datetime, zone: str, hours: Hours) -> datetime | None:
    """Give the next moment from `at` on that is quiet, `at` itself among them; None when none is."""
    check_aware(at, "A moment")
    found = _begins(_floor(at), zone, hours) if hours else None
    return None if found is None else max(found, at)


def _floor(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=8192)
def _ends(at: datetime, zone: str, hours: Hours) -> datetime | None:
    if not _quiet(at, zone, hours):
        return None
    return next((moment for moment in _walk(at) if not _quiet(moment, zone, hours)), at + _QUARTER * _QUARTERS)


@lru_cache(maxsize=8192)
def _begins(at: datetime, zone: str, hours: Hours) -> datetime | None:
    return next((moment for moment in _walk(at) if _quiet(moment, zone, hours)), None)


def _walk(at: datetime) -> Iterator[datetime]:
    return (at + _QUARTER * n for n in range(_QUARTERS))


def _quiet(at: datetime, zone: str, hours: Hours) -> bool:
    return f"{at.astimezone(_zone(zone)).hour:02}" in hours


def spans(hours: Hours) -> list[tuple[str, str]]:
    """Give the hours as stretches of the clock, each (first, end), round midnight too: [("21", "08")]."""
    quiet = {int(hour) for hour in hours}
    if len(quiet) == len(HOURS):
        return [("00", "24")]
    firsts = sorted(hour for hour in quiet if (hour - 1) % 24 not in quiet)
    return [(f"{first:02}", f"{_end(first, quiet):02}") for first in firsts]


def _end(first: int, quiet: set[int]) -> int:
    return next((first + n) % 24 for n in range(1, 25) if (first + n) % 24 not in quiet)
