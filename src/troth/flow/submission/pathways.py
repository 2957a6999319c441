"""Submission, registering: on which pathway a recipient is to be verified, and what the pathway rests on.

Every one ends with the recipient's own act: nobody is verified by a program's word. What it rests on (who invited,
which document was signed) is sealed under the person's key; of a document its SHA-256 is kept, never the document.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import available_timezones

import msgspec

from troth.flow.submission.problem import Problem
from troth.flow.submission.wire import Recipient
from troth.rules.policy import Policy

CONFIRMED = ("confirmation-link", "multi-step")  # what is taken where none is named, the plainer one first
NAMED = ("employer-invitation", "vendor-agreement")
PURPOSES = {
    "confirmation-link": "so that you can get its email",
    "multi-step": "so that you can get its email",
    "employer-invitation": "because your employer invited you",
    "vendor-agreement": "because a signed agreement names you",
}
_MAX_WORDS = 120
_sha256_re = re.compile(r"[0-9a-f]{64}\Z")
_ZONES_SHOWN = "an IANA name, as in Europe/London"


@dataclass(frozen=True, slots=True)
class Pathway:
    """name: one of the policy's. agreement: SHA-256 of the signed document. basis: JSON to be sealed, or None."""

    name: str
    valid_days: int
    agreement: bytes | None = None
    basis: bytes | None = None
    purpose: str | None = None  # why the mail asks, where it is not the pathway's own reason


def chosen(asked: Recipient, policy: Policy, now: datetime) -> Pathway:
    """The pathway that was asked for, or the policy's own; Problem where it is not accepted or lacks its basis."""
    name = asked.pathway or _usual(policy)
    if name not in PURPOSES or name not in policy.recipients.pathways:
        raise _not_accepted(policy)
    days = policy.recipients.verified_days
    _belongs("employer", asked.employer is not None, name, "employer-invitation")
    _belongs("agreement", asked.agreement is not None, name, "vendor-agreement")
    if asked.employer is not None:
        return Pathway(name, days, basis=msgspec.json.encode({"employer": _words(asked.employer, "employer")}))
    if asked.agreement is not None:
        return _signed(name, days, asked, now)
    return Pathway(name, days)


def _usual(policy: Policy) -> str:
    return next((name for name in CONFIRMED if name in policy.recipients.pathways), "")


def _not_accepted(policy: Policy) -> Problem:
    usable = [name for name in policy.recipients.pathways if name in PURPOSES]
    shown = f"name one of these as `pathway`: {', '.join(usable)}" if usable else "none can be asked for by a program"
    sentence = f"This account's recipients are not verified in that way; {shown}."
    return Problem("pathway-not-accepted", sentence, "pathway")


def _belongs(field: str, given: bool, name: str, pathway: str) -> None:  # noqa: FBT001 - one fact beside its name
    if name == pathway and not given:
        raise Problem("missing-field", f"The pathway {pathway} needs `{field}`; add it.", field)
    if given and name != pathway:
        raise Problem("bad-value", f"`{field}` goes with the pathway {pathway}; remove it, or name that one.", field)


def _signed(name: str, days: int, asked: Recipient, now: datetime) -> Pathway:
    agreement = asked.agreement
    assert agreement is not None
    digest = agreement.sha256.strip().lower()
    if not _sha256_re.match(digest):
        sentence = "`agreement.sha256` must be the document's SHA-256, 64 hexadecimal digits."
        raise Problem("bad-value", sentence, "agreement.sha256")
    said = {
        "reference": _words(agreement.reference, "agreement.reference"),
        "signed_at": _day(agreement.signed_at, now),
    }
    return Pathway(name, days, bytes.fromhex(digest), msgspec.json.encode(said))


def _words(text: str, field: str) -> str:
    words = unicodedata.normalize("NFC", text.strip())
    if not 0 < len(words) <= _MAX_WORDS or not words.isprintable():
        raise Problem("bad-value", f"`{field}` must be 1 to {_MAX_WORDS} printable characters on one line.", field)
    return words


def _day(text: str, now: datetime) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        sentence = "`agreement.signed_at` must be a date, as in 2026-11-22."
        raise Problem("bad-value", sentence, "agreement.signed_at") from None
    if day > now.date():
        raise Problem("bad-value", "`agreement.signed_at` lies ahead; give the day of signing.", "agreement.signed_at")
    return day.isoformat()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(text: str | None) -> str | None:
    """The recipient's own, for quiet hours; Problem for a name that is none."""
    if text is not None and text not in _zones():
        raise Problem("bad-value", f"`timezone` must be {_ZONES_SHOWN}.", "timezone")
    return text
