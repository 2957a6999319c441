"""Delivery and feedback: what a message needs to go into the spool again when the next hop gives it back. It is written
into the detail of the event that it was sent, sealed with it; the spool's row is gone by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from troth.rules.facts import check_aware
from troth.rules.retry import Tries

PLACE = "place"  # the detail's name for it


@dataclass(frozen=True, slots=True)
class Place:
    """`consent`: it was accepted on the recipient's consent, which the mark asks for again."""

    domain: UUID
    ends: datetime
    consent: bool
    tries: Tries

    def to_document(self) -> dict[str, Any]:
        told = {"domain": str(self.domain), "ends": self.ends.isoformat(), "consent": self.consent}
        if self.tries.schedule is None or self.tries.first is None:
            return told
        return {**told, "tries": [self.tries.schedule, self.tries.attempts, self.tries.first.isoformat()]}

    @classmethod
    def of(cls, document: object) -> Self | None:
        """None for what does not say it: an older event's detail."""
        try:
            return cls._read(document) if isinstance(document, Mapping) else None
        except (KeyError, ValueError, TypeError):
            return None

    @classmethod
    def _read(cls, told: Mapping[str, Any]) -> Self:
        schedule, attempts, first = told.get("tries") or (None, 0, None)
        tries = Tries(schedule, int(attempts), None if first is None else _time(first))
        return cls(UUID(told["domain"]), _time(told["ends"]), bool(told["consent"]), tries)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    check_aware(moment, "Every time of a place")
    return moment
