"""People: whether a password is among those that were stolen somewhere: a local file says so, nobody is asked.

The file is what Have I Been Pwned gives: a line a password, its SHA-1 in hex, then perhaps ":count", sorted by hash. It
may be tens of gigabytes: a look-up reads about 40 places of it.
"""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

from django.core.exceptions import ValidationError

_HASH = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]+)?\s*\Z")
_LONGEST_LINE = 80  # bytes


class Unreadable(Exception):  # noqa: N818 - reads as the sentence it raises
    """The file is not there, or not such a file: no password is taken until it is."""


def check(file: Path | None, password: str) -> None:
    """Raise ValidationError for a password of the file, Unreadable when it cannot be looked up."""
    if file is not None and known(file, password):
        raise ValidationError("This password was stolen somewhere and is on lists that thieves try: take another.")


def known(file: Path, password: str) -> bool:
    # the list's own hash; it protects nothing here
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with file.open("rb") as lines:
            return _found(lines, lines.seek(0, 2), wanted)
    except OSError as trouble:
        raise Unreadable(f"{file} cannot be read: {trouble.strerror}.") from trouble


def _found(lines: BinaryIO, size: int, wanted: bytes) -> bool:
    """By halves: the first line whose hash is not before the wanted one."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        there = _hash_at(lines, middle)
        if there is not None and there < wanted:
            low = middle + 1
        else:
            high = middle
    return _hash_at(lines, low) == wanted


def _hash_at(lines: BinaryIO, offset: int) -> bytes | None:
    """Of the first line that begins at or after an offset; None: there is none."""
    lines.seek(max(offset - 1, 0))
    if offset:
        lines.readline(_LONGEST_LINE)
    line = lines.readline(_LONGEST_LINE)
    if not line:
        return None
    given = _HASH.match(line)
    if given is None:
        raise Unreadable("The file of breached passwords has a line that is not a SHA-1 in hex, perhaps with a count.")
    return given[1].upper()
