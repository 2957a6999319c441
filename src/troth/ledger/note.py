"""Evidence, its signature: C2SP signed notes, the text form in which checkpoints travel.

A note is text that ends in a newline, an empty line, and signature lines `— name base64(key id || signature)`.
Reading is strict: bytes that mean the same but are written otherwise (base64's spare bits) are refused, so that
no byte of a note can change unseen. Signatures by keys that nobody asked about are allowed and ignored.

    NoteError (a ValueError)  permanent: these bytes never become a good note
    |-- MalformedNote         not a note at all; or a key's text is not one
    '-- UnverifiedNote        a note, but not signed by the key that was asked for, or its signature is wrong
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100

_DASH = "\N{EM DASH} "
_NAME = re.compile(r"[^\s+]+")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_ED25519_KEY_BYTES = 33  # the algorithm's byte and the public key


class NoteError(ValueError):
    """The root of this module's errors."""

    temporary = False


class MalformedNote(NoteError):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The bytes have not the form of a note, or of a verifier key."""


class UnverifiedNote(NoteError):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The note's form is good, its signature is not there or not true."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, with which key (4 bytes), and the signature."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was read, nothing verified: its text, with the newline at its end, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name, as its `vkey` spells them."""

    name: str
    key_id: bytes
    public_key: bytes


def vkey(name: str, seed: bytes) -> str:
    """The verifier key of a 32-byte signing seed, `name+key id+base64`: what a reader needs to hold."""
    public = ED25519 + _private(seed).public_key().public_bytes_raw()
    return f"{_named(name)}+{_key_id(name, public).hex()}+{base64.b64encode(public).decode()}"


def parse_vkey(text: str) -> Verifier:
    """Read a verifier key; refuse another algorithm, another length, or a key id that is not its own."""
    parts = text.split("+", 2)
    if len(parts) != len(("name", "key id", "key")) or not _NAME.fullmatch(parts[0]) or not _KEY_ID.fullmatch(parts[1]):
        raise MalformedNote("a verifier key is written name+8 hexadecimal digits+base64")
    public = _octets(parts[2], "the verifier key")
    if public[:1] != ED25519 or len(public) != _ED25519_KEY_BYTES:
        raise MalformedNote("the verifier key is not of Ed25519, the one algorithm that is known here")
    key_id = _key_id(parts[0], public)
    if key_id.hex() != parts[1]:
        raise MalformedNote("the verifier key's id is not the one of its name and key: was it copied whole?")
    return Verifier(parts[0], key_id, public[1:])


def sign_note(seed: bytes, name: str, text: str) -> str:
    """Sign a text (ending in a newline) under a name with a 32-byte Ed25519 seed."""
    _check_text(text)
    private = _private(seed)
    key_id = _key_id(_named(name), ED25519 + private.public_key().public_bytes_raw())
    signed = base64.b64encode(key_id + private.sign(text.encode())).decode()
    return f"{text}\n{_DASH}{name} {signed}\n"


def parse_note(data: str | bytes) -> Note:
    """Read a note's form, verifying nothing."""
    note = _decoded(data)
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise MalformedNote("a signed note is a text, an empty line and signature lines, each ended by a newline")
    rows = lines[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise MalformedNote(f"a note has at most {MAX_SIGNATURES} signatures")
    _check_text(text + "\n")
    return Note(text + "\n", tuple(_signature(row) for row in rows))


def open_note(data: str | bytes, key: Verifier) -> str:
    """Return the text of a note that `key` signed; any signature that claims this key must be true."""
    note = parse_note(data)
    mine = [one.signature for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    if not mine:
        raise UnverifiedNote(f"the note is not signed by {key.name} with the key {key.key_id.hex()}")
    for signature in mine:
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, note.text.encode())
        except InvalidSignature:
            raise UnverifiedNote(f"the signature of {key.name} is not of this text") from None
    return note.text


def _decoded(data: str | bytes) -> str:
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedNote(f"a note has at most {MAX_NOTE_BYTES} bytes")
    try:
        note = (data.encode() if isinstance(data, str) else data).decode()
    except UnicodeError:
        raise MalformedNote("a note is UTF-8") from None
    if any(char < " " and char != "\n" for char in note):
        raise MalformedNote("a note has no control characters but newlines")
    return note


def _signature(row: str) -> Signature:
    name, _, encoded = row.removeprefix(_DASH).partition(" ")
    if not row.startswith(_DASH) or not _NAME.fullmatch(name):
        raise MalformedNote(f"this is not a signature line: {row[:80]!r}")
    octets = _octets(encoded, f"the signature of {name}")
    if len(octets) <= KEY_ID_BYTES:
        raise MalformedNote(f"the signature of {name} is too short to be one")
    return Signature(name, octets[:KEY_ID_BYTES], octets[KEY_ID_BYTES:])


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise MalformedNote("the text of a note ends in a newline")


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise MalformedNote("the name of a signer is not empty and holds neither white space nor a plus sign")
    return name


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + public).digest()[:KEY_ID_BYTES]


def _octets(text: str, what: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNote(f"{what} is not base64") from None
    if base64.b64encode(octets).decode() != text:
        raise MalformedNote(f"{what} is not base64 in its one canonical form")
    return octets


def _private(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
