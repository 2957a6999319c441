"""Feedback: what reports are made of, read leniently: times, addresses, numbers; and why one cannot be read."""

import ipaddress
import re
from datetime import UTC, datetime

_digits_re = re.compile(r"^(\d{1,12})(?:\.\d{0,12})?$")
_COUNT = 10**12  # messages; more is nobody's
_LONG = 40  # characters of a time


class Unreadable(Exception):  # noqa: N818  # a finding about somebody's report, no error of ours
    """`word`: one of a closed list (docs/dmarc-reports.md); `str()`: a sentence for a person. Always its sender's."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


def ip(text: str) -> str:
    """An address in its shortest form; empty for what is none. A scope, and IPv4 mapped into IPv6, are undone."""
    try:
        found = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found).partition("%")[0]


def count(text: str) -> int | None:
    """A number of messages; None for what is none, or nobody's."""
    found = _digits_re.match(text.strip())
    number = int(found[1]) if found else _COUNT + 1
    return number if number <= _COUNT else None


def moment(text: str) -> datetime | None:
    """Seconds since 1970, or ISO 8601; without a zone it is UTC. None for what is no time."""
    given = text.strip()[:_LONG]
    found = _digits_re.match(given)
    try:
        if found:
            return datetime.fromtimestamp(int(found[1]), UTC)
        read = datetime.fromisoformat(given)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
