"""Before the river: the filters, tests and functions that a template may use, with what each makes of its input.

The renderer removes every other one from the engine. `date`, `decimal` and `nl2br` are ours.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import minijinja

from troth.mail.template_shape import NUMBER, SCALAR, TEXT, Shape, Source, number, of_schema

MAX_RANGE = 500
MAX_SEPARATOR = 40  # characters between joined items

type Arguments = dict[str | int, Shape]  # constants by position or by name


class FilterFault(ValueError):  # noqa: N818  # it ends as a TemplateFault, and that as a Problem
    """Why this filter does not fit here; the message is the hint."""


@dataclass(frozen=True, slots=True)
class Filter:
    """takes: kinds of input; names: allowed arguments by position; keywords: allowed by name; make: the result."""

    takes: frozenset[str]
    make: Callable[[Shape, Arguments], Shape]
    names: tuple[str, ...] = ()
    keywords: frozenset[str] = frozenset()


_LIST, _TEXT = frozenset({"list"}), TEXT
_NUMBERS = NUMBER | {"mixed"}


def _text(factor: int) -> Callable[[Shape, Arguments], Shape]:
    return lambda shape, _: shape.grown("string", factor)


def _same(shape: Shape, _arguments: Arguments) -> Shape:
    return shape


def _number(_shape: Shape, _arguments: Arguments) -> Shape:
    return number()


def _digits(_shape: Shape, arguments: Arguments) -> Shape:
    places = arguments.get(0)
    if places and not (places.kind == "integer" and len(places.literal or "") == 1):
        raise FilterFault("takes a number of places from 0 to 9.")
    return number()


def _decimal(shape: Shape, arguments: Arguments) -> Shape:
    return replace(_digits(shape, arguments), kind="string")


def _one_item(shape: Shape, _arguments: Arguments) -> Shape:
    return shape.items()


def _join(shape: Shape, arguments: Arguments) -> Shape:
    item = shape.items()
    if item.kind not in SCALAR:
        raise FilterFault("joins plain values; use map(attribute=...) first, or a loop.")
    separator = arguments[0].literal or "" if 0 in arguments else ""
    if len(separator) > MAX_SEPARATOR:
        raise FilterFault(f"takes a separator of at most {MAX_SEPARATOR} characters.")
    # All items in one evaluation: the list's own loops choose it, and no further loop divides it.
    sources = (replace(one, size=one.size * shape.count) for one in item.sources)
    return Shape("string", (*sources, Source(len(separator) * shape.count)))


def _property(shape: Shape, arguments: Arguments) -> Shape:
    item = shape.items()
    attribute = arguments.get("attribute")
    if attribute is None:
        return item
    properties = item.schema if item.kind == "object" else None
    if properties is None or attribute.literal not in properties:
        raise FilterFault("names an attribute that the items do not have.")
    found = Shape(item.kind, schema=properties, chosen=item.chosen)
    return property_of(found, attribute.literal or "")


def property_of(shape: Shape, name: str) -> Shape:
    """An object's property, as the schema has it; KeyError when it has none."""
    return of_schema((shape.schema or {})[name], shape.chosen)


def _map(shape: Shape, arguments: Arguments) -> Shape:
    if "attribute" not in arguments:
        raise FilterFault("needs attribute=..., the name of a property.")
    return Shape("list", count=shape.count, item=_property(shape, arguments), chosen=shape.chosen)


def _sort(shape: Shape, arguments: Arguments) -> Shape:
    if _property(shape, arguments).kind not in SCALAR:
        raise FilterFault("sorts plain values; name a property with attribute=...")
    return shape


def _sum(shape: Shape, arguments: Arguments) -> Shape:
    if _property(shape, arguments).kind not in NUMBER:
        raise FilterFault("adds numbers; name a property that is one with attribute=...")
    return number()


def _scalar_items(shape: Shape, _arguments: Arguments) -> Shape:
    if shape.items().kind not in SCALAR:
        raise FilterFault("compares plain values only.")
    return shape


FILTERS: dict[str, Filter] = {
    # Text. Upper case of one letter can be three; an escape is up to six characters; four bytes make four %XX.
    "upper": Filter(_TEXT, _text(3)),
    "lower": Filter(_TEXT, _text(3)),
    "title": Filter(_TEXT, _text(3)),
    "capitalize": Filter(_TEXT, _text(3)),
    "trim": Filter(_TEXT, _text(1)),
    "string": Filter(_TEXT, _text(1)),
    "escape": Filter(_TEXT, _text(6)),
    "e": Filter(_TEXT, _text(6)),
    "urlencode": Filter(_TEXT, _text(12)),
    "nl2br": Filter(_TEXT, _text(6)),
    "date": Filter(frozenset({"date", "datetime"}), _text(1)),
    # Numbers
    "round": Filter(_NUMBERS, _digits, ("places",)),
    "decimal": Filter(_NUMBERS, _decimal, ("places",)),
    "abs": Filter(_NUMBERS, _number),
    "int": Filter(_NUMBERS, _number),
    "float": Filter(_NUMBERS, _number),
    # Lists
    "length": Filter(_LIST | TEXT | {"object"}, _number),
    "count": Filter(_LIST | TEXT | {"object"}, _number),
    "first": Filter(_LIST, _one_item),
    "last": Filter(_LIST, _one_item),
    "reverse": Filter(_LIST, _same),
    "unique": Filter(_LIST, _scalar_items),
    "min": Filter(_LIST, lambda shape, arguments: _scalar_items(shape, arguments).items()),
    "max": Filter(_LIST, lambda shape, arguments: _scalar_items(shape, arguments).items()),
    "join": Filter(_LIST, _join, ("separator",)),
    "sort": Filter(_LIST, _sort, (), frozenset({"attribute", "reverse", "case_sensitive"})),
    "map": Filter(_LIST, _map, (), frozenset({"attribute"})),
    "sum": Filter(_LIST, _sum, (), frozenset({"attribute"})),
}
# `default` and `d` take an expression, and stand in the parser.
DEFAULTS = frozenset({"default", "d"})

# Tests by name: whether they take one argument.
TESTS = {
    "defined": False,
    "undefined": False,
    "none": False,
    "true": False,
    "false": False,
    "odd": False,
    "even": False,
    "divisibleby": True,
}

LOOP = {
    "index": "number",
    "index0": "number",
    "revindex": "number",
    "revindex0": "number",
    "length": "number",
    "first": "boolean",
    "last": "boolean",
}

_YEAR = "January February March April May June July August September October November December"
_MONTHS = _YEAR.split()


def _written_date(value: str) -> str:
    """`2026-01-05` or a datetime as `5 January 2026`."""
    day: date = datetime.fromisoformat(value)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _written_decimal(value: float, places: int = 2) -> str:
    """1234.5 as `1,234.50`."""
    return f"{value:,.{places}f}"


def _line_breaks(value: Any) -> str:
    """Text as HTML with its line breaks kept."""
    escaped = html.escape(str(value)).replace("\n", "<br>\n")
    return minijinja.safe(escaped)


OURS: dict[str, Callable[..., str]] = {"date": _written_date, "decimal": _written_decimal, "nl2br": _line_breaks}
