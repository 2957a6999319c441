"""Submission, registering: the consent that a client says a recipient gave, into the consent ledger with its wording.

Express consent says what was read and how it was answered. Implied consent follows from dealings and runs out (CASL
section 10): two years of a business relationship, six months of an inquiry.
"""

import calendar
from datetime import datetime
from uuid import UUID

from troth.flow.submission import wire
from troth.flow.submission.problem import Problem
from troth.flow.submission.when import parse_iso
from troth.keys import consents as words
from troth.keys import ids
from troth.keys.consents import Said
from troth.keys.keyring import PersonKey
from troth.rules.consent import EXPRESS, IMPLIED
from troth.store import consents as store
from troth.store.connection import Connection

_LONGEST = 4_000  # characters
_MONTHS = {"existing-business": 24, "existing-non-business": 24, "inquiry": 6}


class Consent:
    """What was asked for, read and found good before anything is written."""

    __slots__ = ("asked", "at", "until")

    def __init__(self, asked: wire.Consent, now: datetime) -> None:
        self.asked = asked
        self.at = _given(asked, now)
        self.until = _until(asked, self.at)
        if asked.kind not in ("express", "implied"):
            raise Problem("bad-value", "`kind` is express or implied.", "consent.kind")
        if not asked.wording.strip() or not asked.how.strip():
            raise Problem("missing-field", "Say what the recipient read, and how they answered.", "consent.wording")
        if max(len(asked.wording), len(asked.how)) > _LONGEST:
            raise Problem("bad-value", f"At most {_LONGEST:,} characters of `wording` and of `how`.", "consent.wording")
        if self.until is not None and self.until <= self.at:
            raise Problem("bad-value", "Consent that ends before it begins is none.", "consent.expires_at")


def _given(asked: wire.Consent, now: datetime) -> datetime:
    at = _time(asked.given_at, "consent.given_at") or now
    if at > now:
        raise Problem("bad-value", "Consent was not given in the future.", "consent.given_at")
    return at


def _until(asked: wire.Consent, at: datetime) -> datetime | None:
    until = _time(asked.expires_at, "consent.expires_at")
    if asked.kind != "implied":
        return until
    months = _MONTHS.get(asked.basis)
    if months is None:
        raise Problem("bad-value", f"Implied consent has the basis {', '.join(_MONTHS)}.", "consent.basis")
    last = _later(at, months)
    if until is not None and until > last:
        sentence = f"Implied consent of this basis ends after {months} months: {last:%Y-%m-%d} at the latest."
        raise Problem("bad-value", sentence, "consent.expires_at")
    return until or last


def _later(at: datetime, months: int) -> datetime:
    """As PostgreSQL's interval: the same day of the month, or its last."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def _time(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_iso(text)
    except Problem as problem:
        raise Problem("bad-value", problem.sentence, field) from None


async def record(
    connection: Connection, tenant: UUID, person: UUID, key: PersonKey, given: Consent, by: str, now: datetime
) -> None:
    """Its row, with its entry of the ledger; Problem for a category that the client has not."""
    asked, category = given.asked, None
    if asked.category is not None:
        category = await store.category(connection, tenant, asked.category)
        if category is None:
            raise Problem("category-unknown", "There is no such category of this account.", "consent.category")
    made = ids.uuid7(now)
    sealed = words.seal(key, made, Said(asked.wording, asked.how, asked.source or "", by))
    kind = EXPRESS if asked.kind == "express" else IMPLIED
    basis = asked.basis if kind == IMPLIED else "recorded"
    row = store.NewConsent(made, person, category, kind, basis, given.at, given.until, sealed)
    await store.record(connection, tenant, [row])
