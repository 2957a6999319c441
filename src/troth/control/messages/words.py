"""Messages: what happened, and what the gate decided, as people read it. Only what was written down is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from troth.rules.states import Kind, State

_SAYS = {
    Kind.ACCEPTED: "Accepted: on disk before the answer was given",
    Kind.QUEUED: "Back in the queue",
    Kind.HELD: "Held back",
    Kind.RELEASED: "Let go by two people",
    Kind.SUPPRESSED: "Suppressed: nothing was sent",
    Kind.CANCELLED: "Withdrawn",
    Kind.EXPIRED: "Expired: its lifetime ended while it waited",
    Kind.SENT: "Sent: the next hop took it",
    Kind.DEFERRED: "Deferred: refused for now",
    Kind.DELIVERED: "Delivered: the recipient’s mail exchanger took it",
    Kind.BOUNCED: "Bounced: refused for good",
    Kind.UNCERTAIN: "Uncertain: it may have been taken",
    Kind.FAILED: "Failed, through no fault of the address",
    Kind.COMPLAINED: "The recipient complained",
    Kind.UNSUBSCRIBED: "The recipient opted out",
    Kind.RESCHEDULED: "Its time was changed",
    Kind.CLAIMED: "Claimed by a worker",
    Kind.SENDING: "Sending: every last check passed",
    Kind.RETURNED: "Back in the queue: nothing was on the wire",
}
_LOST = {
    "worker-lost": "Uncertain: the worker was lost, it may have been taken",
    "answer-lost": "Uncertain: the answer was lost, it may have been taken",
}
# the look's word for an event that is no state
_LOOKS = {Kind.RELEASED: "queued", Kind.RESCHEDULED: "deferred", Kind.RETURNED: "queued"}
# two events of one instant, in the order of the river
_ORDER = [Kind.ACCEPTED, Kind.QUEUED, Kind.RESCHEDULED, Kind.RELEASED, Kind.CLAIMED, Kind.SENDING, Kind.UNCERTAIN]
# what tells nobody's address and nothing that was said: numbers, times and the house's own words
_BARE = frozenset(
    {"attempt", "phase", "code", "enhanced", "reason", "again", "until", "size", "status", "class", "via"}
)
_SAID = ("attempt", "phase", "code", "enhanced", "text", "headers", "conversation", "sentence", "reason", "again",
         "until", "size", "selector", "bits", "message_id", "decided", "place", "status",
         "diagnostic")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happened:
    """One event. `reply` is the receiver's own words; `rest` what the detail says beyond the sentence."""

    kind: Kind
    source_key: str
    at: datetime
    says: str
    look: str
    reply: str
    text: str
    again: datetime | None
    rest: list[tuple[str, str]]
    headers: list[str]
    conversation: list[str]
    size: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check of the gate. `saw`: name and value, in words."""

    check: str
    outcome: str
    look: str
    sentence: str
    saw: list[tuple[str, str]]


def happened(kind: int, source_key: str, at: datetime, detail: Mapping[str, Any]) -> Happened:
    """`detail` as `flow/events.py` sealed it; empty where it cannot be opened."""
    which = Kind(kind)
    reason = str(detail.get("sentence") or "") or _plain(str(detail.get("reason") or ""))
    attempt = f"Attempt {detail['attempt']}." if detail.get("attempt") else ""
    return Happened(
        which, source_key, at, _says(which, detail), _LOOKS.get(which, which.name.lower()), _reply(detail),
        " ".join(filter(None, (attempt, reason))), _moment(detail.get("again") or detail.get("until")),
        [(_plain(name), told(value)) for name, value in detail.items() if name not in _SAID],
        _lines(detail.get("headers")), _lines(detail.get("conversation")),
        detail["size"] if isinstance(detail.get("size"), int) else None,
    )  # fmt: skip


def _reply(detail: Mapping[str, Any]) -> str:
    """What the next hop said to us, or what a report quotes of a server behind it."""
    status, quoted = str(detail.get("status") or ""), str(detail.get("diagnostic") or "")
    if status or quoted:
        return quoted if status in quoted else f"{status} {quoted}".strip()
    return " ".join(str(detail[part]) for part in ("code", "enhanced", "text") if detail.get(part))


def bare(detail: Mapping[str, Any]) -> dict[str, Any]:
    """A detail for whoever may know what happened and not to whom: the next hop's text may name the address."""
    return {name: value for name, value in detail.items() if name in _BARE}


