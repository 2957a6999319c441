r"""Around the house: the file that a backup is: a header that anybody may read, then frames sealed by a key of its own.

    TROTH-BACKUP 1\n | u32 length | header (JSON) | frames to the end
    frame: u32 length | AES-256-GCM(kind octet + payload), nonce = 11-octet counter + 1 in the last frame, else 0,
           associated data = SHA-256 of all before the first frame

So a frame that is changed, missing, moved, doubled or of another backup is found (as the STREAM construction does).
All numbers are big-endian. The frames' key is fresh; the master key wraps it into the header.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.cli.words import CommandError

MAGIC = b"TROTH-BACKUP 1\n"
FRAME = 1 << 20  # octets of payload that are gathered into one frame
_MOST = 64 << 20  # one row with a large body may make a frame larger
_HEADER_MOST = 1 << 20
_U32 = struct.Struct(">I")
_TAG = 16

RECORD, DATA = b"R", b"D"  # a JSON record; octets of the table whose record came last


class NotWhole(CommandError):  # noqa: N818 - reads as the sentence it raises
    """A backup file that is cut off, changed, or none; the sentence says which, and nothing was changed."""


class Keyring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The master key file, sealed under a passphrase (scrypt, RFC 7914; AES-256-GCM); octets in base64."""

    n: int
    r: int
    p: int
    salt: bytes
    sealed: bytes


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said in the open: whose backup it is, when it was taken, and which master key opens it."""

    made: str
    installation: str
    key_id: str
    wrapped: bytes
    keyring: Keyring | None = None


@dataclass(slots=True)
class Writer:
    """Frames into `out`; the last one must be said to be the last."""

    out: BinaryIO
    key: bytes = field(repr=False)
    header: Header
    _bound: bytes = field(init=False, default=b"")
    _count: int = field(init=False, default=0)

    def begin(self) -> None:
        encoded = msgspec.json.encode(self.header)
        start = MAGIC + _U32.pack(len(encoded)) + encoded
        self._bound = hashlib.sha256(start).digest()
        self.out.write(start)

    def record(self, value: object, *, last: bool = False) -> None:
        self._frame(RECORD + msgspec.json.encode(value), last=last)

    def data(self, octets: bytes) -> None:
        self._frame(DATA + octets, last=False)

    def _frame(self, plain: bytes, *, last: bool) -> None:
        sealed = AESGCM(self.key).encrypt(_nonce(self._count, last=last), plain, self._bound)
        self._count += 1
        self.out.write(_U32.pack(len(sealed)))
        self.out.write(sealed)


@dataclass(slots=True)
class Reader:
    """Reads what Writer wrote; NotWhole as soon as something is not as it was."""

    source: BinaryIO
    name: str
    header: Header = field(init=False)
    _bound: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        if self.source.read(len(MAGIC)) != MAGIC:
            raise NotWhole(f"{self.name} is not a Troth backup: name the file that `troth backup` wrote.")
        length = self.source.read(4)
        size = _U32.unpack(length)[0] if len(length) == len(MAGIC[:4]) else _HEADER_MOST + 1
        encoded = self.source.read(size) if size <= _HEADER_MOST else b""
        try:
            self.header = msgspec.json.decode(encoded, type=Header)
        except (msgspec.DecodeError, ValueError):
            raise NotWhole(f"{self.name} is cut off or changed in its header: take another copy of it.") from None
        self._bound = hashlib.sha256(MAGIC + length + encoded).digest()

    def frames(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(kind, payload) in order; returns only after the last frame and at the file's end."""
        cipher, count, last = AESGCM(key), 0, False
        while length := self.source.read(4):
            if last:
                raise NotWhole(f"{self.name} goes on after its end: it was changed. Take another copy of it.")
            plain, last = self._open(cipher, length, count)
            count += 1
            yield plain[:1], plain[1:]
        if not last:
            raise self._cut()

    def _open(self, cipher: AESGCM, length: bytes, count: int) -> tuple[bytes, bool]:
        size = _U32.unpack(length)[0] if len(length) == _U32.size else 0
        if not _TAG < size <= _MOST:
            raise self._changed() if size else self._cut()
        sealed = self.source.read(size)
        if len(sealed) < size:
            raise self._cut()
        for last in (False, True):
            try:
                return cipher.decrypt(_nonce(count, last=last), sealed, self._bound), last
            except InvalidTag:
                continue
        raise self._changed()

    def _cut(self) -> NotWhole:
        return NotWhole(f"{self.name} ends too early: the copy is not whole. Take another copy of it.")

    def _changed(self) -> NotWhole:
        return NotWhole(f"{self.name} was changed after it was made, or damaged: take another copy of it.")


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes((last,))
