"""The keyring, three wraps deep: the KMS wraps a tenant's keyset, which wraps a person's key.

One KMS call opens a tenant (kept in memory afterwards); a person's key is unwrapped and used in about 4
microseconds. Everything that comes out for a column starts with 0x01 (Tink, or a wrapped keyset) or 0x02
(under a person's key).
"""

import os
import secrets
from collections import OrderedDict
from threading import Lock
from uuid import UUID

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import aead, proto_keyset_format, secret_key_access
from tink.proto import tink_pb2

from troth.keys.errors import Undecryptable, kms_answers
from troth.outside.kms import Kms

OPERATOR = "operator"  # the keyset of what is the operator's own: suppressed and staff addresses

_WRAPPED = b"\x01"
_SEALED = b"\x02"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_TEMPLATE = aead.aead_key_templates.AES256_GCM

type TenantId = UUID | str


class PersonKey:
    """One person's data key: AES-256-GCM, 0x02, random 12-byte nonce, ciphertext and tag (29 bytes over)."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "PersonKey(...)"

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Seal under `aad`, which names the row and column, so that ciphertexts cannot change places."""
        nonce = os.urandom(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, ciphertext: bytes, aad: bytes) -> bytes:
        """Raise `Undecryptable` for other bytes, another key or another `aad`."""
        if ciphertext[:1] != _SEALED or len(ciphertext) < 1 + _NONCE_BYTES + _TAG_BYTES:
            raise Undecryptable("this is not a ciphertext under a person's key")
        try:
            return self._cipher.decrypt(ciphertext[1 : 1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES :], aad)
        except InvalidTag:
            raise Undecryptable("another person's key, another place, or changed bytes") from None


class TenantKeys:
    """One tenant's opened keyset: its own secrets, and its people's keys."""

    __slots__ = ("_aead", "_person", "_secret", "tenant_id")

    def __init__(self, tenant_id: str, primitive: aead.Aead) -> None:
        self.tenant_id = tenant_id
        self._aead = primitive
        # Two labels, so that a tenant's secret can never be read as a person's key; a NUL ends the id.
        self._secret = b"secret\x00" + tenant_id.encode() + b"\x00"
        self._person = b"person\x00" + tenant_id.encode() + b"\x00"

    def __repr__(self) -> str:
        return f"TenantKeys({self.tenant_id})"

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Seal a secret of the tenant itself: 0x01, key id, nonce, ciphertext and tag (33 bytes over)."""
        return bytes(self._aead.encrypt(plaintext, self._secret + aad))

    def open(self, ciphertext: bytes, aad: bytes) -> bytes:
        """Raise `Undecryptable` for other bytes, another tenant or another `aad`."""
        return self._decrypt(ciphertext, self._secret + aad)

    def new_person_key(self, person_id: UUID | str) -> tuple[PersonKey, bytes]:
        """Make a person's key: to use now, and wrapped for the `person` row."""
        key = secrets.token_bytes(_KEY_BYTES)
        return PersonKey(key), bytes(self._aead.encrypt(key, self._person + str(person_id).encode()))

    def person(self, wrapped: bytes, person_id: UUID | str) -> PersonKey:
        """Unwrap a person's key; raise `Undecryptable` for another person's, or for an erased one."""
        return PersonKey(self._decrypt(wrapped, self._person + str(person_id).encode()))

    def rewrap_person_key(self, wrapped: bytes, person_id: UUID | str) -> bytes:
        """Wrap the same key under the keyset's newest key, after a rotation; what it sealed stays."""
        aad = self._person + str(person_id).encode()
        return bytes(self._aead.encrypt(self._decrypt(wrapped, aad), aad))

    def _decrypt(self, ciphertext: bytes, aad: bytes) -> bytes:
        try:
            return bytes(self._aead.decrypt(ciphertext, aad))
        except tink.TinkError:
            raise Undecryptable(f"not sealed by tenant {self.tenant_id} in this place, or changed") from None


class Keyring:
    """Opens tenants; threads may share it. At most `keep` stay open, the least used go first."""

    def __init__(self, kms: Kms, *, keep: int = 4096) -> None:
        aead.register()
        self._kms = kms
        self._keep = keep
        self._open: OrderedDict[tuple[str, bytes], TenantKeys] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Keyring({self._kms.key_id})"

    def new_tenant_keyset(self, tenant_id: TenantId) -> bytes:
        """Make a tenant's keyset, wrapped: 0x01 and Tink's encrypted keyset, bound to the tenant's id."""
        return self._wrap(tink.new_keyset_handle(_TEMPLATE), str(tenant_id))

    def tenant(self, tenant_id: TenantId, wrapped: bytes) -> TenantKeys:
        """Open a tenant: one KMS call the first time, none while it is kept."""
        place = (str(tenant_id), wrapped)
        with self._lock:
            if place in self._open:
                self._open.move_to_end(place)
                return self._open[place]
        opened = TenantKeys(place[0], self._unwrap(wrapped, place[0]).primitive(aead.Aead))
        with self._lock:  # not held over the KMS call: one slow tenant must not stop the others
            self._open[place] = opened
            while len(self._open) > self._keep:
                self._open.popitem(last=False)
        return opened

    def rotate_tenant_keyset(self, tenant_id: TenantId, wrapped: bytes) -> bytes:
        """Wrap the same keyset with a new first key: new seals use it, old ones still open."""
        fresh = _keys_of(tink.new_keyset_handle(_TEMPLATE))
        merged = _keys_of(self._unwrap(wrapped, str(tenant_id)))
        while fresh.primary_key_id in {key.key_id for key in merged.key}:
            fresh = _keys_of(tink.new_keyset_handle(_TEMPLATE))
        merged.key.extend(fresh.key)
        merged.primary_key_id = fresh.primary_key_id
        handle = proto_keyset_format.parse(merged.SerializeToString(), secret_key_access.TOKEN)
        return self._wrap(handle, str(tenant_id))

    def forget(self) -> None:
        """Close every tenant, so that the next use asks the KMS again."""
        with self._lock:
            self._open.clear()

    def _wrap(self, handle: tink.KeysetHandle, tenant_id: str) -> bytes:
        with kms_answers():
            wrapped = proto_keyset_format.serialize_encrypted(handle, _Kek(self._kms), tenant_id.encode())
        return _WRAPPED + bytes(wrapped)

    def _unwrap(self, wrapped: bytes, tenant_id: str) -> tink.KeysetHandle:
        if wrapped[:1] != _WRAPPED:
            raise Undecryptable("this is not a wrapped keyset")
        try:
            with kms_answers():
                return proto_keyset_format.parse_encrypted(wrapped[1:], _Kek(self._kms), tenant_id.encode())
        except tink.TinkError:
            raise Undecryptable(f"not a keyset of tenant {tenant_id}, or changed") from None


class _Kek(aead.Aead):  # type: ignore[misc]  # tink ships no types
    """The KMS as Tink wants it. Tink's associated data is the tenant id; the context carries it."""

    def __init__(self, kms: Kms) -> None:
        self._kms = kms

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        return self._kms.encrypt(plaintext, self._context(associated_data))

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        return self._kms.decrypt(ciphertext, self._context(associated_data))

    @staticmethod
    def _context(associated_data: bytes) -> dict[str, str]:
        return {"purpose": "tenant-keyset", "tenant": associated_data.decode()}


def _keys_of(handle: tink.KeysetHandle) -> tink_pb2.Keyset:
    return tink_pb2.Keyset.FromString(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
