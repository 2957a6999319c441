"""Policies, the form in words: fields bounded by what stands above, what was typed read into a document, and what is
wrong with it said at its field: the fault, which promise forbids it, and the way out.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troth.control.approvals.shown import shown
from troth.control.policies.levels import locked, said_of
from troth.control.policies.targets import Target
from troth.rules import policy_words as words
from troth.rules import unshown as rules
from troth.rules.business_time import parse_span
from troth.rules.policy import FIELDS, Document, Field, to_document, value_of
from troth.rules.profile import PROFILES, load_profile
from troth.rules.strictness import (
    NONE,
    Allowed,
    AtLeast,
    AtMost,
    Figure,
    Named,
    Ordered,
    Required,
    Switch,
    Value,
    Waits,
    Within,
    freeze,
    thaw,
)

type Typed = dict[str, str | list[str]]
type Sentence = Callable[[str, str], str]  # claim id, profile -> its sentence, "" where it is not promised

_NUMBER = re.compile(r"\s*(\d[\d,\u00a0 ]{0,18})\s*([a-z%]*)\s*", re.ASCII | re.IGNORECASE)
_NOTHING = NONE  # as it is typed: no country's holidays count
_UNITS = {
    "minutes": {"": 1, "m": 1, "min": 1, "minute": 1, "minutes": 1, "h": 60, "hour": 60, "hours": 60, "d": 1440,
                "day": 1440, "days": 1440},
    "hours": {"": 1, "h": 1, "hour": 1, "hours": 1, "d": 24, "day": 24, "days": 24},
    "bytes": {"": 1, "b": 1, "byte": 1, "bytes": 1, "kib": 1024, "mib": 1024 * 1024},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the page. `kind`: text, select or checks; `fixed`: why it cannot be changed here, if so."""

    path: str
    name: str
    label: str
    unit: str
    kind: str
    hint: str
    value: Any
    choices: tuple[tuple[str, str], ...] = ()
    fixed: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    entries: tuple[Entry, ...]


def name_of(path: str) -> str:
    """A field's name in the form, and after `f-` its id."""
    return path.replace(".", "-")


def typed_of(target: Target, document: Document) -> Typed:
    """What the form shows for a document."""
    found: Typed = {}
    for field in FIELDS:
        value = said_of(document, field)
        if isinstance(field.strictness, Allowed | Required):
            given = value if value is not None else thaw(value_of(target.bound, field.path))
            assert isinstance(given, list)
            found[field.path] = [str(each) for each in given]
        else:
            found[field.path] = "" if value is None else _shown(value)
    return found


def _shown(value: Any) -> str:
    if value == "":
        return _NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def parts(target: Target, typed: Typed, says: Sentence) -> list[Part]:
    """The form, by what it is about."""
    found: dict[str, list[Entry]] = {}
    for field in FIELDS:
        found.setdefault(field.section, []).append(_entry(target, field, typed, says))
    return [Part(words.GROUPS[section], tuple(entries)) for section, entries in found.items()]


def _entry(target: Target, field: Field, typed: Typed, says: Sentence) -> Entry:
    lead, unit = words.LEADS[field.path]
    bound = value_of(target.bound, field.path)
    kind, choices = _kind(field, bound)
    return Entry(
        field.path,
        name_of(field.path),
        lead,
        unit,
        kind,
        _hint(target, field, says),
        typed.get(field.path, ""),
        choices,
        _fixed(target, field, bound),
    )


def _kind(field: Field, bound: Value) -> tuple[str, tuple[tuple[str, str], ...]]:
    match field.strictness:
        case Switch(strict):
            values = [strict] if bound is strict else [not strict, strict]
            return "select", (("", "as it stands above"), *((_shown(v), words.sentence(field.path, v)) for v in values))
        case Ordered(ordered):
            stricter = ordered[ordered.index(str(bound)) :]
            return "select", (("", "as it stands above"), *((v, words.sentence(field.path, v)) for v in stricter))
        case Allowed() | Required():
            assert isinstance(bound, tuple)
            return "checks", tuple((str(each), words.word(str(each))) for each in bound)
    return "text", ()


def _fixed(target: Target, field: Field, bound: Value) -> str:
    if isinstance(field.strictness, Named | Figure) and target.whole:
        return ""
    if locked(field):
        return "The promise alone says this: no level below it changes it."
    if isinstance(field.strictness, Required) and bound == field.strictness.choices:
        return "All that can be asked for is asked for already."
    if isinstance(field.strictness, Switch) and bound is field.strictness.strict:
        return "This is as strict as it can be already."
    if isinstance(field.strictness, Ordered) and bound == field.strictness.loosest_first[-1]:
        return "This is as strict as it can be already."
    return ""


