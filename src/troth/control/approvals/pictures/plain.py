"""Four eyes, the picture of any kind that has none of its own: every field of the document, old and new."""

from collections.abc import Iterator, Mapping
from typing import Any

from troth.control.approvals.pictures.picture import Picture, Row, told
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    says = "It becomes as the right column says." if seen.before else "It is new; all of it is below."
    return Picture(says, "It is in force at once.", tuple(_fields(seen.before or {}, seen.artefact)))


def _fields(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> Iterator[Row]:
    for name in [*after, *(each for each in before if each not in after)]:
        old, new, where = before.get(name), after.get(name), f"{path}{name}"
        if isinstance(old, dict) or isinstance(new, dict):
            yield from _fields(old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}, f"{where}.")
        else:
            yield where, told(old), told(new), ""
