"""Webhooks, composing: an event about a client's sending as a whole. It has counts and codes, and nobody's address."""

from typing import Any

import msgspec

from troth.flow.webhooks.payload import moment
from troth.rules.hook_events import type_of
from troth.store.hooks import Claimed, LoadedAnomaly


def body(claim: Claimed, loaded: LoadedAnomaly | None) -> bytes:
    """The payload; `loaded` None: the anomaly is not kept any more."""
    data: dict[str, Any] = {"anomaly_id": str(claim.message_id)}
    if loaded is not None:
        data |= {
            "client": loaded.client,
            "cause": loaded.cause,
            "action": loaded.action,
            "count": loaded.n,
            "reason": loaded.sentence,
            "review_due": moment(loaded.review_due),
        }
    return msgspec.json.encode({"type": type_of(claim.kind), "created_at": moment(claim.at), "data": data})
