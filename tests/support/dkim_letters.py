"""Letters that a feedback loop signs, for tests: a provider's DKIM key, and its record for a DNS of the tests' own."""

import base64
import re

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SIGNED = ("from", "to", "subject", "content-type", "mime-version")


class Provider:
    """One that signs for `domain` with `selector`; `name` and `record` belong into the DNS."""

    def __init__(self, domain="provider.example", selector="fbl", bits=2048):
        self.domain, self.selector = domain, selector
        key = rsa.generate_private_key(65537, bits)
        self._pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.name = f"{selector}._domainkey.{domain}"
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"

    def sign(self, letter, *, signed=SIGNED, length=False, canonical=("relaxed", "relaxed"), edit=None):
        """The letter with CRLF and a signature above it. edit: what is changed of the fields before they are signed."""
        octets = re.sub(rb"\r?\n", b"\r\n", letter if isinstance(letter, bytes) else letter.encode())
        signer = dkim.DKIM(octets)
        if edit:
            plain = signer.gen_header
            signer.gen_header = lambda fields, *rest, **more: plain(edit(fields), *rest, **more)
        present = [n.encode() for n in signed if re.search(rf"(?im)^{n}:".encode(), octets)]
        line = signer.sign(
            self.selector.encode(), self.domain.encode(), self._pem, include_headers=present, length=length,
            canonicalize=tuple(c.encode() for c in canonical),
        )  # fmt: skip
        return line + octets
