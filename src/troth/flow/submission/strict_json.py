"""Submission, reading: bytes to JSON, so strictly that two readers cannot understand two things.

RFC 8259 with what it leaves open closed: UTF-8 only, no byte order mark, no key twice (I-JSON, RFC 7493 2.3), no NaN,
no nesting beyond 32. This is the first pass of two: the second is msgspec's, into wire types (wire.py), which also
refuses lone surrogates.
"""

import json
from collections.abc import Iterable
from typing import Any

from troth.flow.submission.problem import Problem

MAX_DEPTH = 32
_BOM = "\ufeff"


class _TwiceError(ValueError):
    """An object names a key twice."""


class _NotANumberError(ValueError):
    """NaN, Infinity or -Infinity."""


def read(body: bytes) -> Any:
    """The value, as plain Python data; Problem for anything that is not exactly one JSON value."""
    text = _utf8(body)
    try:
        value = _SCANNER.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(error) from None
    except RecursionError:
        raise _too_deep() from None
    except _TwiceError as error:
        raise Problem("duplicate-key", f"The key {_shown(str(error))} stands twice in one object.") from None
    except _NotANumberError as error:
        raise Problem("not-a-number", f"{error} is not a JSON value; send a number, or null.") from None
    except ValueError:  # an integer of thousands of digits
        raise Problem("bad-value", "A number has too many digits.") from None
    _check_depth(body, value)
    return value


def _utf8(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Problem("bad-utf8", f"The byte at position {error.start} is not UTF-8.") from None
    if not text.strip(" \t\r\n"):
        raise Problem("malformed-json", "The body is empty; send one JSON value.")
    if text.startswith(_BOM):
        raise Problem("malformed-json", "The body begins with a byte order mark; leave it out (RFC 8259, 8.1).")
    return text


def _malformed(error: json.JSONDecodeError) -> Problem:
    where = f"line {error.lineno}, column {error.colno}"
    return Problem("malformed-json", f"The body is not JSON: {error.msg.lower()} at {where}.")


def _too_deep() -> Problem:
    return Problem("too-deep", f"The body is nested more than {MAX_DEPTH} levels deep.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _TwiceError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]  # add() says None, which is falsy
    return found


def _no_constant(name: str) -> float:
    raise _NotANumberError(name)


_SCANNER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _check_depth(body: bytes, value: object) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [part for whole in level for part in _parts(whole) if isinstance(part, dict | list)]
    if level:
        raise _too_deep()


def _parts(whole: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return whole.values() if isinstance(whole, dict) else whole


def _shown(name: str) -> str:
    return ascii(name[:64])
