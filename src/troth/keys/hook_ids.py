"""Ids of webhooks on the wire: an endpoint's, and an event's, which names the event, so that none goes under two."""

import re
from hashlib import sha256
from uuid import UUID

ENDPOINT = "we"
_EVENT = re.compile(r"evt_[a-z]_(?P<message>[0-9a-f]{32})(?P<kind>[0-9a-f]{2})[0-9a-f]{16}\Z")


def event_id(cell: str, message: UUID, kind: int, source_key: str) -> str:
    """`evt_a_<message><kind><hash of the source>`: the same for every endpoint, every retry and every replay."""
    return f"evt_{cell}_{message.hex}{kind:02x}{sha256(source_key.encode()).hexdigest()[:16]}"


def event_of(text: str) -> tuple[UUID, int] | None:
    """The message and the kind that an event's id names; None for what is no such id."""
    found = _EVENT.match(text)
    return (UUID(hex=found["message"]), int(found["kind"], 16)) if found else None
