"""Before the river: the schema of a template's variables, a small JSON Schema kept as data.

{"tenant_name": {"type": "string", "max_length": 80},
 "lines": {"type": "list", "max_items": 20, "items": {"type": "object", "properties": {...}}}}

type        string | url | date | datetime | integer | number | boolean | list | object
required    default true
max_length  characters, string and url; default 1,000
max_items   list; default 50
items       list: the schema of every item        properties  object: name -> schema
enum        string, integer: the only values      description free text for people
"""

import re
from dataclasses import dataclass
from typing import Any

from troth.mail.problem import Problem

SCALARS = ("string", "url", "date", "datetime", "integer", "number", "boolean")
TYPES = (*SCALARS, "list", "object")
MAX_DEPTH = 4  # containers within containers
MAX_NAMES = 200  # variables and properties in all
MAX_LENGTH, DEFAULT_LENGTH = 20_000, 1_000  # characters of a string
MAX_ITEMS, DEFAULT_ITEMS = 500, 50
MAX_BYTES = 64 * 1024  # octets of one message's variables as JSON
MAX_INTEGER = 2**53 - 1  # what every JSON reader keeps exactly (RFC 8259 6)
MIN_NUMBER = 1e-12  # but for 0; the engine writes every nought of 5e-324

name_re = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
# Words of the template language and of its sandbox; a variable of that name could not be read or would hide one.
_LANGUAGE = (
    "and or not in is if else elif endif for endfor true false none True False None loop self super range recursive "
    "set with block macro call filter raw include import extends from autoescape do varargs kwargs"
)
RESERVED_NAMES = frozenset(_LANGUAGE.split())
_KEYS = {
    "string": {"max_length", "enum"},
    "url": {"max_length"},
    "integer": {"enum"},
    "list": {"max_items", "items"},
    "object": {"properties"},
}
_EVERYWHERE = {"type", "required", "description"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the schema we are: a dotted path, and how deep."""

    path: str
    depth: int

    def inside(self, name: str) -> "_Place":
        return _Place(f"{self.path}.{name}" if self.path else name, self.depth + 1)


def check_schema(schema: object) -> list[Problem]:
    """Everything wrong with a schema; an empty list is a schema that the other functions accept."""
    problems: list[Problem] = []
    names = _properties(schema, _Place("", 0), problems)
    if names > MAX_NAMES:
        problems.append(Problem("schema", "too_many", f"The schema names more than {MAX_NAMES} variables."))
    return problems


def _properties(properties: object, place: _Place, problems: list[Problem]) -> int:
    where = place.path or "schema"
    if not isinstance(properties, dict):
        problems.append(Problem(where, "not_object", "Give an object of names, each with its schema."))
        return 0
    if place.depth > MAX_DEPTH:
        problems.append(Problem(where, "too_deep", f"Lists and objects may be nested {MAX_DEPTH} deep at most."))
        return 0
    count = len(properties)
    for name, one in properties.items():
        count += _named(name, one, place, problems)
    return count


def _named(name: object, one: object, place: _Place, problems: list[Problem]) -> int:
    if not isinstance(name, str) or not name_re.match(name) or name in RESERVED_NAMES:
        hint = "A variable's name is a letter, then letters, digits or _, and no word of the template language."
        problems.append(Problem(place.path or ascii(name)[:80], "name", hint))
        return 0
    return _one(one, place.inside(name), problems)


def _one(one: object, place: _Place, problems: list[Problem]) -> int:
    """Checks one variable's schema; returns how many names are inside it."""
    kind = one.get("type") if isinstance(one, dict) else None
    if not isinstance(one, dict) or not isinstance(kind, str) or kind not in TYPES:
        problems.append(Problem(place.path, "type", f'Give it a "type", one of {", ".join(TYPES)}.'))
        return 0
    problems.extend(
        Problem(place.path, "unknown_key", f"{ascii(key)[:80]} means nothing for a {kind}; remove it.")
        for key in one.keys() - _EVERYWHERE - _KEYS.get(kind, set())
    )
    if not isinstance(one.get("required", True), bool):
        problems.append(Problem(place.path, "required", '"required" is true or false.'))
    _bound(one, "max_length", MAX_LENGTH, place, problems)
    _bound(one, "max_items", MAX_ITEMS, place, problems)
    _enum(one, kind, place, problems)
    return _inside(one, kind, place, problems)


def _inside(one: dict[str, Any], kind: str, place: _Place, problems: list[Problem]) -> int:
    if kind == "object":
        if not one.get("properties"):
            problems.append(Problem(place.path, "properties", 'An object needs "properties", at least one.'))
            return 0
        return _properties(one["properties"], place, problems)
    if kind == "list":
        if place.depth > MAX_DEPTH:
            problems.append(
                Problem(place.path, "too_deep", f"Lists and objects may be nested {MAX_DEPTH} deep at most.")
            )
            return 0
        return _one(one.get("items"), place.inside("items"), problems)
    return 0


def _bound(one: dict[str, Any], key: str, most: int, place: _Place, problems: list[Problem]) -> None:
    value = one.get(key, 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        problems.append(Problem(place.path, key, f'"{key}" is a whole number from 1 to {most}.'))


def _enum(one: dict[str, Any], kind: str, place: _Place, problems: list[Problem]) -> None:
    if "enum" not in one or kind not in ("string", "integer"):
        return
    values, wanted = one["enum"], str if kind == "string" else int
    if not isinstance(values, list) or not values or any(type(value) is not wanted for value in values):
        problems.append(Problem(place.path, "enum", f'"enum" is a list of at least one {kind}.'))


def string_room(one: dict[str, Any]) -> int:
    """The most characters that a scalar's rendered text can have; for lint's and largest()'s sums."""
    match one["type"]:
        case "string" | "url":
            longest = one.get("max_length", DEFAULT_LENGTH)
            return min(longest, max(map(len, one["enum"]))) if "enum" in one else int(longest)
        case _:
            return 40
