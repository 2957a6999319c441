"""Around the house: doctor's check of the public address: where it is https, its certificate is valid and stays so."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from troth.cli.doctor.finding import Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient

_SOON = timedelta(days=14)
_PATIENCE = 3.0  # seconds
_RENEW = "Renew the certificate of the proxy that answers there; until then browsers and mail clients refuse the pages."


def look(patient: Patient) -> Findings:
    url = urlsplit(patient.settings.public_url)
    if url.scheme != "https" or not url.hostname:
        return
    port = url.port or 443
    try:
        ends = _ends(url.hostname, port)
    except ssl.SSLCertVerificationError as bad:
        yield wrong(f"{url.hostname} shows a certificate that is not valid: {bad.verify_message}", _RENEW)
    except ssl.SSLError as bad:
        yield wrong(f"{url.hostname}:{port} does not speak TLS: {bad.reason or bad}", "Let a proxy answer it.")
    except OSError as trouble:
        yield unknown(f"{url.hostname}'s certificate: it cannot be reached from here ({trouble.strerror or trouble})",
                      "Look at it from outside.")  # fmt: skip
    else:
        left = ends - datetime.now(UTC)
        if left < _SOON:
            yield wrong(f"the certificate of {url.hostname} ends in {left.days} days", _RENEW)
        else:
            yield ok(f"the certificate of {url.hostname} is valid for {left.days} days more")


def _ends(host: str, port: int) -> datetime:
    context = ssl.create_default_context()
    with socket.create_connection((host, port), _PATIENCE) as plain:
        plain.settimeout(_PATIENCE)
        with context.wrap_socket(plain, server_hostname=host) as secure:
            found = secure.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)
