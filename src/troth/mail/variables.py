"""At the gate: do a message's variables fit the template's schema?

`schema` here has passed `check_schema`. Variables are plain JSON data.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from troth.mail.problem import Problem
from troth.mail.schema import DEFAULT_ITEMS, DEFAULT_LENGTH, MAX_BYTES, MAX_INTEGER, MIN_NUMBER, check_schema

__all__ = ["check", "check_schema"]

MAX_PROBLEMS = 50  # a hostile list gets no longer an answer than this
_control_re = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # all controls but tab and new line
_url_re = re.compile(r"https?://[^\s\"'<>\\^`{|}]+\Z")  # what may stand in an href; never javascript:
_date_re = re.compile(r"\d{4}-\d\d-\d\d\Z")

type _Fault = tuple[str, str] | None  # a code and a hint


def check(variables: object, schema: dict[str, Any], max_bytes: int = MAX_BYTES) -> list[Problem]:
    """Everything wrong with the variables (at most 50 problems); fields are paths like `lines[3].total`."""
    problems: list[Problem] = []
    _object(variables, schema, "", problems)
    if not problems and len(msgspec.json.encode(variables)) > max_bytes:
        problems.append(
            Problem("variables", "too_large", f"The variables are over {max_bytes} bytes as JSON; send less.")
        )
    return problems[:MAX_PROBLEMS]


def _object(value: object, properties: dict[str, Any], path: str, problems: list[Problem]) -> None:
    if not isinstance(value, dict):
        problems.append(Problem(path or "variables", "type", "This must be an object."))
        return
    for name in value.keys() - properties.keys():
        field = _join(path, ascii(name)[1:-1][:80])
        problems.append(Problem(field, "unknown", "The template has no such variable; remove it."))
        if len(problems) > MAX_PROBLEMS:
            return
    for name, one in properties.items():
        if name in value:
            _value(value[name], one, _join(path, name), problems)
        elif one.get("required", True):
            problems.append(Problem(_join(path, name), "missing", "This variable is required."))


def _value(value: object, one: dict[str, Any], path: str, problems: list[Problem]) -> None:
    kind = one["type"]
    if kind == "list":
        _list(value, one, path, problems)
    elif kind == "object":
        _object(value, one["properties"], path, problems)
    elif fault := _SCALARS[kind](value, one):
        problems.append(Problem(path, *fault))
    elif "enum" in one and value not in one["enum"]:
        problems.append(Problem(path, "enum", "This must be one of the schema's listed values."))


def _list(value: object, one: dict[str, Any], path: str, problems: list[Problem]) -> None:
    if not isinstance(value, list):
        problems.append(Problem(path, "type", "This must be a list."))
        return
    if len(value) > (most := one.get("max_items", DEFAULT_ITEMS)):
        problems.append(Problem(path, "too_many", f"This list has more than {most} items."))
        return
    for number, item in enumerate(value):
        if len(problems) > MAX_PROBLEMS:
            return
        _value(item, one["items"], f"{path}[{number}]", problems)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _string(value: object, one: dict[str, Any]) -> _Fault:
    if not isinstance(value, str):
        return "type", "This must be a string."
    if len(value) > (most := one.get("max_length", DEFAULT_LENGTH)):
        return "too_long", f"This is longer than {most} characters."
    if found := _control_re.search(value):
        return "control", f"This has a forbidden control character (U+{ord(found[0]):04X}); remove it."
    return None


def _url(value: object, one: dict[str, Any]) -> _Fault:
    if fault := _string(value, one):
        return fault
    if _url_re.match(str(value)):
        return None
    return "value", "This must be a full web address that begins with https:// or http://."


def _date(value: object, _one: dict[str, Any]) -> _Fault:
    try:
        fits = isinstance(value, str) and _date_re.match(value) and date.fromisoformat(value)
    except ValueError:
        fits = None
    return None if fits else ("type", "This must be a date as YYYY-MM-DD.")


def _datetime(value: object, _one: dict[str, Any]) -> _Fault:
    try:
        fits = isinstance(value, str) and len(value) < 40 and datetime.fromisoformat(value).tzinfo
    except ValueError:
        fits = None
    return None if fits else ("type", "This must be a date and time with its offset, as 2026-01-31T09:30:00+00:00.")


def _integer(value: object, _one: dict[str, Any]) -> _Fault:
    if isinstance(value, bool) or not isinstance(value, int):
        return "type", "This must be a whole number."
    return None if abs(value) <= MAX_INTEGER else ("value", "This number is too large.")


def _number(value: object, _one: dict[str, Any]) -> _Fault:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "type", "This must be a number."
    if not math.isfinite(value) or abs(value) > MAX_INTEGER:
        return "value", "This number is too large."
    return ("value", "This number is too close to 0.") if 0 < abs(value) < MIN_NUMBER else None


def _boolean(value: object, _one: dict[str, Any]) -> _Fault:
    return None if isinstance(value, bool) else ("type", "This must be true or false.")


_SCALARS: dict[str, Callable[[object, dict[str, Any]], _Fault]] = {
    "string": _string,
    "url": _url,
    "date": _date,
    "datetime": _datetime,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
