"""Evidence, what is signed: a checkpoint says how large the ledger was, its root, and when (C2SP tlog-checkpoint).

troth/<installation>/<log>       the origin, which is also the signer's name
1234                             leaves
<base64 of the 32-byte root>
time 2026-11-22T03:55:11.123456Z
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from troth.ledger.leaf import HASH_BYTES
from troth.ledger.note import (
    MalformedNote,
    NoteError,
    UnverifiedNote,
    Verifier,
    open_note,
    parse_note,
    parse_vkey,
    sign_note,
    vkey,
)

__all__ = [
    "Body",
    "Checkpoint",
    "MalformedNote",
    "NoteError",
    "UnverifiedNote",
    "notes",
    "parse",
    "parse_body",
    "read_unverified",
    "sign",
    "vkey",
]

MAX_SIZE = 2**63 - 1  # what a bigint column holds

_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_TIME = "time "
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Body:
    """A checkpoint's text as any log writes it; `rest` is what follows the root's line, extensions or nothing."""

    origin: str
    size: int
    root: bytes
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One of our own: the log `origin` had `size` leaves under `root` at the aware time `at`."""

    origin: str
    size: int
    root: bytes
    at: datetime


def sign(seed: bytes, origin: str, size: int, root: bytes, at: datetime) -> str:
    """Make the signed note of a checkpoint, with the 32-byte Ed25519 seed whose `vkey(origin, seed)` verifies it."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a checkpoint's time needs a time zone: hand in an aware datetime")
    if len(root) != HASH_BYTES or not 0 <= size <= MAX_SIZE:
        raise ValueError("a checkpoint has a size of 0 or more and a root of 32 bytes")
    return sign_note(seed, origin, _text(Checkpoint(origin, size, root, at)))


def parse(note: str | bytes, key: str | Verifier) -> Checkpoint:
    """Read and verify a checkpoint of ours, signed under its origin's name by `key` (a vkey or a parsed one)."""
    verifier = parse_vkey(key) if isinstance(key, str) else key
    checkpoint = _ours(open_note(note, verifier))
    if checkpoint.origin != verifier.name:
        raise UnverifiedNote(f"the checkpoint is of the log {checkpoint.origin}, the key of {verifier.name}")
    return checkpoint


def read_unverified(note: str | bytes) -> Checkpoint:
    """Read a checkpoint of ours without a key: only to say what it claims, or to compare what it says."""
    return _ours(parse_note(note).text)


def parse_body(text: str) -> Body:
    """Read the text of any log's checkpoint: origin, size, root of any length, and what else it says."""
    lines = text.split("\n", 3)
    if len(lines) < len(("origin", "size", "root", "the rest")):
        raise MalformedNote("a checkpoint has three lines or more, each ended by a newline")
    origin, size, root, rest = lines
    if not origin:
        raise MalformedNote("a checkpoint's origin is not empty")
    if not _SIZE.fullmatch(size) or int(size) >= 2**64:
        raise MalformedNote("a checkpoint's size is a decimal number below 2^64 without leading zeros")
    return Body(origin, int(size), _root(root), rest)


def notes(text: str) -> list[str]:
    """Cut a file of one or several notes (a witness file) into notes, with an empty line or none between them."""
    found: list[str] = []
    rows: list[str] = []
    signed = False
    for row in re.findall(r"[^\n]*\n|[^\n]+", text):
        if signed and not row.startswith("\N{EM DASH} "):
            found.append("".join(rows))
            rows, signed = [], False
        if rows or row != "\n":
            rows.append(row)
        signed = row.startswith("\N{EM DASH} ")
    return [*found, "".join(rows)] if rows else found


def _text(checkpoint: Checkpoint) -> str:
    at = checkpoint.at.astimezone(UTC).strftime(_FORMAT)
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n{_TIME}{at}\n"


def _ours(text: str) -> Checkpoint:
    body = parse_body(text)
    if len(body.root) != HASH_BYTES or not body.rest.startswith(_TIME):
        raise MalformedNote("a checkpoint of ours has a root of 32 bytes and one line more, its time")
    try:
        at = datetime.strptime(body.rest.removeprefix(_TIME).removesuffix("\n"), _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise MalformedNote("a checkpoint's time is written 2026-11-22T03:55:11.123456Z") from None
    checkpoint = Checkpoint(body.origin, body.size, body.root, at)
    if _text(checkpoint) != text:
        raise MalformedNote("the checkpoint says this in another form than its one canonical form")
    return checkpoint


def _root(text: str) -> bytes:
    try:
        root = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNote("a checkpoint's root is base64") from None
    if base64.b64encode(root).decode() != text:
        raise MalformedNote("a checkpoint's root is base64 in its one canonical form")
    return root
