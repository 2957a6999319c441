"""The pages as people meet them: a real server over TLS on a test's own database, and people who can sign in."""

import base64
import hashlib
import json
import os
import re
import socket
import ssl
import time
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from uuid import UUID

import argon2
from tests.support import prefork
from tests.support.firm import Firm, Operator, make_firm, now
from tests.support.soft_key import SoftKey

from troth.cli.demo.tls import make_local_certificate
from troth.control.people import credentials, owners
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.mail.mailbox import parse_mailbox

PASSWORD = "correct horse battery staple"
_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
HASHED = f"argon2{_HASHER.hash(PASSWORD)}"


@dataclass(frozen=True)
class Somebody:
    """An account with PASSWORD. `tenant` None: staff. `key`: their passkey; without one they have a password alone."""

    account: UUID
    address: str
    name: str
    role: str
    tenant: UUID | None
    key: SoftKey | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Any
    url: str


@dataclass
class Visitor:
    """A browser without script, which keeps cookies and follows redirects."""

    url: str
    cookies: CookieJar = field(default_factory=CookieJar)
    last: str = ""

    def __post_init__(self) -> None:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        handlers = urllib.request.HTTPSHandler(context=trusting), urllib.request.HTTPCookieProcessor(self.cookies)
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path: str, token: bool = True, **fields: str) -> Answer:
        """With the token of the page that was looked at last."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.last)
        given = {**({"csrfmiddlewaretoken": found[1]} if token and found else {}), **fields}
        headers = {"Origin": self.url, "Referer": self.url + path}
        return self._ask(urllib.request.Request(self.url + path, urlencode(given).encode(), headers))

    def send(self, path: str, fields: dict[str, str], files: dict[str, tuple[str, bytes]]) -> Answer:
        """A form with files (multipart/form-data, RFC 7578); the token is among `fields`."""
        edge = f"edge{os.urandom(8).hex()}"
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                 for name, value in fields.items()]  # fmt: skip
        for field_name, (name, data) in files.items():
            head = f'Content-Disposition: form-data; name="{field_name}"; filename="{name}"\r\nContent-Type: text/csv'
            parts.append(f"--{edge}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
        headers = {
            "Origin": self.url,
            "Referer": self.url + path,
            "Content-Type": f"multipart/form-data; boundary={edge}",
        }
        return self._ask(urllib.request.Request(self.url + path, b"".join(parts) + f"--{edge}--\r\n".encode(), headers))

    def sign_in(self, who: Somebody, password: str = PASSWORD) -> Answer:
        """With both factors, where somebody has them."""
        self.get("/sign-in")
        answer = self.post("/sign-in", login=who.address, password=password)
        if who.key is None or not answer.url.endswith("/second-factor"):
            return answer
        return self.post("/second-factor", credential=self.shown(who.key))

    def shown(self, key: SoftKey, what: str = "show") -> str:
        """What a passkey answers to the challenge of now; the page that was looked at last stays the last."""
        page = self.last
        asked = json.loads(self.post("/passkey/options", what=what).text)
        self.last = page
        return key.shown(asked, self.url)

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=30) as got:
                answer = Answer(got.status, got.read().decode(errors="replace"), got.headers, got.url)
        except HTTPError as refused:
            answer = Answer(refused.code, refused.read().decode(errors="replace"), refused.headers, refused.url)
        self.last = answer.text
        return answer


@dataclass
class Site:
    """The running pages: `staff` is an owner of the operator, `member` an admin of `firm`, `outsider` of another."""

    url: str
    operator: Operator
    firm: Firm
    other: Firm
    staff: Somebody
    member: Somebody
    outsider: Somebody
    process: prefork.Server
    door: int
    folder: Path

    def system_tenant(self) -> UUID:
        """The firm's programme gets the operator's own tenant."""
        tenant = uuid7(now())
        keyset = base64.b64encode(self.operator.keyring.new_tenant_keyset(tenant)).decode()
        self.operator.govern("tenant", None, "system", {
            "programme": str(self.firm.programme), "name": "Troth", "kind": 2, "timezone": "Europe/London",
            "plan": "standard", "postal_address": "1 Pledge Street", "keyset": keyset}, tenant)  # fmt: skip
        return tenant

    def visitor(self, who: Somebody | None = None) -> Visitor:
        found = Visitor(self.url)
        if who is not None:
            assert found.sign_in(who).status == 200
        return found


def join(operator: Operator, mailbox: str, role: str, tenant: UUID | None = None, password: str = HASHED, *,
         second: bool = True) -> Somebody:  # fmt: skip
    """A person with an account, as `troth person add` and a second owner make it; with a password set by a link, and
    a passkey.
    """
    who, account = parse_mailbox(mailbox), uuid7(now())
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys, index = operator.keyring.tenant(OPERATOR, wrapped), operator.secrets.blind_index()
    made = owners.enrol(who, credentials.make_passphrase(), account, uuid7(now()), operator=keys, index=index)
    operator.govern("grant", tenant, f"account-{account.hex}", owners.grant_artefact(made, role), account)
    if password:
        secret = os.urandom(32)
        link = "SELECT password_link_v1(%s, %s, 'invitation')"
        operator.database.open("troth_signin").execute(link, (account, hashlib.sha256(secret).digest()))
        operator.control.execute("SELECT password_set_v1(%s, %s)", (secret, password))
    key = SoftKey(account) if second else None
    if key is not None:
        passkey(operator, account, key, "Laptop")
    return Somebody(account, who.address.addr_spec, who.name, role, tenant, key)


def passkey(operator: Operator, account: UUID, key: SoftKey, name: str) -> int:
    """An account's passkey, as the page keeps it; its number."""
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, wrapped)
    sealed = keys.seal(json.dumps(key.document(name)).encode(), places.factor(account, "webauthn"))
    made = operator.admin.execute(
        "INSERT INTO mfa_authenticator (user_id, type, data, created_at) VALUES (%s, 'webauthn', %s, now_v1()) RETURNING id",
        (account, json.dumps({"sealed": base64.b64encode(sealed).decode()})))  # fmt: skip
    return int(made.fetchone()[0])


