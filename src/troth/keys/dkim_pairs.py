"""Keys of sending domains: a DKIM key pair is made and its private part sealed in one go, so that it is never in the
clear outside this function.
"""

from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from troth.keys import places
from troth.keys.keyring import TenantKeys

BITS = 2048


@dataclass(frozen=True, slots=True)
class Pair:
    """`private_ct` is sealed under the client's keyset; `public_der`: SubjectPublicKeyInfo."""

    selector: str
    private_ct: bytes
    public_der: bytes
    bits: int


def make_pair(keys: TenantKeys, domain: UUID, selector: str, bits: int = BITS) -> Pair:
    """Takes some tenths of a second."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Pair(selector, keys.seal(pem, places.dkim(domain, selector)), public, bits)
