"""Before anything is governed: a person's two factors: a device's secret in a file, and a passphrase in the head.

The file (mode 0600, JSON) has {version, account, human, device}; the passphrase is stretched here (scrypt, RFC 7914),
so that the database sees neither it nor anything that a dictionary could try cheaply.
"""

import base64
import hashlib
import os
import secrets
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec

_VERSION = 1
_N, _R, _P = 2**15, 8, 1
_MEMORY = 2 * 128 * _N * _R  # twice what scrypt needs
_SALT_BYTES = 16
_DEVICE_BYTES = 32
LEAST_PASSPHRASE = 12  # characters; the device's secret stands beside it
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else


class BadCredential(Exception):  # noqa: N818 - reads as the sentence it raises
    """A credential file or a passphrase that cannot be used; the sentence says what to do."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    account: UUID
    human: UUID
    device: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What the file holds."""

    account: UUID
    human: UUID
    device: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Factors:
    """What the database keeps: the device's hash, the salt, the hash of the stretched passphrase."""

    device_hash: bytes
    salt: bytes
    passphrase_hash: bytes


def new_credential(account: UUID, human: UUID) -> Credential:
    return Credential(account, human, secrets.token_bytes(_DEVICE_BYTES))


def factors(credential: Credential, passphrase: str) -> Factors:
    """Raise BadCredential for a passphrase that is too short."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise BadCredential(f"A passphrase has at least {LEAST_PASSPHRASE} characters: take several words.")
    salt = secrets.token_bytes(_SALT_BYTES)
    stretched = stretch(passphrase, salt)
    return Factors(hashlib.sha256(credential.device).digest(), salt, hashlib.sha256(stretched).digest())


def stretch(passphrase: str, salt: bytes) -> bytes:
    """32 bytes; the passphrase is read in NFC, so that every keyboard writes the same one."""
    text = unicodedata.normalize("NFC", passphrase).encode()
    return hashlib.scrypt(text, salt=salt, n=_N, r=_R, p=_P, maxmem=_MEMORY, dklen=32)


def make_passphrase() -> str:
    """Five groups of five letters, 123 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(5))


def write(path: Path, credential: Credential) -> None:
    """Write a new file that only its owner reads; one that is there is never replaced."""
    kept = _File(_VERSION, credential.account, credential.human, base64.b64encode(credential.device).decode())
    write_private(path, msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")


def write_private(path: Path, data: bytes) -> None:
    """A new file of mode 0600, on disk when this returns; raise BadCredential when it is there already."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
    except FileExistsError:
        raise BadCredential(f"{path} is there already and is not replaced: move it away, or name another.") from None
    except OSError as trouble:
        raise BadCredential(f"{path} cannot be written: {trouble.strerror}.") from trouble


def read(path: Path) -> Credential:
    """Raise BadCredential for a file that others could read, or that is no credential."""
    data = read_private(path)
    try:
        kept = msgspec.json.decode(data, type=_File)
        device = base64.b64decode(kept.device, validate=True)
    except (msgspec.DecodeError, ValueError):
        raise BadCredential(f"{path} is not a credential file: take the one that was made for you.") from None
    if kept.version != _VERSION or len(device) != _DEVICE_BYTES:
        raise BadCredential(f"{path} is not a credential file of version {_VERSION}.")
    return Credential(kept.account, kept.human, device)


def read_private(path: Path) -> bytes:
    """The bytes of a file that nobody else may read."""
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise BadCredential(f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): `chmod 600 {path}`.")
        return path.read_bytes()
    except OSError as trouble:
        raise BadCredential(f"{path} cannot be read: {trouble.strerror}.") from trouble
