"""Before anything is sent: a sending domain's DKIM key, and the DNS records that its firm publishes.

The private key never leaves this function in the clear: it is sealed under the client's keyset.
"""

import base64
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection, within
from troth.keys import places
from troth.keys.keyring import TenantKeys

BITS = 2048
_INSERT = """
INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)
VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, now_v1())
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One TXT record to publish."""

    name: str
    text: str
    why: str


def add_key(
    connection: Connection, keys: TenantKeys, *, tenant: UUID, domain: UUID, selector: str, bits: int = BITS
) -> bytes:
    """Make and keep an RSA key for a domain's selector; gives its public part (SubjectPublicKeyInfo, DER)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    sealed = keys.seal(pem, places.dkim(domain, selector))
    with refusals(), within(connection, tenant):
        connection.execute(_INSERT, (tenant, domain, selector, bits, sealed, public))
    return public


def records(name: str, selector: str, public_der: bytes, spf_mechanism: str) -> list[Record]:
    """What must stand in the DNS before the domain sends."""
    key = base64.b64encode(public_der).decode()
    return [
        Record(name, f"v=spf1 {spf_mechanism} -all", "who may send; add the mechanism to a record that is there"),
        Record(f"{selector}._domainkey.{name}", f"v=DKIM1; k=rsa; p={key}", "the key that signs"),
        Record(f"_dmarc.{name}", "v=DMARC1; p=reject", "what becomes of mail that is not signed"),
    ]
