"""Suppressions: dates and SMTP codes as exports write them; what cannot be read is None."""

import re
from datetime import UTC, date, datetime

_SMTP = re.compile(r"(?<![\d.])([245])\d\d(?![\d.])")
_ENHANCED = re.compile(r"(?<![\d.])([245])\.\d{1,3}\.\d{1,3}(?![\d.])")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?\Z", re.ASCII)
_MILLISECONDS = re.compile(r"\d{12,13}\Z", re.ASCII)
_RFC = re.compile(r"(?:[A-Za-z]{3},? )?(\d{1,2}) ([A-Za-z]{3}) (\d{4})\b")
_FIRST = date(1990, 1, 1)  # nobody kept a list before; Mailgun writes the year 1 for "unknown"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def day(text: str) -> date | None:
    """Of an ISO 8601 or RFC 5322 date, or seconds (or milliseconds) since 1970; in UTC where it has a zone."""
    text = text.strip()
    try:
        found = _day(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and found >= _FIRST else None


def _day(text: str) -> date | None:
    if _EPOCH.match(text):
        return datetime.fromtimestamp(float(text), UTC).date()
    if _MILLISECONDS.match(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC).date()
    if found := _RFC.match(text):
        month = _MONTHS.index(found[2].lower()) + 1
        return date(int(found[3]), month, int(found[1]))
    at = datetime.fromisoformat(text)
    return (at.astimezone(UTC) if at.tzinfo else at).date()


def reply_class(*texts: str) -> int | None:
    """2, 4 or 5: of the first of these that has an enhanced status (RFC 3463) or a reply code (RFC 5321)."""
    for text in texts:
        for pattern in (_ENHANCED, _SMTP):
            if found := pattern.search(text):
                return int(found[1])
    return None
