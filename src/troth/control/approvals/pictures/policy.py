"""Four eyes, the picture of a policy: each number that changes, in words, and whether that is stricter or looser."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from troth.control.approvals.pictures.picture import Picture, Row
from troth.control.approvals.reading import Seen
from troth.control.approvals.standing import resolved, standing
from troth.control.people.actor import Actor, raw
from troth.rules import policy_words as words
from troth.rules.policy import FIELDS, Policy, value_of
from troth.rules.strictness import freeze, thaw

_BY_PATH = {field.path: field for field in FIELDS}
_ABOVE = "as the level above says"
_SAME = "as it is now, and said by this level from then on"


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    found = level_rows(seen.before, seen.artefact, _above(seen))
    return Picture(_says(found), "The numbers hold at once, for mail that is already waiting, too.", tuple(found))


def _above(seen: Seen) -> Policy | None:
    """What rules a client without a policy of its own, now; what was decided is not read against today's numbers."""
    if not seen.open or seen.tenant is None:
        return None
    return resolved(replace(standing(raw(), seen.tenant), policy=None))


def level_rows(before: Mapping[str, Any] | None, after: Mapping[str, Any], above: Policy | None = None) -> list[Row]:
    """What differs between two documents of one level; where one says nothing, `above` does, if it is known."""
    found = []
    for rule, was, will, path in words.changes(before, after):
        stands = words.sentence(path, thaw(value_of(above, path))) if above else _ABOVE
        found.append((rule, was or stands, will or stands, _way(path, before or {}, after, above)))
    return found


def _way(path: str, before: Mapping[str, Any], after: Mapping[str, Any], above: Policy | None) -> str:
    """Stricter or looser; where one level said nothing, the one above it bounds what is said now."""
    section, _, name = path.partition(".")
    there = thaw(value_of(above, path)) if above else None
    old, new = (document.get(section, {}).get(name, there) for document in (before, after))
    if old is None:
        return "stricter than the level above, or the same"
    if new is None:
        return "looser, as far as the level above lets it"
    if old == new:
        return _SAME
    try:
        return "looser" if _BY_PATH[path].strictness.looser(freeze(old), freeze(new)) else "stricter"
    except (TypeError, ValueError, KeyError):
        return ""


def _says(found: list[Row]) -> str:
    if not found:
        return "Nothing changes: every number is as it stands."
    if all(each[3] == _SAME for each in found):
        return "No number changes; this level says what the one above it says."
    found = [each for each in found if each[3] != _SAME]
    looser = sum(each[3].startswith("looser") for each in found)
    many = f"{len(found)} rule{'s' if len(found) > 1 else ''} change{'s' if len(found) == 1 else ''}"
    if looser == 0:
        return f"{many}, none of them looser."
    return f"{many}, {'it is' if len(found) == 1 else f'{looser} of them'} looser than now."
