"""Records: what somebody asks one of them, as it stands in the address bar."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from urllib.parse import urlencode
from uuid import UUID

NAMES = ("person", "key", "kind", "status", "place", "from", "to", "q", "before")
_LONGEST = 200
_PLACE_HEX = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """`before`: behind which entry the page begins (an index of the ledger, an id). `wrong`: by field, what to do."""

    given: dict[str, str]
    person: UUID | None = None
    key: UUID | None = None
    kind: str = ""
    status: str = ""
    place: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""
    before: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        return any(name in self.given for name in NAMES if name != "before")

    def query(self, **changes: str | None) -> str:
        """The address of the same search with `changes`; None takes a field away, and every change leaves the place."""
        kept = {name: value for name, value in self.given.items() if name != "before"}
        found = {**kept, **{name: value for name, value in changes.items() if value}}
        return urlencode({name: found[name] for name in NAMES if name in found and changes.get(name, "") is not None})


def read(query: Mapping[str, str], zone: tzinfo, kinds: Mapping[str, object], statuses: Mapping[str, object]) -> Asked:
    """Times without an offset are the reader's own. `kinds` and `statuses`: those that this record has."""
    given = {name: value for name in NAMES if (value := query.get(name, "").replace("\0", "").strip()[:_LONGEST])}
    wrong: dict[str, str] = {}
    since, until = _time(given, "from", zone, wrong), _time(given, "to", zone, wrong)
    if since and until and since >= until:
        wrong["to"] = "The end lies before the start: give a later one, or leave it empty."
    for name, there in (("kind", kinds), ("status", statuses)):
        if given.get(name, "") not in ("", *there):
            wrong[name] = "There is nothing of this name: choose from the list."
    return Asked(
        given,
        _id(given, "person", wrong),
        _id(given, "key", wrong),
        given.get("kind", ""),
        given.get("status", ""),
        _hash(given, wrong),
        since,
        until,
        given.get("q", "").casefold(),
        given.get("before", ""),
        wrong,
    )


def _time(given: Mapping[str, str], name: str, zone: tzinfo, wrong: dict[str, str]) -> datetime | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(zone)
    except (ValueError, OverflowError):
        wrong[name] = "Write a day, or day and time, as 2027-01-31 17:30."
        return None


def _id(given: Mapping[str, str], name: str, wrong: dict[str, str]) -> UUID | None:
    try:
        return UUID(given[name]) if name in given else None
    except ValueError:
        wrong[name] = "This is nobody’s id: choose from the list."
        return None


def _hash(given: Mapping[str, str], wrong: dict[str, str]) -> bytes | None:
    text = given.get("place", "")
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b"?"
    if (text and len(text) != _PLACE_HEX) or found == b"?":
        wrong["place"] = "This place cannot be read: search for the address again."
        return None
    return found or None
