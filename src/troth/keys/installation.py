"""The installation's own secrets in the keyring: blind-index layers, token-key roots, the ledger's seed.

Each generation is one random root; a purpose's key is HKDF-SHA-256 of it, so that no two purposes share a
key. The newest root signs, all verify. The store keeps the sealed bytes; only the KMS opens them.
"""

import base64
import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.keys.blind_index import KEY_BYTES, BlindIndex
from troth.keys.errors import Undecryptable, kms_answers
from troth.outside.kms import Kms

_VERSION = 1
_SEALED = b"\x01"
_CONTEXT = {"purpose": "installation"}


class Purpose(StrEnum):
    """What a token key is for. A value is part of the derivation: never reuse or rename one."""

    VERP = "verp"  # return paths
    UNSUBSCRIBE = "unsubscribe"  # List-Unsubscribe links
    CONFIRM = "confirm"  # a recipient's confirmation link
    CURSOR = "cursor"  # page cursors of the API
    FINGERPRINT = "idempotency-fingerprint"  # HMAC of a request's body and route
    API_KEY = "api-key"  # hashes of bearer keys
    WEBHOOK = "webhook"  # signed tokens in webhooks' variables
    CASE = "case"  # the address that answers to an acknowledgement come back to, and a reporter's links


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    blind_index: list[str]
    roots: list[str]
    ledger_seed: str


@dataclass(frozen=True, slots=True)
class InstallationSecrets:
    """`blind_layers` oldest first, `roots` newest first, `ledger_seed` of Ed25519; each 32 bytes, none printed."""

    blind_layers: tuple[bytes, ...] = field(repr=False)
    roots: tuple[bytes, ...] = field(repr=False)
    ledger_seed: bytes = field(repr=False)
    _keys: dict[Purpose, tuple[bytes, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.roots or any(len(key) != KEY_BYTES for key in (self.ledger_seed, *self.roots, *self.blind_layers)):
            raise ValueError(f"installation secrets: a root, a blind-index layer and a seed, each of {KEY_BYTES} bytes")
        BlindIndex(self.blind_layers)  # refuses an empty list
        keys = {purpose: tuple(_derive(root, purpose) for root in self.roots) for purpose in Purpose}
        object.__setattr__(self, "_keys", keys)

    @classmethod
    def create(cls) -> Self:
        """Make the secrets of a new installation."""
        return cls((secrets.token_bytes(KEY_BYTES),), (secrets.token_bytes(KEY_BYTES),), secrets.token_bytes(KEY_BYTES))

    @classmethod
    def open(cls, kms: Kms, sealed: bytes) -> Self:
        """Open what `seal` made; raise `KmsUnavailable` or `Undecryptable`."""
        if sealed[:1] != _SEALED:
            raise Undecryptable("this is not the installation's sealed document")
        with kms_answers():
            data = kms.decrypt(sealed[1:], dict(_CONTEXT))
        try:
            document = msgspec.json.decode(data, type=_Document)
            layers, roots = (tuple(map(_octets, part)) for part in (document.blind_index, document.roots))
            if document.version == _VERSION:
                return cls(layers, roots, _octets(document.ledger_seed))
        except (msgspec.DecodeError, ValueError):
            pass  # one sentence for all of them, below; the content stays out of it
        raise Undecryptable(f"the installation's document opened, but is not of version {_VERSION}")

    def seal(self, kms: Kms) -> bytes:
        """Seal as a document: 0x01 and the KMS's ciphertext, made in the context purpose=installation."""
        layers, roots = ([_text(key) for key in part] for part in (self.blind_layers, self.roots))
        document = _Document(_VERSION, layers, roots, _text(self.ledger_seed))
        with kms_answers():
            return _SEALED + kms.encrypt(msgspec.json.encode(document), dict(_CONTEXT))

    def token_keys(self, purpose: Purpose) -> tuple[bytes, ...]:
        """A purpose's 32-byte keys, newest first: sign with the first, verify with any."""
        return self._keys[purpose]

    def blind_index(self) -> BlindIndex:
        """The index that suppression and look-ups use."""
        return BlindIndex(self.blind_layers)

    def with_new_root(self, *, keep: int) -> Self:
        """Put a new root first and keep `keep` old ones, for as long as their tokens live."""
        return replace(self, roots=(secrets.token_bytes(KEY_BYTES), *self.roots[:keep]))

    def with_new_blind_layer(self) -> Self:
        """Add a layer; the rows are lifted afterwards, and look-ups find both meanwhile."""
        return replace(self, blind_layers=(*self.blind_layers, secrets.token_bytes(KEY_BYTES)))


def _derive(root: bytes, purpose: Purpose) -> bytes:
    info = f"troth.token.v1.{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
