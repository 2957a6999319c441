"""Feedback: a webhook's body as JSON from a stranger: bounded, and never an error but the one that says what is wrong.

BodyError(ValueError)   permanent: the same body is never better; the words are for whoever set the webhook up
"""

from collections.abc import Mapping
from typing import Any

import msgspec

_DEEPEST = 40  # objects in objects: SNS and SES stay below ten


class BodyError(ValueError):
    """A body that says nothing that could be read."""

    temporary = False


def read_object(octets: bytes) -> Mapping[str, Any]:
    """The one object that the body is."""
    try:
        found = msgspec.json.decode(octets)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BodyError("The body is not JSON.") from None
    if not isinstance(found, dict):
        raise BodyError("The body is JSON, but not an object.")
    if _deep(found):
        raise BodyError(f"The body is nested deeper than {_DEEPEST} levels.")
    return found


def _deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [each for each in value.values() if isinstance(each, dict | list)]
    return [each for each in value if isinstance(each, dict | list)] if isinstance(value, list) else []
