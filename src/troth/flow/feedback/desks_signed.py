"""Feedback, the desks: whether a letter is certainly its sender's, and written to us: a DKIM signature that holds, is
aligned with From (RFC 7489 3.1.1), and signs that it is to the address that it came to, and when, not long ago. Only
such a letter is answered by mail: whoever names an address, or brings a letter to somebody else, mails nobody.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from troth.mail import parts
from troth.mail.address import Address
from troth.mail.parts import Part
from troth.outside.dkim_verify import Signature, Verifier, aligned

AGE = timedelta(days=2)  # a letter is brought within it, or it is a copy that somebody kept
_AHEAD = timedelta(hours=10)  # clocks differ
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 5322 3.3, without what only old programs write
_date_re = re.compile(
    r"\s*(?:[a-z]{3}\s*,)?\s*(\d{1,2})\s+([a-z]{3})\s+(\d{4})\s+(\d\d):(\d\d)(?::(\d\d))?\s+(?:([+-])(\d\d)(\d\d)|gmt|utc?)\b",
    re.IGNORECASE | re.ASCII,
)


class Signed:
    """What a ReportDesk asks of each letter; `to`: where it came to."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    async def __call__(self, octets: bytes, part: Part, sender: Address, now: datetime, to: Sequence[str]) -> bool:
        found = await self._verifier.verify(octets, part, now)
        return any(
            one.holds and aligned(one.domain, sender.domain) and _to_us(one, part, to) and _fresh(one, part, now)
            for one in found
        )


def _to_us(one: Signature, part: Part, to: Sequence[str]) -> bool:
    """Whether To or Cc, all of which is signed, names an address that it came to."""
    ours = {each.lower() for each in to}
    return any(
        one.covers(part, name)
        and any(each.lower() in ours for value in part.all(name) for each in parts.addresses(value))
        for name in ("to", "cc")
    )


def _fresh(one: Signature, part: Part, now: datetime) -> bool:
    """By the signature's own time, else by a Date that is signed; one that says no time may be of any."""
    at = moment(part.first("date")) if one.covers(part, "date") and len(part.all("date")) == 1 else None
    if one.at is not None:
        return abs(now.timestamp() - one.at) <= AGE.total_seconds()
    return at is not None and -_AHEAD <= now - at <= AGE


def moment(text: str) -> datetime | None:
    """A Date field as RFC 5322 has it; None for what is none."""
    found = _date_re.match(text[:200])
    if found is None or found[2].lower() not in _MONTHS:
        return None
    day, month, year, hour, minute, second = found[1], _MONTHS.index(found[2].lower()) + 1, *found.group(3, 4, 5, 6)
    away = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0)) * (-1 if found[7] == "-" else 1)
    try:
        at = datetime(
            int(year), month, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=timezone(away)
        )
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
