"""Feedback: a bounce that Amazon SES tells in JSON, in a letter of its notification service or under another name."""

import json
from collections.abc import Mapping
from typing import Any

from troth.mail.bounce_status import RECIPIENTS, Told

_TEXT = 1_000_000  # characters that are looked at


def told_in_json(text: str) -> list[Told]:
    """What a notification of bounce or delivery says; nothing where the text is none."""
    start = text[:_TEXT].find("{")
    if start < 0 or ("notificationType" not in text and "eventType" not in text):
        return []
    event = _object(text[start:_TEXT])
    inner = event.get("Message")
    event = _object(inner) if isinstance(inner, str) else event
    bounce, delivery = _mapping(event.get("bounce")), _mapping(event.get("delivery"))
    bounced = [_told(one, "failed") for one in _listed(bounce.get("bouncedRecipients"))]
    delayed = [_told(one, "delayed") for one in _listed(_mapping(event.get("deliveryDelay")).get("delayedRecipients"))]
    delivered = [Told(str(one), action="delivered") for one in _listed(delivery.get("recipients"))]
    found = bounced + delayed + delivered
    return [one for one in found if one.recipient][:RECIPIENTS]


def _told(one: object, action: str) -> Told:
    fields = _mapping(one)
    return Told(
        str(fields.get("emailAddress", "")), "", action, str(fields.get("status", "")),
        str(fields.get("diagnosticCode", "")).partition(";")[2].strip(),
    )  # fmt: skip


def _object(text: str) -> Mapping[str, Any]:
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text.strip())
    except (ValueError, RecursionError):
        return {}
    return _mapping(found)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[Any]:
    return value[:RECIPIENTS] if isinstance(value, list) else []
