"""Feedback: Microsoft's Smart Network Data Services by its automated access: CSV without a header, by address. Pure.

Source: SNDS, "Automated data access" and FAQ. data: address, activity's start and end, RCPT and DATA commands,
recipients, filter result, complaint rate, trap period's start and end, trap hits, HELO, MAIL FROM, comments.
status: first and last address, whether blocked, why.
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address

_MOST = 2_000  # lines
_TEXT = 300  # characters of a comment
_complaints_re = re.compile(r"(?P<under><)?\s*(?P<number>\d{1,3}(?:\.\d{1,6})?)\s*%\Z")
_RESULTS = ("GREEN", "YELLOW", "RED")
_TIMES = ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%m/%d/%Y")
_ROW, _STATUS = 11, 4  # columns that must be there


class SndsError(ValueError):
    """What came is not SNDS's CSV: most often a page that asks to sign in."""


@dataclass(frozen=True, slots=True)
class Activity:
    """An address's day. result: green, yellow or red; complaints 0 to 1 (`under`: less than that); traps: hits."""

    address: str
    day: date
    recipients: int
    result: str
    complaints: float
    under: bool
    traps: int
    comments: str


@dataclass(frozen=True, slots=True)
class Block:
    first: str
    last: str
    blocked: bool
    why: str


def activity(octets: bytes) -> tuple[Activity, ...]:
    """Lines that cannot be read are left out; SndsError where there are lines and none can be."""
    rows = _rows(octets)
    found = tuple(each for each in map(_activity, rows) if each)
    if rows and not found:
        raise SndsError("The answer is not the CSV of SNDS's data: see that the key is right.")
    return found


def status(octets: bytes) -> tuple[Block, ...]:
    rows = _rows(octets)
    found = tuple(each for each in map(_block, rows) if each)
    if rows and not found:
        raise SndsError("The answer is not the CSV of SNDS's status: see that the key is right.")
    return found


def _rows(octets: bytes) -> list[list[str]]:
    text = octets.decode("utf-8-sig", "replace").replace("\0", "")
    try:
        found = [row for row, _ in zip(csv.reader(io.StringIO(text, newline="")), range(_MOST), strict=False)]
    except csv.Error:
        raise SndsError("The answer is not CSV.") from None
    return [[cell.strip() for cell in row] for row in found if any(cell.strip() for cell in row)]


def _activity(row: list[str]) -> Activity | None:
    if len(row) < _ROW or row[6].upper() not in _RESULTS:
        return None
    address, end, rate = _address(row[0]), _day(row[2]), _complaints_re.match(row[7])
    if address is None or end is None or rate is None:
        return None
    share = float(rate["number"]) / 100
    comments = row[13][:_TEXT] if len(row) > 13 else ""
    return Activity(
        address, end, _whole(row[5]), row[6].lower(), min(share, 1.0), bool(rate["under"]), _whole(row[10]), comments
    )


def _block(row: list[str]) -> Block | None:
    if len(row) < _STATUS or row[2].lower() not in ("yes", "no"):
        return None
    first, last = _address(row[0]), _address(row[1])
    return Block(first, last, row[2].lower() == "yes", row[3][:_TEXT]) if first and last else None


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _day(text: str) -> date | None:
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - SNDS names no zone; the day is what counts
        except ValueError:
            continue
    return None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0
