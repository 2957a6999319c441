"""OpenID providers that are not ours: PyPI's oidc-provider-mock and npm's strict oidc-provider, as processes of their own;
and one that lies as it is told, for what no honest provider answers.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

NODE = Path(__file__).parents[1] / "node"
CLIENT, SECRET = "troth: the client", "a secret with + and %"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Process:
    """A provider in a process of its own, until `stop`."""

    def __init__(self, command: list[str], port: int, **options) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=2).close()
                return
            except OSError:
                assert self.process.poll() is None, "the provider ended"
                assert time.monotonic() < end, "the provider did not start"
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def mock_provider(users: list[dict[str, object]]) -> Process:
    """PyPI's; it wants a nonce."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "-p", str(port), "-n", "true"]
    for user in users:
        command += ["--user-claims", json.dumps(user)]
    return Process(command, port)


def node_provider(redirect: str, users: dict[str, dict[str, object]], method: str = "client_secret_basic") -> Process:
    """npm's, which wants PKCE, a registered client and an exact redirect address."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("not run: needs node and npm")
    if not (NODE / "node_modules" / "oidc-provider").is_dir():
        command = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True)
    port = free_port()
    given = {"client": CLIENT, "secret": SECRET, "redirect": redirect, "users": users, "method": method}
    return Process([shutil.which("node"), "oidc.mjs", str(port), json.dumps(given)], port, cwd=NODE)


class Elsewhere:
    """A browser at the provider's, which fills in its forms and stops where it is sent back to us."""

    def __init__(self, ours: str) -> None:
        self.ours = ours
        stop = _Stop(ours)
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), stop)

    def sign_in(self, url: str, **typed: str) -> str:
        """The address of ours at which it ends, after at most six forms, each sent with what is typed."""
        for _ in range(6):
            where, page = self._open(url)
            if where.startswith(self.ours):
                return where
            found = re.search(r"<form[^>]*action=\"?([^\" >]*)", page)
            action = urljoin(where, found[1].replace("&amp;", "&")) if found else where
            hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
            fields = {**dict(hidden), **{name: value for name, value in typed.items() if f'name="{name}"' in page}}
            where, page = self._open(action, urlencode(fields).encode())
            if where.startswith(self.ours):
                return where
            url = where
        raise AssertionError(f"the provider did not lead back to us: {page[:500]}")

    def _open(self, url: str, body: bytes | None = None) -> tuple[str, str]:
        try:
            with self._opener.open(urllib.request.Request(url, body), timeout=20) as got:
                return got.url, got.read().decode()
        except HTTPError as stopped:
            return stopped.headers.get("Location", stopped.url), stopped.read().decode(errors="replace")


class _Stop(urllib.request.HTTPRedirectHandler):
    def __init__(self, ours: str) -> None:
        self.ours = ours

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None if newurl.startswith(self.ours) else super().redirect_request(req, fp, code, msg, headers, newurl)


class Liar:
    """Answers as it is told: `claims` and `header` go into the ID token, `key` signs it; `userinfo`, `jwks`, `discovery`
    and `token` replace what they are named for. It checks nothing but PKCE, and keeps what it was asked.
    """

    def __init__(self) -> None:
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar.asked.append((self.command, self.path, dict(self.headers), {}))
                path = urlsplit(self.path).path
                self._say(*liar.answer(path))

            def do_POST(self) -> None:
                given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                form = {name: values[0] for name, values in given.items()}
                liar.asked.append((self.command, self.path, dict(self.headers), form))
                self._say(*liar.tokens(form))

            def _say(self, status, headers, body) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_args) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.http.server_port}"
        self.reset()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def reset(self) -> None:
        self.asked = []
        self.claims, self.header, self.key, self.algorithm = {}, {"kid": "one"}, KEY, "RS256"
        self.userinfo, self.jwks, self.discovery, self.token = None, None, {}, None
        self.pages = {}
        self.challenge, self.nonce = "", ""

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def answer(self, path):
        if path in self.pages:
            return self.pages[path]
        if path == "/.well-known/openid-configuration":
            return 200, {}, {**self.described, **self.discovery}
        if path == "/jwks":
            return 200, {}, self.jwks if self.jwks is not None else {"keys": [public(KEY, "one")]}
        if path == "/userinfo":
            return 200, {}, self.userinfo or {}
        return 404, {}, {}

    @property
    def described(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        }

    def tokens(self, form):
        if self.token is not None:
            return self.token
        verifier = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        if verifier != self.challenge:
            return 400, {}, {"error": "invalid_grant"}
        return 200, {}, {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()}

    def begun(self, url: str) -> str:
        """What our request asked for; the state of it."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.challenge, self.nonce = asked["code_challenge"], asked["nonce"]
        return asked["state"]

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "marguerite",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": "marguerite@firm.test",
            "email_verified": True,
            "name": "Marguerite Alder",
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self.key, algorithm=self.algorithm, headers=self.header)


def public(key, kid: str) -> dict[str, object]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "RS256"}
