"""The demo's certificate authority: one CA and one certificate, so that TLS is verified even on loopback.

The CA's private key is never written down: who can read the folder can serve, and nobody can sign anything
more.
"""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

LIFE = timedelta(days=397)
RENEW = timedelta(days=7)  # a certificate with less life left than this is made anew


class LocalCertificate(NamedTuple):
    """Three PEM files: whom to believe, what to show, and the key (0600)."""

    ca: Path
    certificate: Path
    key: Path


def make_local_certificate(
    folder: Path, names: "Sequence[str]", *, life: timedelta = LIFE, now: datetime | None = None
) -> LocalCertificate:
    """Make CA and certificate for these host names and addresses, or keep those that still serve."""
    moment = now or datetime.now(UTC)
    paths = LocalCertificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if not _serves(paths, names, moment):
        folder.mkdir(parents=True, exist_ok=True)
        _make(paths, names, moment, life)
    return paths


def _serves(paths: LocalCertificate, names: "Sequence[str]", now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(paths.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(paths.ca.read_bytes())
        certificate.verify_directly_issued_by(authority)
        key = serialization.load_pem_private_key(paths.key.read_bytes(), None)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        list(known) == [_general(name) for name in names]
        and certificate.not_valid_after_utc - now > RENEW
        and key.public_key() == certificate.public_key()
    )


def _make(paths: LocalCertificate, names: "Sequence[str]", now: datetime, life: timedelta) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now, life)
    server = _server(server_key, authority_key, authority, names, now, life)
    _write(paths.ca, authority.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(paths.certificate, server.public_bytes(serialization.Encoding.PEM), 0o644)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write(paths.key, server_key.private_bytes(*pem), 0o600)


def _base(
    subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta) -> x509.Certificate:
    name = "Troth demo CA"
    builder = _base(name, _name(name), key.public_key(), now, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256())


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    names: "Sequence[str]",
    now: datetime,
    life: timedelta,
) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _base(names[0], authority.subject, key.public_key(), now, life)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(issuer, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace the file in one step; it never exists with a wider mode."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    beside.replace(path)
