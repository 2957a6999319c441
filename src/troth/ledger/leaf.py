"""The ledger's leaves: what one fact weighs in the tree, and how personal data enters it without being
told.

Hashes as in RFC 9162, section 2.1.1: SHA-256 with 0x00 before a leaf and 0x01 before a node, so that
neither can pass for the other. Personal data is a salted commitment; with its salt erased, the leaf stays
and says nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from troth.ledger.canonical import canonical

HASH_BYTES = 32
MIN_SALT_BYTES = 16
MAX_SALT_BYTES = 255  # its length is committed to in one octet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_COMMITMENT = b"troth.commitment.v1\x00"
_SHOWN = b"troth.leaf.salt.v1\x00"


@dataclass(frozen=True, slots=True)
class EventFields:
    """What a message event's leaf covers. `at` is aware; `detail` is a commitment, or ""."""

    message: str
    tenant: str
    kind: str
    at: datetime
    detail: str

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or self.at.utcoffset() is None:
            raise ValueError("an event's time needs a time zone: hand in an aware datetime")


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right) of two 32-byte hashes, RFC 9162 section 2.1.1."""
    if len(left) != HASH_BYTES or len(right) != HASH_BYTES:
        raise ValueError("a node stands on two hashes of 32 bytes")
    return hashlib.sha256(b"\x01" + left + right).digest()


def event_leaf(salt: bytes, fields: EventFields) -> bytes:
    """Hash one message event: its canonical form's leaf hash, salted so that it cannot be guessed."""
    return leaf_hash(canonical(event_leaf_fields(salt, fields)))


def event_leaf_fields(salt: bytes, fields: EventFields) -> dict[str, str | int]:
    """Build the leaf that `event_leaf` hashes, as a receipt shows it; `at` in microseconds since 1970.

    Its salt is made from the secret one, so that the leaf can be shown to whoever may not know the detail, which the
    secret one alone commits to.
    """
    _check_salt(salt)
    return {
        "at": microseconds(fields.at),
        "detail": fields.detail,
        "kind": fields.kind,
        "message": fields.message,
        "salt": shown_salt(salt),
        "tenant": fields.tenant,
        "type": "troth.event.v1",
    }


def shown_salt(salt: bytes) -> str:
    """The salt that stands in the leaf: hex SHA-256 of a label and the secret salt, which it does not tell."""
    return hashlib.sha256(_SHOWN + salt).hexdigest()


def commit(salt: bytes, value: str) -> str:
    """Commit to personal data: hex SHA-256 of a label, the salt's length, the salt and the value."""
    _check_salt(salt)
    return hashlib.sha256(_COMMITMENT + bytes((len(salt),)) + salt + value.encode()).hexdigest()


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 in UTC, without a float on the way."""
    return (at - _EPOCH) // _MICROSECOND


def _check_salt(salt: bytes) -> None:
    if not MIN_SALT_BYTES <= len(salt) <= MAX_SALT_BYTES:
        raise ValueError(f"a salt has {MIN_SALT_BYTES} to {MAX_SALT_BYTES} random bytes, not {len(salt)}")
