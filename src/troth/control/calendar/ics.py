"""The calendar as a file for other calendars (RFC 5545): a day an entry, lines of at most 75 octets."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from troth.rules.due import Due

MEDIA_TYPE = "text/calendar; charset=utf-8"
_LONGEST = 75  # octets of a line, its end not counted
_DAY = timedelta(days=1)


def calendar(every: Iterable[Due], now: datetime, host: str) -> bytes:
    """What waits has no day and is left out. The same duty keeps its UID, so that taking it in again moves it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Troth//Duties//EN", "CALSCALE:GREGORIAN"]
    lines += [line for each in every if each.due_at is not None for line in _event(each, each.due_at, now, host)]
    return b"".join(fold(line) for line in [*lines, "END:VCALENDAR"])


def _event(each: Due, at: datetime, now: datetime, host: str) -> Iterator[str]:
    day = at.astimezone(ZoneInfo(each.zone)).date()
    where = each.home.name if each.home else "the whole installation"
    uid = hashlib.sha256(each.key.encode()).hexdigest()[:32]
    said = f"{each.duty.claim}, for {where}; answers for it: {each.duty.owner}. By {_told(at, each.zone)}."
    yield "BEGIN:VEVENT"
    yield f"UID:{uid}@{host}"
    yield f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + _DAY:%Y%m%d}"
    yield f"SUMMARY:{escaped(f'{each.duty.title}: {where}')}"
    yield f"DESCRIPTION:{escaped(said)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _told(at: datetime, zone: str) -> str:
    there = at.astimezone(ZoneInfo(zone))
    return f"{there.day} {there:%B %Y, %H:%M} ({zone})"


def escaped(text: str) -> str:
    """TEXT of RFC 5545, section 3.3.11; other control characters are left out."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, written)
    return "".join(each for each in text if each == "\t" or not (ord(each) < 0x20 or ord(each) == 0x7F))


def fold(line: str) -> bytes:
    """Cut between characters, never within one; each further piece begins with a space, which counts."""
    pieces, piece = [], b""
    for each in (one.encode() for one in line):
        if len(piece) + len(each) > _LONGEST:
            pieces.append(piece)
            piece = b" "
        piece += each
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
