"""Feedback: the words of feedback reports: kinds, labels, dates, IP addresses, redacted recipients. Pure and total.

The words are data with reasons, in feedback_report_kinds.toml.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from ipaddress import ip_address
from typing import Any

_DATA: dict[str, Any] = tomllib.loads(files(__package__).joinpath("feedback_report_kinds.toml").read_text("utf-8"))
_KINDS: dict[str, str] = {word: kind for kind, words in _DATA["kinds"].items() for word in words}
LABELS: dict[str, str] = {label: field for field, labels in _DATA["labels"].items() for label in labels}
_LOCALS, _DOMAINS = frozenset(_DATA["redacted"]["locals"]), frozenset(_DATA["redacted"]["domains"])

_word_re = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_masked_re = re.compile(r"[x*.#?_-]{3,}\Z", re.IGNORECASE)
_hash_re = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[A-Za-z0-9+/_-]{27}=|[A-Za-z0-9+/_-]{43}=)\Z")
# date-time, RFC 5322 3.3 and 4.3: the name of the day is not asked for, and two-digit years are years
_date_re = re.compile(
    r"(?P<day>\d{1,2})[ \t-]+(?P<month>[A-Za-z]{3})[a-z]*\.?[ \t-]+(?P<year>\d{4}|\d{2})[ \t]+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\.\d+)?[ \t]*(?P<zone>[+-]\d{4}|[A-Za-z]{1,5})?"
)
_iso_re = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d{1,6})?(?:Z|[ ]?[+-]\d{2}:?\d{2})?")
_MONTHS = {
    m: n
    for n, m in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)
}
_ZONES = {
    "EDT": -4,
    "EST": -5,
    "CDT": -5,
    "CST": -6,
    "MDT": -6,
    "MST": -7,
    "PDT": -7,
    "PST": -8,
    "JST": 9,
    "CET": 1,
    "CEST": 2,
}


@dataclass(frozen=True, slots=True)
class _Saying:
    kind: str
    form: str
    pattern: re.Pattern[str]


_SAYINGS = tuple(_Saying(s["kind"], s["form"], re.compile("|".join(s["patterns"]))) for s in _DATA["text"])


def kind(said: str) -> str:
    """A feedback type in the registry's words; what nobody knows is "other" (RFC 5965 3.1); "" for nothing said."""
    word = _word_re.search(said.strip().lower())
    return _KINDS.get(word[0].rstrip("."), "other") if word else ""


def saying(text: str) -> tuple[str, str] | None:
    """(kind, form) of a letter that people's words alone tell of."""
    plain = " ".join(text[:8_192].lower().split())
    return next(((s.kind, s.form) for s in _SAYINGS if s.pattern.search(plain)), None)


def label(name: str) -> str:
    """Which field a label of a text stands for; "" for none."""
    return LABELS.get(" ".join(name[:60].lower().replace("-", " ").replace("_", " ").split()), "")


def told(address: str) -> bool:
    """Whether this address names somebody: not a placeholder, a mask or a hash (RFC 6590)."""
    local, _, domain = address.rpartition("@")
    low, host = local.lower().strip('"<>[]()'), domain.lower().rstrip(".")
    if not local or not domain or low in _LOCALS or host in _DOMAINS or host.endswith(".redacted"):
        return False
    return not (_masked_re.match(low) or _hash_re.match(local))


def ip(text: str) -> str:
    """An IP address in its usual spelling, out of what stands around it; "" for none."""
    for piece in re.split(r"[\s,;()<>]+", text[:400]):
        bare = piece.strip("[]\"'").removeprefix("IPv6:").removeprefix("ipv6:")
        for candidate in (bare, bare.rpartition(":")[0].strip("[]"), bare.partition("/")[0]):
            try:
                return str(ip_address(candidate))
            except ValueError:
                continue
    return ""


def moment(text: str) -> datetime | None:
    """A date in any of the usual spellings, in UTC; without a zone it is UTC's. None for what is no date."""
    try:
        if found := _iso_re.search(text[:200]):
            when = datetime.fromisoformat(found[0].replace(" +", "+").replace(" -", "-"))
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
        return _rfc_5322(text[:200])
    except (ValueError, OverflowError):
        return None


def _rfc_5322(text: str) -> datetime | None:
    found = _date_re.search(text)
    if not found or found["month"].lower() not in _MONTHS:
        return None
    year = int(found["year"])
    year += 0 if year > 99 else 2000 if year < 50 else 1900
    when = datetime(
        year, _MONTHS[found["month"].lower()], int(found["day"]), int(found["hour"]), int(found["minute"]),
        min(int(found["second"] or 0), 59), tzinfo=_zone(found["zone"] or ""),
    )  # fmt: skip
    return when.astimezone(UTC)


def _zone(said: str) -> timezone:
    if said[:1] in ("+", "-"):
        offset = timedelta(hours=int(said[1:3]), minutes=int(said[3:5]))
        return timezone(-offset if said[0] == "-" else offset)
    return timezone(timedelta(hours=_ZONES.get(said.upper(), 0)))