def in_order(events: list[Happened]) -> list[Happened]:
    """By time. What the policy does with an uncertain message has its time and its source, and follows it."""
    unsure = {(each.at, each.source_key) for each in events if each.kind is Kind.UNCERTAIN}

    def place(each: Happened) -> tuple[datetime, int, str]:
        follows = each.kind is not Kind.UNCERTAIN and (each.at, each.source_key) in unsure
        in_order = each.kind in _ORDER and not follows
        return each.at, _ORDER.index(each.kind) if in_order else len(_ORDER), each.source_key

    return sorted(events, key=place)


def headerless(state: State, told: set[Kind]) -> str:
    """Why a message has no header on record, `told` being the kinds of its events."""
    if told & {Kind.UNCERTAIN, Kind.SENT, Kind.DELIVERED}:
        return "It may have gone over the wire as a whole, but no attempt wrote its header down."
    if state is State.BOUNCED:
        return "It was refused before it had gone over the wire as a whole, and is not tried again: no header was sent."
    if state.final:
        return "It never went over the wire as a whole, and is not tried again: no header was sent."
    return "Nothing went over the wire as a whole yet. The header stands here once the next hop has answered."


def _says(which: Kind, detail: Mapping[str, Any]) -> str:
    return (which is Kind.UNCERTAIN and _LOST.get(str(detail.get("reason")))) or _SAYS[which]


# the checks of rules/chain.py, as people name them
CHECKS = {
    "tenant_active": "Client active", "tenant_not_paused": "Nothing paused", "key_live": "API key live",
    "category_approved": "Category approved", "key_scope": "Key may send this category",
    "sender_matches": "Sender is the category’s", "template_approved": "Template approved",
    "raw_content": "Content of its own allowed", "variables_fit": "Variables fit", "size": "Size",
    "attachments": "Attachments", "headers": "Header fields", "schedule": "Time to send",
    "domain_ready": "Sending domain ready", "address_syntax": "Address well formed",
    "recipient_verified": "Recipient verified", "not_suppressed": "Not suppressed", "rate_key": "Key’s rate",
    "rate_tenant_hour": "Client’s hour", "rate_tenant_day": "Client’s day", "rate_template": "Template’s rate",
    "rate_recipient": "Recipient’s rate", "volume_usual": "Volume as usual", "lawful_basis": "Lawful basis",
    "sender_identified": "Sender says who it is", "consent_held": "Consent on record", "quiet_hours": "Quiet hours",
}  # fmt: skip
_OUTCOMES = {"accept": ("Pass", "holds"), "hold": ("Hold", "held"), "suppress": ("Suppress", "suppressed"),
             "refuse": ("Refuse", "refused")}  # fmt: skip


def verdicts(decision: Mapping[str, Any], *, content: bool = True) -> list[Verdict]:
    """The checks in the order in which the gate ran them; without `content` not what each one saw."""
    found = []
    for each in decision.get("verdicts") or ():
        outcome, look = _OUTCOMES.get(each.get("outcome", ""), (each.get("outcome", "?"), "none"))
        saw = [(_plain(name), told(value)) for name, value in (each.get("saw") or {}).items() if content]
        check, sentence = str(each.get("check", "")), each.get("sentence", "") if content else ""
        found.append(Verdict(CHECKS.get(check) or _plain(check), outcome, look, sentence, saw))
    return found


def decided(decision: Mapping[str, Any]) -> tuple[str, str] | None:
    """The outcome's word and look; None where the decision cannot be opened."""
    outcome = {"accept": ("Accept", "holds")} | {name: pair for name, pair in _OUTCOMES.items() if name != "accept"}
    return outcome.get(str(decision.get("outcome", "")))


def told(value: object) -> str:
    """A value that a check saw, or a detail, in a few words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value)) or "none"
    return str(value)


def _plain(name: str) -> str:
    text = name.replace("_", " ").replace("-", " ")
    return text[:1].upper() + text[1:]


def _lines(value: object) -> list[str]:
    return [str(line) for line in value] if isinstance(value, list | tuple) else []


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None
