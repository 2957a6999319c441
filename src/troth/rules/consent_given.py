"""The gate's reading of consent that somebody else says was given: what it must say of itself to be
kept, and when it ends.

Express consent says what was read and how it was answered. Implied consent follows from dealings and runs out (CASL
section 10): two years of a business relationship, six months of an inquiry.

NotConsent(Exception)   permanent; `field` is the one to mend, `missing` whether it lacks, the sentence says how
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime

from troth.rules.consent import EXPRESS, IMPLIED

MONTHS = {"existing-business": 24, "existing-non-business": 24, "inquiry": 6}  # how long each basis lasts
RECORDED = "recorded"  # the basis of express consent that was given elsewhere
LONGEST = 4_000  # characters of what was read, or done
KINDS = {"express": EXPRESS, "implied": IMPLIED}  # the words of the API and of files


class NotConsent(Exception):  # noqa: N818 - reads as the sentence it raises
    """What was said is no consent."""

    def __init__(self, field: str, sentence: str, *, missing: bool = False) -> None:
        super().__init__(sentence)
        self.field, self.sentence, self.missing = field, sentence, missing


@dataclass(frozen=True, slots=True)
class Claimed:
    """What somebody says; times are texts as they came, None or empty where there is none."""

    kind: str
    wording: str
    how: str
    basis: str = ""
    given_at: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """As the consent ledger keeps it. `until` None: for as long as it is not taken back."""

    kind: int
    basis: str
    at: datetime
    until: datetime | None


def read(said: Claimed, now: datetime) -> Given:
    """Raise NotConsent. Where no time is given, it was given now."""
    at = _time(said.given_at, "given_at") or now
    if at > now:
        raise NotConsent("given_at", "Consent was not given in the future.")
    until = _until(said, at)
    kind = KINDS.get(said.kind)
    if kind is None:
        raise NotConsent("kind", "`kind` is express or implied.")
    if not said.wording.strip() or not said.how.strip():
        raise NotConsent("wording", "Say what the recipient read, and how they answered.", missing=True)
    if max(len(said.wording), len(said.how)) > LONGEST:
        raise NotConsent("wording", f"At most {LONGEST:,} characters of `wording` and of `how`.")
    if until is not None and until <= at:
        raise NotConsent("expires_at", "Consent that ends before it begins is none.")
    if until is not None and until <= now:
        raise _over(said, until)
    return Given(kind, said.basis if kind == IMPLIED else RECORDED, at, until)


def _over(said: Claimed, until: datetime) -> NotConsent:
    """Consent that serves for nothing: which of the two times to mend."""
    ran_out = f"This consent ran out on {until:%Y-%m-%d}, so nothing could be sent on it."
    if said.expires_at:
        return NotConsent("expires_at", f"{ran_out} Give a later `expires_at`, or ask the recipient anew.")
    lasts = f"Implied consent of this basis lasts {MONTHS[said.basis]} months."
    return NotConsent("given_at", f"{ran_out} {lasts} Give a later `given_at`, or ask the recipient anew.")


def _until(said: Claimed, at: datetime) -> datetime | None:
    until = _time(said.expires_at, "expires_at")
    if said.kind != "implied":
        return until
    months = MONTHS.get(said.basis)
    if months is None:
        raise NotConsent("basis", f"Implied consent has the basis {', '.join(MONTHS)}.")
    last = _later(at, months)
    if until is not None and until > last:
        sentence = f"Implied consent of this basis ends after {months} months: {last:%Y-%m-%d} at the latest."
        raise NotConsent("expires_at", sentence)
    return until or last


def _later(at: datetime, months: int) -> datetime:
    """As PostgreSQL's interval: the same day of the month, or its last."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def _time(text: str | None, field: str) -> datetime | None:
    """ISO 8601 with an offset, in UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotConsent(field, f"`{field}` cannot be read: write it as 2026-01-05T10:00:00Z.") from None
    raise NotConsent(field, f"`{field}` has no time zone: add Z, or an offset such as +02:00.")
