"""Support for tests of a relay's webhooks: Mailgun's signing, and an SNS of our own: its certificate, its HTTPS server,
its messages, signed as Amazon signs them.
"""

import base64
import hmac
import json
import secrets
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from troth.cli.demo.tls import make_local_certificate

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
KEY = "key-1f2e3d4c5b6a79881f2e3d4c5b6a7988"
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def mailgun(event: dict[str, Any], *, key: str = KEY, at: float | None = None, token: str | None = None) -> bytes:
    """A webhook of today, signed. at: seconds since 1970."""
    return json.dumps({"signature": mailgun_signature(key, at, token), "event-data": event}).encode()


def mailgun_signature(key: str = KEY, at: float | None = None, token: str | None = None) -> dict[str, str]:
    timestamp, token = str(int(time.time() if at is None else at)), token or secrets.token_hex(25)
    made = hmac.digest(key.encode(), (timestamp + token).encode(), "sha256").hex()
    return {"timestamp": timestamp, "token": token, "signature": made}


def certificate(name: str = "sns.amazonaws.com", key: Any = _RSA, *, ended: bool = False, plain: bool = False) -> bytes:
    """PEM of what signs SNS's messages. ended: not in force any more; plain: the name is the common name alone."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    ends = now - timedelta(days=1) if ended else now + timedelta(days=30)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=30)).not_valid_after(ends)
    if not plain:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


EC_KEY = ec.generate_private_key(ec.SECP256R1())


class OwnSns:
    """`pems` by path; `asked`: every path and query that was asked for."""

    def __init__(self, folder: Path) -> None:
        self.pems = {"/SimpleNotificationService-abc.pem": certificate()}
        self.asked: list[str] = []
        self.answers = 200
        pair = make_local_certificate(folder, ["localhost", "127.0.0.1"])
        self.ca = pair.ca
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.origin = f"https://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sns = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sns.asked.append(self.path)
                found = sns.pems.get(self.path) if ".pem" in self.path else b"<ConfirmSubscriptionResponse/>"
                self.send_response(sns.answers if found is not None else 404)
                self.send_header("Content-Length", str(len(found or b"")))
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        return Handler

    def message(self, told: object, *, kind: str = "Notification", at: datetime | None = None, **more: str) -> bytes:
        """A POST's body. told: what SES says; more: fields to be added or put in place of others, before signing."""
        fields = {
            "Type": kind, "MessageId": str(uuid4()), "TopicArn": TOPIC,
            "Message": told if isinstance(told, str) else json.dumps(told) + "\n",
            "Timestamp": (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": "2", "SigningCertURL": f"{self.origin}/SimpleNotificationService-abc.pem",
        }  # fmt: skip
        if kind != "Notification":
            fields["Token"] = secrets.token_hex(20)
            fields["SubscribeURL"] = f"{self.origin}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"
        fields |= more
        return json.dumps({"Signature": self.sign(fields), **fields}).encode()

    def sign(self, fields: dict[str, str], key: rsa.RSAPrivateKey = _RSA) -> str:
        """As Amazon's documentation says, written out by hand here."""
        if fields["Type"] == "Notification":
            names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        else:
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        signed = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
        algorithm = hashes.SHA1() if fields["SignatureVersion"] == "1" else hashes.SHA256()
        return base64.b64encode(key.sign(signed.encode(), padding.PKCS1v15(), algorithm)).decode()
