"""Before the river: values in a schema's shape: the extremes, with which a proposed template is rendered, and ordinary
ones for people to look at.

`schema` has passed `check_schema`.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from troth.mail.schema import DEFAULT_ITEMS, DEFAULT_LENGTH, MAX_BYTES, MAX_INTEGER

_STEPS = 256
_URL = "https://a.example/"


def smallest(schema: dict[str, Any]) -> dict[str, Any]:
    """The least that the schema allows: required variables only, empty strings and lists."""
    return {name: _least(one) for name, one in schema.items() if one.get("required", True)}


def largest(schema: dict[str, Any], max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The most that the schema allows within max_bytes: every variable, full lists, then strings as long as fit.

    Strings are apostrophes, which HTML escaping makes six times as long.
    """
    items = _most(lambda share: _filled(schema, share, 0.0), max_bytes)
    strings = _most(lambda share: _filled(schema, items, share), max_bytes)
    return _filled(schema, items, strings)


def typical(schema: dict[str, Any]) -> dict[str, Any]:
    """Every variable, as it might be: text says its own name, lists have two items."""
    return {name: _ordinary(name, one) for name, one in schema.items()}


def _ordinary(name: str, one: dict[str, Any]) -> Any:
    if "enum" in one:
        return one["enum"][0]
    match one["type"]:
        case "object":
            return typical(one["properties"])
        case "list":
            return [_ordinary(name, one["items"])] * min(2, one.get("max_items", 2))
        case "string":
            return name.replace("_", " ")[: one.get("max_length", DEFAULT_LENGTH)]
        case "url":
            return "https://www.example.com/"[: one.get("max_length", DEFAULT_LENGTH)]
    return _ORDINARY[one["type"]]


def _most(make: Callable[[float], dict[str, Any]], max_bytes: int) -> float:
    """The largest share from 0 to 1, in 256ths, whose variables fit."""
    low, high = 0, _STEPS + 1
    while high - low > 1:
        middle = (low + high) // 2
        fits = len(msgspec.json.encode(make(middle / _STEPS))) <= max_bytes
        low, high = (middle, high) if fits else (low, middle)
    return low / _STEPS


def _filled(properties: dict[str, Any], items: float, strings: float) -> dict[str, Any]:
    return {name: _greatest(one, items, strings) for name, one in properties.items()}


def _greatest(one: dict[str, Any], items: float, strings: float) -> Any:
    if "enum" in one:
        return max(one["enum"], key=lambda value: len(str(value)))
    match one["type"]:
        case "object":
            return _filled(one["properties"], items, strings)
        case "list":
            count = max(1, int(one.get("max_items", DEFAULT_ITEMS) * items))
            return [_greatest(one["items"], items, strings)] * count
        case "string":
            return "'" * int(one.get("max_length", DEFAULT_LENGTH) * strings)
        case "url":
            return _URL + "/" * (int(one.get("max_length", DEFAULT_LENGTH) * strings) - len(_URL))
    return _LARGE[one["type"]]


_LARGE = {
    "integer": -MAX_INTEGER,
    "number": -1.2345678901234567e-12,
    "boolean": True,
    "date": date.max.isoformat(),
    "datetime": "9999-12-31T23:59:59.999999+00:00",
}
_ORDINARY = {
    "integer": 3,
    "number": 12.5,
    "boolean": True,
    "date": "2026-12-01",
    "datetime": "2026-12-01T09:30:00+00:00",
}
_SMALL = {
    "string": "",
    "url": _URL,
    "integer": 0,
    "number": 0,
    "boolean": False,
    "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00+00:00",
}


def _least(one: dict[str, Any]) -> Any:
    if "enum" in one:
        return min(one["enum"], key=lambda value: len(str(value)))
    match one["type"]:
        case "object":
            return smallest(one["properties"])
        case "list":
            return []
    return _SMALL[one["type"]]