def _hint(target: Target, field: Field, says: Sentence) -> str:
    """What stands above, by whose word, and what empty means."""
    bound = words.sentence(field.path, value_of(target.bound, field.path), target.bound.anomaly.action)
    by = target.bound_by.get(field.path, "the promise")
    claims = [claim for claim in words.CLAIMS.get(field.path, ()) if says(claim, target.profile)]
    return f"{by[:1].upper()}{by[1:]}{f' ({words.listed(claims)})' if claims else ''}: {bound}."


def read(posted: Mapping[str, Sequence[str]]) -> Typed:
    """What was typed, as it was typed; of a list, what was ticked."""
    found: Typed = {}
    for field in FIELDS:
        given = posted.get(name_of(field.path), [])
        if isinstance(field.strictness, Allowed | Required):
            found[field.path] = [each[:100] for each in given][:100]
        else:
            found[field.path] = given[-1][:200] if given else ""
    return found


def document(target: Target, typed: Typed) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The level's document from what was typed, and what is wrong, by field name; see `loosened` for the rest."""
    made: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    if target.whole:
        made = {section: dict(body) for section, body in to_document(target.bound).items()}
    for field in FIELDS:
        if _fixed(target, field, value_of(target.bound, field.path)):
            continue
        try:
            value = _value(target, field, typed.get(field.path, ""))
        except ValueError as wrong:
            faults[name_of(field.path)] = str(wrong)
            continue
        if value is not None:
            made.setdefault(field.section, {})[field.name] = value
    return made, faults


def _value(target: Target, field: Field, given: str | list[str]) -> Any:
    """None: the level says nothing. ValueError in words."""
    bound = value_of(target.bound, field.path)
    if isinstance(given, list):
        return None if tuple(sorted(set(given))) == bound and not target.whole else sorted(set(given))
    if not given.strip():
        return None
    match field.strictness:
        case Waits():
            return [_number(each, "minutes") for each in given.split(",")]
        case AtMost(low, high) | AtLeast(low, high) | Figure(low, high):
            value = _number(given, words.LEADS[field.path][1])
            if not low <= value <= high:
                raise ValueError(f"Give a number from {low:,} to {high:,}, or leave it empty.")
            return value
        case Switch():
            if given not in ("yes", "no"):
                raise ValueError("Choose one of the list.")
            return given == "yes"
    return _text(field, given.strip())


def _text(field: Field, given: str) -> str:
    """As a document writes it; what is wrong with it is said by what it is compared with (loosened)."""
    match field.strictness:
        case Within():
            try:
                return str(parse_span(given))
            except ValueError:
                return given.lower()
        case Named():
            return "" if given.lower() == _NOTHING else given
    return given


def _number(given: str, unit: str) -> int:
    found = _NUMBER.fullmatch(given)
    sizes = _UNITS.get(unit, {"": 1, unit.partition(" ")[0]: 1})
    if found is None or found[2].lower() not in sizes:
        more = (
            " (h and d work, too)"
            if unit in ("minutes", "hours")
            else " (KiB and MiB work, too)"
            if unit == "bytes"
            else ""
        )
        raise ValueError(f"“{given.strip()[:40]}” is no whole number of {unit}{more}; correct it, or leave it empty.")
    return int(re.sub(r"\D", "", found[1])) * sizes[found[2].lower()]


def loosened(target: Target, made: Document, says: Sentence) -> Iterator[tuple[str, str]]:
    """(field name, sentence) of each number that permits what stands above does not, or that nobody could show."""
    yield from unshown(target, made)
    for field in FIELDS:
        given = said_of(made, field)
        if given is None:
            continue
        if hint := field.strictness.problem(given):
            yield name_of(field.path), f"This {hint}."
        elif field.strictness.looser(value_of(target.bound, field.path), freeze(given)):
            yield name_of(field.path), _forbidden(target, field, given, says)


def unshown(target: Target, made: Document) -> Iterator[tuple[str, str]]:
    """(field name, sentence) of each number that no control could show to be kept."""
    profiles = [target.profile] if target.profile else PROFILES
    for profile in profiles:
        for one in rules.unshown(made, load_profile(profile).policy, shown()):
            yield name_of(one.path), f"This {one.hint} Leave it as it stands above."


def _forbidden(target: Target, field: Field, given: Any, says: Sentence) -> str:
    bound = value_of(target.bound, field.path)
    by = target.bound_by.get(field.path, "the promise")
    told = words.sentence(field.path, bound)
    sentence = f"“{words.sentence(field.path, given)}” is looser than {by} allows: “{told}”."
    promised = [
        f"{claim} promises: “{said}”"
        for claim in words.CLAIMS.get(field.path, ())
        if (said := says(claim, target.profile))
    ]
    way = {AtMost: "or less", AtLeast: "or more"}.get(type(field.strictness))
    out = (
        f"Give {bound:,} {way}, or leave it empty."
        if way and isinstance(bound, int)
        else "Leave it as it stands above."
    )
    if isinstance(field.strictness, Waits):
        out = "Give as many waits, none of them longer, or leave it empty."
    return " ".join([sentence, *(f"{each}." for each in promised), out])
