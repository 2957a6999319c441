"""A SAML identity provider that is not ours: pysaml2 with Debian's xmlsec1, in the test's process or as pages over HTTP.

`SamlIdp.response` is what a sound provider answers. `forged` starts from the same, changes it, and signs it (or not) with
the provider's own key: a provider that is sloppy, or somebody who holds one good response.
"""

import base64
import html
import threading
import warnings
import zlib
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

with warnings.catch_warnings():  # pysaml2 names ciphers where cryptography had them before
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.config import IdPConfig
    from saml2.metadata import create_metadata_string
    from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
    from saml2.server import Server

NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
PASSWORD_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
MFA_CLASS = "https://refeds.org/profile/mfa"


def make_key(folder: Path, name: str, days: int = 365, bits: int = 2048) -> tuple[Path, Path]:
    """A key and its self-signed certificate, as PEM files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=400)
    built = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(start)
    certificate = built.not_valid_after(datetime.now(UTC) + timedelta(days=days)).sign(key, hashes.SHA256())
    key_file, certificate_file = folder / f"{name}.key", folder / f"{name}.pem"
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(*pem))
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


class SamlIdp:
    """`sp_metadata`: that of the client that it answers to. `base`: where its pages are."""

    def __init__(self, folder: Path, base: str = "https://idp.firm.test", name: str = "idp", days: int = 365) -> None:
        self.base, self.entity_id, self.sso = base, f"{base}/metadata", f"{base}/sso"
        self.key_file, self.certificate_file = make_key(folder, name, days)
        self.settings = {
            "entityid": self.entity_id,
            "key_file": str(self.key_file),
            "cert_file": str(self.certificate_file),
            "xmlsec_binary": "/usr/bin/xmlsec1",
            "signing_algorithm": RSA_SHA256,
            "digest_algorithm": SHA256,
            "service": {
                "idp": {
                    "endpoints": {"single_sign_on_service": [(self.sso, BINDING_HTTP_REDIRECT)]},
                    "policy": {
                        "default": {
                            "lifetime": {"minutes": 15},
                            "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
                        }
                    },
                    "want_authn_requests_signed": False,
                }
            },
        }
        self.server: Server | None = None

    @property
    def metadata(self) -> str:
        made = create_metadata_string(None, config=IdPConfig().load(deepcopy(self.settings)))
        return made.decode() if isinstance(made, bytes) else made

    @property
    def certificate(self) -> str:
        lines = self.certificate_file.read_text().splitlines()
        return "".join(line for line in lines if "CERTIFICATE" not in line)

    def knows(self, sp_metadata: str) -> "SamlIdp":
        self.server = Server(
            config=IdPConfig().load({**deepcopy(self.settings), "metadata": {"inline": [sp_metadata]}})
        )
        return self

    def asked(self, url: str):
        """A request as our redirect carries it, checked by pysaml2."""
        packed = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
        return self.server.parse_authn_request(packed, BINDING_HTTP_REDIRECT).message

    def response(
        self, request_url: str, address: str, name: str = "Marguerite Alder", *, way: str = PASSWORD_CLASS, sign=True
    ) -> str:
        """XML: what this provider answers; `sign` False: without any signature."""
        request = self.asked(request_url)
        made = self.server.create_authn_response(
            {"mail": address, "displayName": name},
            in_response_to=request.id,
            destination=request.assertion_consumer_service_url,
            sp_entity_id=request.issuer.text,
            name_id=NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=address),
            authn={"class_ref": way},
            sign_assertion=sign,
            sign_response=sign,
            sign_alg=RSA_SHA256,
            digest_alg=SHA256,
        )
        return str(made)

    def forged(
        self, request_url: str, address: str, change=None, *, sign=("assertion",), algorithms=None, **more
    ) -> str:
        """The same, changed before it is signed. `sign`: elements, inner first; `algorithms`: (signature, digest)."""
        root = etree.fromstring(self.response(request_url, address, sign=False, **more).encode())
        changed = change(root) if change is not None else None
        root = root if changed is None else changed
        for what in sign:
            self.sign(root if what == "response" else assertion_of(root), algorithms)
        return etree.tostring(root).decode()

    def sign(self, node, algorithms=None) -> None:
        """With this provider's key, enveloped, as XML Signature has it; by libxmlsec, not by what checks it."""
        how, digest = algorithms or (xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256)
        signature = xmlsec.template.create(node, xmlsec.Transform.EXCL_C14N, how, ns="ds")
        issuer = node.find("saml:Issuer", NS)
        issuer.addnext(signature)
        reference = xmlsec.template.add_reference(signature, digest, uri=f"#{node.get('ID')}")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.tree.add_ids(node, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(str(self.key_file), xmlsec.constants.KeyDataFormatPem)
        context.sign(signature)


def assertion_of(root):
    return root.find("saml:Assertion", NS)


def request_id(url: str) -> str:
    packed = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15)).get("ID")


def encoded(response: str) -> str:
    return base64.b64encode(response.encode()).decode()


class SamlPages:
    """The provider as a person meets it: a page that asks who they are, then a form that carries the answer back."""

    def __init__(self, folder: Path) -> None:
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pages.last = f"{pages.idp.base}{self.path}"
                pages.idp.asked(pages.last)
                where = html.escape(self.path)
                self._say(
                    "<!DOCTYPE html><html lang=en><title>Firm directory</title><h1>Firm directory</h1>"
                    f"<form method=post action='{where}'><label>Account <input name=address></label>"
                    "<button>Sign in</button></form></html>"
                )

            def do_POST(self) -> None:
                given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                url = f"{pages.idp.base}{self.path}"
                answer = pages.idp.response(url, given["address"][0])
                sent = pages.idp.server.apply_binding(
                    BINDING_HTTP_POST, answer, pages.idp.asked(url).assertion_consumer_service_url, "", response=True
                )
                self._say(sent["data"])

            def _say(self, page: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_args) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.idp = SamlIdp(folder, f"http://127.0.0.1:{self.http.server_port}")
        self.last = ""
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
