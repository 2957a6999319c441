"""The house's outer wall to a key management service: who wraps the tenants' keysets and the installation's
secrets.

`Kms` is what the keyring asks for; `LocalKms` answers it from a file of 0600, for a machine that has no
service.

    KmsError
    |-- Unavailable    temporary: the service did not answer; ask again
    |-- Refused        permanent: not its ciphertext, or not made in this context
    '-- BadKeyFile     permanent: the local key file is missing, readable by others, or not a key file
"""

import base64
import contextlib
import os
import secrets
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.ledger.canonical import canonical

_VERSION = 1
_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_BYTES = 32
_HEADER_BYTES = 1 + _ID_BYTES
_MAX_FILE = 64 * 1024


class KmsError(Exception):
    """The root of what a KMS can answer instead of bytes."""

    temporary: ClassVar[bool] = False


class Unavailable(KmsError):  # noqa: N818 - reads as the answer it is
    """The service did not answer."""

    temporary: ClassVar[bool] = True


class Refused(KmsError):  # noqa: N818 - reads as the answer it is
    """The ciphertext is not this service's, or its context is another."""


class BadKeyFile(KmsError):  # noqa: N818 - reads as the answer it is
    """The key file cannot be trusted or read; the sentence says what to do."""


class Kms(Protocol):
    """Wraps small secrets. `context` is authenticated, not stored: decrypting needs the same one."""

    @property
    def key_id(self) -> str:
        """Name the key that wraps now; older ones still unwrap."""

    def encrypt(self, plaintext: bytes, context: dict[str, str]) -> bytes:
        """Raise `Unavailable` when the service cannot be asked."""

    def decrypt(self, ciphertext: bytes, context: dict[str, str]) -> bytes:
        """Raise `Unavailable` or `Refused`."""


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    created: datetime
    key: str  # 32 bytes in base64

    def __repr__(self) -> str:
        return f"_Key({self.id})"


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    keys: list[_Key]  # the first one wraps, all unwrap


class LocalKms:
    """AES-256-GCM under keys from one file: 0x01, 8-byte key id, 12-byte nonce, ciphertext and tag.

    The header and the context are the associated data.
    """

    __slots__ = ("_ciphers", "_id")

    def __init__(self, path: Path) -> None:
        keys = _read(path)
        self._id = bytes.fromhex(keys[0].id)
        self._ciphers = {bytes.fromhex(key.id): AESGCM(base64.b64decode(key.key)) for key in keys}

    @classmethod
    def create(cls, path: Path) -> "LocalKms":
        """Make the key file, on purpose: beside an existing database a new key would open nothing."""
        key = _Key(
            id=secrets.token_hex(_ID_BYTES),
            created=datetime.now(UTC),
            key=base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode(),
        )
        _write_new(path, msgspec.json.format(msgspec.json.encode(_KeyFile(_VERSION, [key])), indent=2) + b"\n")
        return cls(path)

    @property
    def key_id(self) -> str:
        return f"local:{self._id.hex()}"

    def __repr__(self) -> str:
        return f"LocalKms({self.key_id})"

    def encrypt(self, plaintext: bytes, context: dict[str, str]) -> bytes:
        header = bytes((_VERSION,)) + self._id
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._id].encrypt(nonce, plaintext, header + canonical(context))

    def decrypt(self, ciphertext: bytes, context: dict[str, str]) -> bytes:
        header, rest = ciphertext[:_HEADER_BYTES], ciphertext[_HEADER_BYTES:]
        if len(rest) < _NONCE_BYTES + _TAG_BYTES or header[0] != _VERSION:
            raise Refused("this is not a ciphertext of the local KMS")
        cipher = self._ciphers.get(header[1:])
        if cipher is None:
            raise Refused(
                f"the local KMS has no key {header[1:].hex()}: restore the key file that made this ciphertext"
            )
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + canonical(context))
        except InvalidTag:
            raise Refused("the ciphertext was changed, or was made in another context") from None


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that was not there, with 0600, and make both it and its name durable."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise BadKeyFile(f"{path} exists already: a key file is never replaced; move it away if you mean it") from None
    except OSError as error:
        raise BadKeyFile(f"cannot create {path}: {error.strerror}; make its folder, writable by this user") from None
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, 0o600)  # whatever the umask
            file.write(data)
            file.flush()
            os.fsync(fd)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise BadKeyFile(f"cannot write {path}: {error.strerror}; it was removed, nothing is sealed under it") from None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _read(path: Path) -> list[_Key]:
    data = _read_private(path)
    try:
        file = msgspec.json.decode(data, type=_KeyFile)
        whole = file.version == _VERSION and bool(file.keys) and all(_is_key(key) for key in file.keys)
    except (msgspec.DecodeError, ValueError):
        whole = False
    if not whole or len({key.id for key in file.keys}) != len(file.keys):
        # Nothing of the content goes into the sentence: it may be most of a key.
        raise BadKeyFile(f"{path} is not a key file of version {_VERSION}: restore it from your backup")
    return file.keys


def _is_key(key: _Key) -> bool:
    lengths = len(bytes.fromhex(key.id)), len(base64.b64decode(key.key, validate=True))
    return lengths == (_ID_BYTES, _KEY_BYTES)


def _read_private(path: Path) -> bytes:
    """Read the file only when nobody else could: checked on the open file, not on its name."""
    try:
        # O_NONBLOCK: a FIFO in the file's place must not hang the start.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BadKeyFile(
            f"the key file {path} is missing: restore it from your backup,"
            " or, for a new installation, make one with `troth init`"
        ) from None
    except OSError as error:
        raise BadKeyFile(f"cannot read {path}: {error.strerror}; it must belong to this user, mode 0600") from None
    try:
        _check_private(path, os.fstat(fd))
        return os.read(fd, _MAX_FILE)
    finally:
        os.close(fd)


def _check_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadKeyFile(f"{path} is not a regular file: point the setting at the key file")
    if status.st_uid != os.geteuid():
        raise BadKeyFile(
            f"{path} belongs to user {status.st_uid} and this process is user {os.geteuid()}:"
            f" run as its owner, or `chown {os.geteuid()} {path}`"
        )
    if status.st_mode & 0o077:
        raise BadKeyFile(f"{path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}): `chmod 600 {path}`")