def name_owners(operator: Operator) -> None:
    """The two of genesis get names that open."""
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, wrapped)
    owners_there = operator.admin.execute("SELECT id FROM account WHERE tenant_id IS NULL ORDER BY id").fetchall()
    for (account,), name in zip(owners_there, ("Emeka Lindqvist", "Wilhelmina Ó Súilleabháin"), strict=False):
        sealed = keys.seal(name.encode(), places.account(account, "name"))
        operator.database.fill("UPDATE account SET name_ct = %s WHERE id = %s", sealed, account)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(operator: Operator, folder: Path, *, firm: Firm | None = None, more: dict[str, str] | None = None) -> Site:
    """`troth serve pages` over TLS against the operator's database. `more`: of the environment."""
    port, door = free_port(), free_port()
    where = operator.database.conninfo("troth_control")
    certificate = make_local_certificate(folder / "tls", ["localhost", "127.0.0.1"])
    env = {
        **os.environ,
        "TROTH_DATABASE_URL_CONTROL": f"postgresql://troth_control@/{where['dbname']}?host={quote(where['host'], safe='')}",
        "TROTH_DATABASE_URL_SIGNIN": f"postgresql://troth_signin@/{where['dbname']}?host={quote(where['host'], safe='')}",
        "TROTH_MODE": "test",
        "TROTH_WEB_PORT": str(port),
        "TROTH_HTTP_PORT": str(door),
        "TROTH_PUBLIC_URL": f"https://localhost:{port}",
        "TROTH_VAR_DIR": str(folder),
        "TROTH_KEY_FILE": str(operator.kms_path),
        "TROTH_TLS_CERT_FILE": str(certificate.certificate),
        "TROTH_TLS_KEY_FILE": str(certificate.key),
        "TROTH_SIGN_ON_ALLOW": "127.0.0.0/8",
        **(more or {}),
    }
    firm = firm or make_firm(operator)
    name_owners(operator)
    other = make_firm(operator, "other", "retail")
    staff = join(operator, "Hildegard Nyström <hildegard@operator.test>", "owner")
    member = join(operator, "Marguerite Alder <marguerite@firm.test>", "admin", firm.tenant)
    outsider = join(operator, "Isadora Lantern <isadora@other.test>", "admin", other.tenant)
    process = prefork.serve(env, folder, folder / "pages.log")
    site = Site(f"https://localhost:{port}", operator, firm, other, staff, member, outsider, process, door, folder)
    try:
        _await(port, process)
    except BaseException:
        stop(site)
        raise
    return site


def stop(site: Site) -> None:
    site.process.terminate()
    site.process.wait(timeout=20)


def _await(port: int, process: prefork.Server) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("localhost", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the pages did not start")
