"""Keys, for programs: an API key's text. `troth_<cell>_<43 base62: 256 bits>_<6 base62: CRC-32>`.

The checksum lets the door turn away a slip of the hand without asking the store; only the SHA-256 of the whole text is
ever kept.
"""

import re
import secrets
import zlib
from dataclasses import dataclass, field
from hashlib import sha256

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET, _CHECK = 43, 6  # base62 digits of 256 and of 32 bits
_SHOWN = 6  # digits of the secret in the prefix that pages show
_KEY = re.compile(rf"(troth_(?P<cell>[a-z])_[0-9A-Za-z]{{{_SECRET}}})_(?P<check>[0-9A-Za-z]{{{_CHECK}}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A new key: `text` is shown once, `hash` (SHA-256) and `prefix` are kept."""

    text: str = field(repr=False)
    hash: bytes
    prefix: str


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A key that is well formed: the cell it belongs to and the hash it is found by."""

    cell: str
    hash: bytes


def make_key(cell: str) -> ApiKey:
    """Make a key for a cell (one lower-case letter)."""
    return key_of(cell, secrets.token_bytes(32))


def key_of(cell: str, secret: bytes) -> ApiKey:
    """The key of a secret of 32 bytes."""
    body = f"troth_{cell}_{_base62(int.from_bytes(secret), _SECRET)}"
    text = f"{body}_{_checksum(body)}"
    if not _KEY.fullmatch(text):
        raise ValueError("A cell code is one lower-case letter.")
    return ApiKey(text, sha256(text.encode()).digest(), text[: len("troth_a_") + _SHOWN])


def parse_key(text: str) -> ParsedKey | None:
    """The key's cell and hash; None for what is no key or fails its checksum."""
    found = _KEY.fullmatch(text)
    if found is None or _checksum(found[1]) != found["check"]:
        return None
    return ParsedKey(found["cell"], sha256(text.encode()).digest())


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
