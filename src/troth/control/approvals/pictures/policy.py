"""Four eyes, the picture of a policy: each number that changes, in words, and whether that is stricter or looser."""

from collections.abc import Mapping
from typing import Any

from troth.control.approvals.pictures.picture import Picture, Row
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor
from troth.rules import policy_words as words
from troth.rules.policy import FIELDS
from troth.rules.strictness import freeze

_BY_PATH = {field.path: field for field in FIELDS}
_ABOVE = "as the level above says"


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    found = level_rows(seen.before, seen.artefact)
    return Picture(_says(found), "The numbers hold at once, for mail that is already waiting, too.", tuple(found))


def level_rows(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Row]:
    """What differs between two documents of one level."""
    return [
        (rule, old or _ABOVE, new or _ABOVE, _way(path, before or {}, after))
        for rule, old, new, path in words.changes(before, after)
    ]


def _way(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Stricter or looser; where one level said nothing, the one above it bounds what is said now."""
    section, _, name = path.partition(".")
    old, new = (document.get(section, {}).get(name) for document in (before, after))
    if old is None:
        return "stricter than the level above, or the same"
    if new is None:
        return "looser, as far as the level above lets it"
    try:
        return "looser" if _BY_PATH[path].strictness.looser(freeze(old), freeze(new)) else "stricter"
    except (TypeError, ValueError, KeyError):
        return ""


def _says(found: list[Row]) -> str:
    if not found:
        return "Nothing changes: every number is as it stands."
    looser = sum(each[3].startswith("looser") for each in found)
    many = f"{len(found)} rule{'s' if len(found) > 1 else ''} change{'s' if len(found) == 1 else ''}"
    if looser == 0:
        return f"{many}, none of them looser."
    return f"{many}, {'it is' if len(found) == 1 else f'{looser} of them'} looser than now."
