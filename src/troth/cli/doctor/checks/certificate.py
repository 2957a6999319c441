"""Around the house: doctor's check of the public address: where it is https, its certificate is valid and stays so."""

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from troth.cli.doctor.finding import Finding, Findings, State, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.settings import Settings

_SOON = timedelta(days=14)
_PATIENCE = 3.0  # seconds
_RENEW = "Renew the certificate; browsers refuse the pages without."


def look(patient: Patient) -> Findings:
    yield from _own_files(patient.settings)
    url = urlsplit(patient.settings.public_url)
    if url.scheme != "https" or not url.hostname:
        return
    try:
        ends = _ends(url.hostname, url.port or 443, patient.settings)
    except ssl.SSLCertVerificationError as bad:
        yield wrong(f"{url.hostname} shows a certificate that is not valid: {bad.verify_message}", _RENEW)
    except ssl.SSLError as bad:
        yield wrong(f"{url.netloc} does not speak TLS: {bad.reason or bad}", "Let a server with TLS answer there.")
    except OSError as trouble:
        said = trouble.strerror or str(trouble)
        yield unknown(f"{url.hostname}'s certificate: it cannot be reached from here ({said})", "Look from outside.")
    else:
        yield _judge(f"the certificate of {url.hostname}", ends)


def _judge(whose: str, ends: datetime) -> Finding:
    left = ends - datetime.now(UTC)
    if left < timedelta(0):
        return wrong(f"{whose} ended on {ends:%Y-%m-%d}", _RENEW)
    if left < _SOON:
        return wrong(f"{whose} ends in {left.days} days", _RENEW)
    return ok(f"{whose} is valid for {left.days} days more")


def _own_files(settings: Settings) -> Findings:
    """The files that our own pages serve TLS with."""
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if not certificate or not key:
        return
    try:
        if (mode := stat.S_IMODE(key.stat().st_mode)) & 0o077:
            yield wrong(f"{key} is open to others (mode {mode:04o})", f"`chmod 600 {key}`, and have a new one made.")
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as bad:  # ssl.SSLError is an OSError
        said = getattr(bad, "reason", None) or getattr(bad, "strerror", None) or type(bad).__name__
        yield wrong(f"{certificate} and {key} cannot be used: {said}", "Set tls_cert_file and tls_key_file to a pair.")
        return
    if (finding := _judge(str(certificate), ends)).state is not State.OK:
        yield finding


def _ends(host: str, port: int, settings: Settings) -> datetime:
    context = ssl.create_default_context()
    if settings.mode != "production" and settings.tls_cert_file and settings.tls_cert_file.exists():
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a demo's certificate stands for itself
        context.load_verify_locations(settings.tls_cert_file)
    with socket.create_connection((host, port), _PATIENCE) as plain:
        plain.settimeout(_PATIENCE)
        with context.wrap_socket(plain, server_hostname=host) as secure:
            found = secure.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)
