"""Suppressions, in words: what each reason means, and what an entry's source says of where it came from.

A source is `smtp:<message>` (a delivery that failed), `unsubscribe` or `unsubscribe:<message>`, `by-hand:<act>`,
`import:<provider>:<import>[:<day>]`, or a name as it stands.
"""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

OPT_OUT = 0  # an opt-out of one category, which is no entry of the list
REASONS = {
    "hard-bounce": 1,
    "complaint": 2,
    "opt-out": 3,
    "feedback-loop": 4,
    "administrative": 5,
    "soft-bounces-spent": 6,
    "category-opt-out": OPT_OUT,
}
# the reason's words, and the look's word for its tone and shape
WORDS = {
    0: ("Opt-out of one category", "unsubscribed"),
    1: ("Hard bounce", "bounced"),
    2: ("Complaint", "complained"),
    3: ("Opt-out", "unsubscribed"),
    4: ("Feedback loop", "complained"),
    5: ("Administrative", "proposed"),
    6: ("Soft bounces spent", "deferred"),
}
WHY = {
    0: "they want no more of one category, {}; other mail still reaches them",
    1: "a receiver said that there is no such address",
    2: "they told their provider that it was unwanted",
    3: "they opted out of everything",
    4: "their provider’s feedback loop reported a complaint",
    5: "put there by a person",
    6: "its mailbox failed for a while, and every retry was spent",
}
OWN_WORD = frozenset({2, 3, 4})  # complaints and opt-outs, which no override outweighs
PROVIDERS = {"mailgun": "Mailgun", "ses": "Amazon SES", "postmark": "Postmark", "sendgrid": "SendGrid"}
# how somebody opted out, as the consent ledger calls it; beneath why it is so
WAYS = {
    "one-click": "by a link in a message",
    "mailto": "by a mail to a message’s unsubscribe address",
    "own-page": "on their own page",
    "feedback-loop": "by their mailbox provider, which told it",
}
_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_SOURCE = re.compile(rf"(smtp|unsubscribe|by-hand|complaint):{_ID}\Z")
_IMPORT = re.compile(rf"import:([a-z]+):{_ID}(?::(\d{{4}}-\d\d-\d\d))?\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """`kind`: message, act, import or name; `id` of the first three; `told`: what is said where there is no link."""

    kind: str
    told: str
    id: UUID | None = None
    day: date | None = None


def source(text: str, way: str = "") -> Source:
    """Where an entry came from. way: of an opt-out, as the consent ledger tells it; "" where it is not known."""
    opted_out = WAYS.get(way, WAYS["one-click"])
    if found := _SOURCE.match(text):
        kind = "act" if found[1] == "by-hand" else "message"
        return Source(kind, opted_out if found[1] == "unsubscribe" else "", UUID(found[2]))
    if found := _IMPORT.match(text):
        return Source("import", PROVIDERS.get(found[1], found[1]), UUID(found[2]), _day(found[3]))
    if text == "unsubscribe":
        return Source("name", opted_out)
    return Source("name", WAYS.get(text, text))


def elsewhere(reason: int) -> str:
    """Why, where the client's categories are not known."""
    return WHY[reason] if reason != OPT_OUT else "they want no more of one category of that client’s mail"


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
