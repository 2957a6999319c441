"""Asking: the other firms that handle a programme's personal data, as two people approved the list, and what changed in
it: read from the programme's own versions, so that nothing is written twice.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from troth.control.asking.contacts import approved
from troth.control.audit.scope import Connection

_VERSIONS = """
SELECT artefact, approved_at FROM snapshot WHERE kind = 'programme' AND tenant_id IS NULL AND subject = %s
ORDER BY version DESC LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Subprocessor:
    """`since`: a day that may lie ahead; `country`: two letters of ISO 3166-1."""

    name: str
    purpose: str
    data: str
    country: str
    since: date
    link: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One change of the list. `what`: added, changed or removed."""

    at: datetime
    name: str
    what: str


def subprocessors(connection: Connection, programme: UUID) -> list[Subprocessor]:
    """By name; empty where there are none."""
    return sorted(map(_read, approved(connection, programme).get("subprocessors") or ()), key=lambda one: one.name)


def changes(connection: Connection, programme: UUID, most: int = 50) -> list[Turn]:
    """The newest first; the first list of all is no change."""
    found = [(_named(json.loads(text)), at) for text, at in connection.execute(_VERSIONS, (programme,)).fetchall()]
    return [turn for (after, at), (before, _) in itertools.pairwise(found)
            for turn in _turns(before, after, at)][:most]  # fmt: skip


def _turns(before: dict[str, Any], after: dict[str, Any], at: datetime) -> Iterator[Turn]:
    for name in sorted({**before, **after}):
        if before.get(name) != after.get(name):
            yield Turn(at, name, "added" if name not in before else "removed" if name not in after else "changed")


def _named(artefact: dict[str, Any]) -> dict[str, Any]:
    listed: Sequence[dict[str, Any]] = artefact.get("subprocessors") or ()
    return {each["name"]: each for each in listed}


def _read(given: dict[str, Any]) -> Subprocessor:
    return Subprocessor(given["name"], given["purpose"], given["data"], given["country"],
                        date.fromisoformat(given["since"]), given.get("link", ""))  # fmt: skip
