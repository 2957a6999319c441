"""Feedback: a complaint in words, for whoever looks into it: who told it, and how the recipient came to be one. They
name nobody: the message leads to its recipient, for those who may see that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from troth.mail.feedback_report_words import kind as registered
from troth.store.complaints import About, Given, Loop

_CONSENT = {1: "express consent", 2: "implied consent", 3: "withdrawal"}
_ERASED = 4  # person.status
_WAYS = {
    "confirmation-link": "a link in a confirmation mail", "employer-invitation": "an invitation of their employer",
    "multi-step": "several steps", "system": "the house itself", "vendor-agreement": "a signed agreement",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reported:
    """Who told it, as what, and when it reached us."""

    loop: Loop | None
    via: str
    kind: str
    came_at: datetime

    def line(self) -> str:
        who = f"{self.loop.provider}’s feedback loop ({self.loop.name})" if self.loop else f"the relay ({self.via})"
        return f"Told by {who} as “{self.kind}”; the report reached us {_at(self.came_at)}."


def kind_of(detail: Mapping[str, Any]) -> str:
    """In the registry's words; what nothing is said of is abuse, the plainest of them."""
    return registered(str(detail.get("feedback_type", ""))) or "abuse"


def told_again(told: Reported) -> str:
    return f"The same message was complained about once more. {told.line()}"


def words(told: Reported, message: UUID, about: About, given: Sequence[Given]) -> str:
    template = f", template {about.template} version {about.version}" if about.template else ", content of its own"
    return "\n".join((
        told.line(),
        f"Message {message}, accepted {_at(about.sent_for_at)}: category {about.category or 'unknown'}{template}.",
        "",
        "How the recipient came to be one:",
        *_provenance(about),
        *(_consent(each) for each in given),
        *([] if given else ["No consent is on record for this category."]),
    ))  # fmt: skip


def _provenance(about: About) -> list[str]:
    if about.status == _ERASED:
        return ["They were erased since; what is left is that they existed."]
    lines = [f"Registered {_at(about.registered_at)}."]
    if about.verified_at is None:
        return [*lines, "The address was never verified."]
    ends = f", standing until {_at(about.expires_at)}" if about.expires_at else ""
    way = _WAYS.get(about.pathway or "", about.pathway or "an unknown way")
    return [*lines, f"Verified {_at(about.verified_at)} by {way} ({about.pathway}){ends}."]


def _consent(given: Given) -> str:
    ends = f", until {_at(given.expires_at)}" if given.expires_at else ""
    return f"Consent: {_CONSENT.get(given.kind, 'entry')} ({given.basis}), {_at(given.at)}{ends}."


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
