"""Feedback and the doors: small signed tokens that a stranger may hold: return paths, links, paging cursors.

Each carries its purpose in the signature and an expiry in the token. HMAC-SHA-256, truncated to 120 bits in a return
path (RFC 5321 leaves 64 octets of local part) and to 128 bits elsewhere. Several keys may read; one writes.

    TokenError(ValueError)   kind: malformed | forged | expired
"""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

_MIN_KEY = 16  # octets
_VERP_MAC, _MAC = 15, 16  # octets
_FOREVER = 2**32  # seconds; the expiry has four octets
LAST_ATTEMPT = 255  # attempts: an octet; those beyond are the last

# "b", the cell, then 35 octets in base32: id 16, expiry 4, signature 15. One that names its attempt has it in the
# expiry's last octet, so that the expiry is a multiple of 256 seconds, and is signed for another purpose.
_verp_re = re.compile(r"b(?P<cell>[a-z0-9])(?P<token>[a-z2-7]{56})\Z")
_cell_re = re.compile(r"[a-z0-9]\Z")
_token_re = re.compile(r"[A-Za-z0-9_-]{27,4096}\Z")
_PURPOSE_RE = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")

type Keys = bytes | Sequence[bytes]


class TokenError(ValueError):
    """A token that is not to be obeyed; `kind` says why."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The token is {kind}.")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """What a return path stands for. attempt: whose it is (255: that or a later one), 0 where it does not say."""

    message: UUID
    attempt: int


def verp_make(key: bytes, message_id: UUID, expires: datetime, cell: str, attempt: int = 0) -> str:
    """A return path's local part, 58 octets, lower case; cell: one letter or digit; attempt: from 1, 0 for none."""
    if not _cell_re.match(cell):
        raise ValueError("A cell code is one lower-case letter or digit.")
    purpose, stamp = b"verp", _stamp(expires)
    if attempt:
        purpose, stamp = (
            b"verp-attempt",
            _stamp(expires + timedelta(seconds=LAST_ATTEMPT))[:3] + bytes([min(attempt, LAST_ATTEMPT)]),
        )
    signed = message_id.bytes + stamp
    mac = _mac(key, purpose, cell.encode() + signed)[:_VERP_MAC]
    return f"b{cell}{base64.b32encode(signed + mac).decode().lower()}"


def verp_cell(local: str) -> str:
    """The cell that a return path names, unverified, to find who holds its key; raises TokenError."""
    return _verp_parts(local)[0]


def verp_read(key: Keys, local: str, now: datetime) -> UUID:
    """The message that a return path stands for, in whatever case it came back; raises TokenError."""
    return verp_open(key, local, now).message


def verp_open(key: Keys, local: str, now: datetime) -> ReturnPath:
    """The same, with the attempt; raises TokenError."""
    cell, raw = _verp_parts(local)
    signed, mac = raw[:20], raw[20:]
    stamp, attempt = signed[16:], 0
    if _made_by(key, b"verp-attempt", cell.encode() + signed, mac):
        stamp, attempt = signed[16:19] + b"\0", signed[19]
    else:
        _check_mac(key, b"verp", cell.encode() + signed, mac)
    _check_expiry(stamp, now)
    return ReturnPath(UUID(bytes=signed[:16]), attempt)


def _verp_parts(local: str) -> tuple[str, bytes]:
    found = _verp_re.match(local.lower()) if local.isascii() else None
    if not found:
        raise TokenError("malformed")
    return found["cell"], base64.b32decode(found["token"].upper())


def make_token(key: bytes, purpose: str, payload: bytes, expires: datetime) -> str:
    """base64url without padding; the payload is signed, not hidden."""
    signed = _stamp(expires) + payload
    token = base64.urlsafe_b64encode(_mac(key, _purpose(purpose), signed)[:_MAC] + signed).rstrip(b"=").decode()
    if not _token_re.match(token):
        raise ValueError("The payload is too long for a token.")
    return token


def read_token(key: Keys, purpose: str, token: str, now: datetime) -> bytes:
    """The payload of a token made for this purpose; raises TokenError."""
    raw = _unpack(token)
    mac, signed = raw[:_MAC], raw[_MAC:]
    _check_mac(key, _purpose(purpose), signed, mac)
    _check_expiry(signed[:4], now)
    return signed[4:]


def _unpack(token: str) -> bytes:
    """The octets, only if the token is the one way to write them (base64 has spare bits at its end)."""
    if not _token_re.match(token) or len(token) % 4 == 1:
        raise TokenError("malformed")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise TokenError("malformed")
    return raw


def _purpose(purpose: str) -> bytes:
    if not _PURPOSE_RE.match(purpose):
        raise ValueError("A purpose is lower-case letters, digits and hyphens.")
    return purpose.encode()


def _stamp(expires: datetime) -> bytes:
    if expires.tzinfo is None:
        raise ValueError("An expiry needs a time zone.")
    seconds = int(expires.astimezone(UTC).timestamp())
    if not 0 < seconds < _FOREVER:
        raise ValueError("An expiry lies between 1970 and 2106.")
    return seconds.to_bytes(4)


def _mac(key: bytes, purpose: bytes, signed: bytes) -> bytes:
    if len(key) < _MIN_KEY:
        raise ValueError(f"A token key has at least {_MIN_KEY} octets.")
    return hmac.digest(key, b"troth token 1\0" + purpose + b"\0" + signed, sha256)


def _check_mac(keys: Keys, purpose: bytes, signed: bytes, mac: bytes) -> None:
    if not _made_by(keys, purpose, signed, mac):
        raise TokenError("forged")


def _made_by(keys: Keys, purpose: bytes, signed: bytes, mac: bytes) -> bool:
    candidates = [keys] if isinstance(keys, bytes) else keys
    good = [hmac.compare_digest(_mac(key, purpose, signed)[: len(mac)], mac) for key in candidates]
    return any(good)


def _check_expiry(stamp: bytes, now: datetime) -> None:
    if now.tzinfo is None:
        raise ValueError("The time needs a time zone.")
    if int.from_bytes(stamp) <= now.timestamp():
        raise TokenError("expired")
