"""A passkey in software: what a browser and its authenticator answer (WebAuthn level 3), made without either."""

import base64
import hashlib
import json
import os
import struct
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestedCredentialData

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets(given: str) -> bytes:
    return base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))


class SoftKey:
    """One passkey of one account, for one site. `flags` and `count` are what the authenticator would say."""

    def __init__(self, account: UUID, site: str = "localhost") -> None:
        self.account, self.site = account, site
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.flags, self.count, self.algorithm = PRESENT | VERIFIED, 0, ES256.ALGORITHM

    def credential(self) -> AttestedCredentialData:
        public = ES256.from_cryptography_key(self.private.public_key())
        public[3] = self.algorithm
        return AttestedCredentialData.create(Aaguid.NONE, self.id, public)

    def document(self, name: str) -> dict[str, Any]:
        """As people/factors keeps it."""
        kept = base64.b64encode(self.credential()).decode()
        return {"name": name, "credential": kept, "transports": [], "count": 0, "synced": False}

    def made(self, asked: dict[str, Any], origin: str) -> str:
        """The answer to navigator.credentials.create."""
        from fido2 import cbor

        data = self._data(ATTESTED) + self.credential()
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked, origin)
        return self._answer({"clientDataJSON": text(client), "attestationObject": text(attestation), "transports": []})

    def shown(self, asked: dict[str, Any], origin: str) -> str:
        """The answer to navigator.credentials.get."""
        client, data = self._client("webauthn.get", asked, origin), self._data()
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({
            "clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature),
            "userHandle": text(self.account.bytes)})  # fmt: skip

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.site.encode()).digest() + struct.pack(">BI", self.flags | more, self.count)

    def _client(self, kind: str, asked: dict[str, Any], origin: str) -> bytes:
        said = {"type": kind, "challenge": asked["publicKey"]["challenge"], "origin": origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key",
                           "clientExtensionResults": {}, "response": response})  # fmt: skip
