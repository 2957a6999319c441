"""Around the house: the keyring's part of a backup: whoever loses the master key loses all, so it is copied and tried.

The frames' key is wrapped by the master key. The key file itself goes into a file of its own, or, sealed under a
passphrase, into the backup's header.
"""

import hashlib
import os
import secrets
import tempfile
import unicodedata
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.cli.backup.sealed import Header, Keyring, NotWhole
from troth.cli.words import CommandError
from troth.control.people.credentials import LEAST_PASSPHRASE, read_private
from troth.outside import kms
from troth.outside.kms import LocalKms

_N, _R, _P = 2**17, 8, 1  # 128 MB and half a second: this passphrase stands alone
_N_MOST, _R_MOST, _P_MOST = 2**20, 16, 4  # what a changed header may make us spend
_BOUND = b"troth backup keyring"
_KEY_BYTES = 32
LOST = "Without the master key a backup can never be read, by anyone."


def new_key(master: LocalKms, installation: str) -> tuple[bytes, bytes]:
    """A fresh key for one backup: to use now, and wrapped by the master key."""
    key = secrets.token_bytes(_KEY_BYTES)
    return key, master.encrypt(key, _context(installation))


def open_key(path: Path, header: Header) -> bytes:
    """The backup's key, by the master key in `path`; CommandError when that is not the key it was sealed under."""
    master = LocalKms(path)
    try:
        return master.decrypt(header.wrapped, _context(header.installation))
    except kms.Refused:
        raise CommandError(
            f"{path} does not open this backup: it was sealed under master key {header.key_id}, and the file holds "
            f"{master.key_id}. {LOST} Give the right file with --key."
        ) from None


def seal(key_file: Path, passphrase: str) -> Keyring:
    """The whole key file under a passphrase."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise CommandError(f"A passphrase has at least {LEAST_PASSPHRASE} characters: take several words.")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    cipher = AESGCM(_stretch(passphrase, salt, _N, _R, _P))
    return Keyring(_N, _R, _P, salt, nonce + cipher.encrypt(nonce, read_private(key_file), _BOUND))


def unseal(keyring: Keyring, passphrase: str, name: str) -> bytes:
    """The key file's octets; CommandError for another passphrase."""
    if not (1 < keyring.n <= _N_MOST and 0 < keyring.r <= _R_MOST and 0 < keyring.p <= _P_MOST):
        raise NotWhole(f"{name} was changed after it was made, or damaged: take another copy of it.")
    try:
        cipher = AESGCM(_stretch(passphrase, keyring.salt, keyring.n, keyring.r, keyring.p))
        return cipher.decrypt(keyring.sealed[:12], keyring.sealed[12:], _BOUND)
    except (InvalidTag, ValueError):
        raise CommandError(f"The passphrase does not open the keyring in {name}: nothing was changed.") from None


def as_file(octets: bytes) -> Path:
    """Octets of a key file in a file that only this user reads; the caller removes it."""
    descriptor, name = tempfile.mkstemp(prefix="troth-key-")  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
    return Path(name)


def _stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    text = unicodedata.normalize("NFC", passphrase).encode()
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=2 * 128 * n * r * p, dklen=_KEY_BYTES)


def _context(installation: str) -> dict[str, str]:
    return {"purpose": "backup", "installation": installation}
