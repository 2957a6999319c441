"""The ledger's alphabet: one byte string for one value, so that a digest has a single meaning.

Leaves are flat: ASCII keys, strings and integers. Documents (policies, templates) also hold booleans,
nulls, lists and objects. Both come out as RFC 8785 (JCS) bytes, made by msgspec: with ASCII keys its sorted
order is JCS's UTF-16 order, and without floats the rest of JCS is ordinary JSON.

    CanonicalError (a ValueError)
    '-- NotCanonical    permanent: the value, or the bytes read back, have no canonical form here
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

MAX_INTEGER = 2**53 - 1  # JCS numbers are IEEE doubles: beyond this two integers share one
MAX_DEPTH = 64

type Leaf = Mapping[str, str | int]

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


class CanonicalError(ValueError):
    """The root of this module's errors. Handing in the same value again fails again."""

    temporary = False


class NotCanonical(CanonicalError):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The value has no canonical form in the ledger; the sentence names the place and the way out."""


def canonical(leaf: Leaf) -> bytes:
    """Encode a leaf: a flat object of ASCII keys to strings and integers of at most 2^53-1 in size."""
    if type(leaf) is not dict:
        raise NotCanonical(f"a leaf is a dict, not {type(leaf).__name__}")
    for key, value in leaf.items():
        _check_key(key, "")
        if type(value) is int:
            _check_integer(value, key)
        elif type(value) is not str:
            raise NotCanonical(f"{key}: a leaf holds strings and integers only, not {type(value).__name__}")
    return _bytes(leaf)


def canonical_document(value: Any) -> bytes:
    """Encode an artefact: strings, integers, booleans, null, lists, objects with ASCII keys; no floats."""
    _check_value(value, "", 0)
    return _bytes(value)


def digest(value: Any) -> bytes:
    """SHA-256 of the value's canonical document: 32 bytes."""
    return hashlib.sha256(canonical_document(value)).digest()


def parse_canonical(data: bytes) -> Any:
    """Read canonical bytes back, refusing any others: duplicate keys, spaces, another order, floats."""
    try:
        value = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotCanonical(f"not JSON: {error}") from None
    if canonical_document(value) != data:
        raise NotCanonical("these bytes are JSON, but not in canonical form: write the value again")
    return value


def _bytes(value: object) -> bytes:
    try:
        return _encode(value)
    except UnicodeEncodeError:
        raise NotCanonical("a string holds half of a surrogate pair, which no UTF-8 can carry") from None


def _check_value(value: object, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH} levels")
    kind = type(value)
    if kind is int:
        _check_integer(value, where)  # type: ignore[arg-type]  # `kind is int` just said so
    elif isinstance(value, dict):
        _check_object(value, where, depth)
    elif kind in (list, tuple):
        _check_list(value, where, depth)  # type: ignore[arg-type]  # `kind in` just said so
    elif not (value is None or kind in (str, bool)):
        raise NotCanonical(f"{where or 'the value'}: {kind.__name__} has no canonical form; use a string or an integer")


def _check_object(value: Mapping[Any, object], where: str, depth: int) -> None:
    if type(value) is not dict:
        raise NotCanonical(f"{where or 'the value'}: use a plain dict, not {type(value).__name__}")
    for key, item in value.items():
        _check_key(key, where)
        _check_value(item, f"{where}.{key}" if where else key, depth + 1)


def _check_list(value: Sequence[object], where: str, depth: int) -> None:
    for index, item in enumerate(value):
        _check_value(item, f"{where}[{index}]", depth + 1)


def _check_key(key: object, where: str) -> None:
    if type(key) is not str or not key.isascii():
        raise NotCanonical(f"{where or 'the value'}: the key {key!r} is not an ASCII string")


def _check_integer(value: int, where: str) -> None:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise NotCanonical(f"{where or 'the value'}: integers go to 2^53-1; write a larger one as a string")
