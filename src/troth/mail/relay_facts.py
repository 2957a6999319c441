"""Feedback: what a relay's webhook says of one recipient of one message, in words that no relay owns.

The words are a closed set; what they set in motion is decided in flow/feedback. Nothing here is believed yet: a fact
counts with the webhook's signature and a token of ours inside.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from troth.mail.reply import Failure, classify, parse_enhanced

TEXT = 1_000  # characters of a text that are kept
_reply_re = re.compile(r"(?:^|[^\d.])(?P<code>[45]\d\d)(?=[ -]|\Z)")  # in "smtp; 550 5.1.1 no such user"
_start_re = re.compile(r"\A\s*(?:(?:smtp|dns|x-[a-z]+)\s*;\s*)?(?=\d{3}[ -])", re.IGNORECASE)
_status_re = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\Z")


class Word(StrEnum):
    """What happened. QUEUED: the relay took it; REJECTED: the relay refused it; FAILED: it could not be made."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    FAILED = "failed"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    INBOUND = "inbound"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why it was not delivered, roughly, as the relay says."""

    INVALID = "invalid"
    BOUNCED = "bounced"
    TIMED_OUT = "timed_out"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"
    OTHER = "other"


class Listed(StrEnum):
    """Which list of the relay's own made it refuse, without asking anybody."""

    NO = ""
    BOUNCES = "bounces"
    COMPLAINTS = "complaints"
    OPT_OUTS = "opt-outs"


@dataclass(frozen=True, slots=True)
class Fact:
    """`name`: the relay's own word for it. `event_id`: the delivery's; `key`: the event's, the same at a repetition.

    tokens: what could be ours, unread. response: the receiver's reply; description: the relay's own words.
    """

    word: Word
    name: str
    recipient: str = ""
    message_id: str = ""
    event_id: str = ""
    key: str = ""
    at: datetime | None = None
    reason: Reason | None = None
    listed: Listed = Listed.NO
    failure: Failure | None = None
    code: int = 0
    enhanced: str = ""
    response: str = ""
    description: str = ""
    remote_mta: str = ""
    feedback: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tokens: tuple[str, ...] = ()
    url: str = ""
    user_agent: str = ""

    def __post_init__(self) -> None:
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("The time of a fact needs a time zone.")


def failure(code: int, enhanced: str, texts: tuple[str, ...], *, permanent: bool) -> Failure:
    """What a receiver's refusal means, as a relay passes it on; `permanent`: the relay has given up, for good.

    Where the relay says less than a reply, it is a policy of somebody's, or trouble on the way: never a bad address.
    """
    told = _start_re.sub("", next((each for each in texts if each), ""))
    first = reply_code(told[:4])
    text = told[4:] if first else told
    if not 400 <= code <= 599:
        code = (
            first or reply_code(text) or _code_of(enhanced or parse_enhanced(text) or "") or (550 if permanent else 450)
        )
        if not text and not enhanced:
            return Failure("policy" if permanent else "connection", permanent, address_bad=False, rule="relay")
    found = classify(code, enhanced or None, text, "rcpt")
    if not permanent:
        kind = "policy" if found.kind == "hard" else found.kind
        return Failure(kind, permanent=False, address_bad=False, detail=found.detail, rule=found.rule)
    return found


def reply_code(text: str) -> int:
    """The reply code in a diagnostic text; 0 without one."""
    found = _reply_re.search(text[:TEXT])
    return int(found["code"]) if found else 0


def status(text: str) -> str:
    """An enhanced status code alone, or ""."""
    return text if _status_re.match(text) else ""


def _code_of(enhanced: str) -> int:
    return {"4": 450, "5": 550}.get(enhanced[:1], 0)


# ---- a stranger's JSON: whatever it holds, nothing is raised


def text(value: object, most: int = TEXT) -> str:
    """A text, or a number as one; "" for anything else. What PostgreSQL cannot keep goes."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:most].replace("\0", "").encode("utf-8", "replace").decode()


def texts(value: object, most: int = 50) -> tuple[str, ...]:
    """Texts of a list, or the one that stands alone; the empty ones go."""
    many = value if isinstance(value, list | tuple) else [value]
    return tuple(found for each in many[:most] if (found := text(each)))


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def object_of(value: str) -> Mapping[str, Any]:
    """The object that a text is as JSON; an empty one for anything else."""
    try:
        return mapping(json.loads(value)) if value else {}
    except (ValueError, RecursionError):
        return {}


def whole(value: object) -> int:
    """A whole number, written as one or as text; 0 for anything else."""
    found = text(value, 12)
    return int(found) if found.isascii() and found.isdecimal() else 0


def listed(value: object, most: int = 50) -> list[Any]:
    return list(value[:most]) if isinstance(value, list) else []
