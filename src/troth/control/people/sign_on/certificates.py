"""Signing on: the certificates with which a SAML provider signs: which are strong enough, and what to call them."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_LEAST_BITS = 2048


class BadCertificate(ValueError):  # noqa: N818 - reads as the answer it is
    """The sentence says what to ask the provider for."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`der` in base64, on one line. `fingerprint`: SHA-256, in pairs of hex digits."""

    der: str
    subject: str
    fingerprint: str
    until: datetime


def read(text: str) -> Certificate:
    """Out of metadata, whose base64 may be wrapped; raise BadCertificate."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
        found = x509.load_der_x509_certificate(der)
        key = found.public_key()
    except (binascii.Error, ValueError):
        raise BadCertificate("What stands there is not a certificate.") from None
    strong = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_BITS
    )
    if not strong:
        raise BadCertificate("The certificate's key is too weak: ask for RSA with 2048 bits or more, or for ECDSA.")
    print_ = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate(
        base64.b64encode(der).decode(), found.subject.rfc4514_string(), print_, found.not_valid_after_utc
    )
