"""The world's web servers: the real pages and the real door on a clone of the world's database, each behind a proxy on
this machine whose manners a test may spoil: as an ill-set proxy in front of an installation would.
"""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from tests.support.pages import free_port
from tests.support.postgres import Database

from troth.cli.demo.tls import make_local_certificate
from troth.control.trust.web_probe import Place


@dataclass
class Proxy:
    """`manner`: what it does to answers; empty: nothing."""

    port: int
    tls: bool
    manner: str = ""
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._pass()

            def do_POST(self):
                self._pass()

            def _pass(self):
                status, headers, body = proxy.behind(self.command, self.path, self.headers)
                if proxy.manner == "takes forms" and self.command == "POST":
                    status = 200
                self.send_response(status)
                for name, value in headers:
                    if (changed := proxy.spoilt(name, value)) is not None:
                        self.send_header(name, changed)
                body = proxy.said(self.path, body)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def place(self) -> Place:
        return Place("127.0.0.1", self.server.server_port, tls=False, public=f"localhost:{self.port}")

    def behind(self, method, path, headers):
        context = ssl._create_unverified_context()
        there = (
            http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)
            if self.tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        )
        kept = {name: value for name, value in headers.items() if name.lower() not in ("content-length", "connection")}
        try:
            there.request(method, path, b"login=a&password=b" if method == "POST" else None, kept)
            got = there.getresponse()
            body = got.read()
        finally:
            there.close()
        dropped = ("content-length", "transfer-encoding", "connection", "date", "server")
        return got.status, [(name, value) for name, value in got.getheaders() if name.lower() not in dropped], body

    def said(self, path, body):
        """The body; "says <path> <words>": with words more before its end; "changes <path> <one> -> <other>"."""
        verb, _, rest = self.manner.partition(" ")
        where, _, words = rest.partition(" ")
        if verb not in ("says", "changes") or where not in (path, path.split("?")[0]):
            return body
        if verb == "says":
            return body.replace(b"</main>", words.encode() + b"</main>")
        one, _, other = words.partition(" -> ")
        assert one.encode() in body, f"{where} does not say {one}"
        return body.replace(one.encode(), other.encode())

    def spoilt(self, name, value):
        low = name.lower()
        if self.manner == f"drops {low}":
            return None
        if self.manner == "loosens the policy" and low == "content-security-policy":
            return value.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
        if self.manner == "opens cookies" and low == "set-cookie":
            return value.replace("HttpOnly", "").replace("httponly", "")
        return value

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Served:
    """Both, and the processes behind them."""

    pages: Proxy
    door: Proxy
    processes: list["subprocess.Popen[bytes]"]

    def behave(self, manner: str = "") -> None:
        self.pages.manner = self.door.manner = manner

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)
        self.pages.stop()
        self.door.stop()


def serve(database: Database, key: Path, folder: Path) -> Served:
    folder.mkdir()
    folder.chmod(0o755)
    port, door = free_port(), free_port()
    certificate = make_local_certificate(folder / "tls", ["localhost", "127.0.0.1"])
    where = database.conninfo()
    urls = {
        f"TROTH_DATABASE_URL_{role.upper()}": f"postgresql://troth_{role}@/{database.name}?host={quote(where['host'], safe='')}"
        for role in ("control", "signin", "flow")
    }
    env = {
        **os.environ, **urls, "TROTH_MODE": "test", "TROTH_WEB_PORT": str(port), "TROTH_HTTP_PORT": str(door),
        "TROTH_PUBLIC_URL": f"https://localhost:{port}", "TROTH_VAR_DIR": str(folder), "TROTH_KEY_FILE": str(key),
        "TROTH_TLS_CERT_FILE": str(certificate.certificate), "TROTH_TLS_KEY_FILE": str(certificate.key),
    }  # fmt: skip
    processes = []
    for what in ("pages", "door"):
        argv = [sys.executable, "-m", "troth.cli", "serve", what]
        with (folder / f"{what}.log").open("wb") as log:
            processes.append(subprocess.Popen(argv, env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT))
    for one in (port, door):
        _await(one, processes)
    return Served(Proxy(port, tls=True), Proxy(door, tls=False), processes)


def _await(port: int, processes) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and all(each.poll() is None for each in processes):
        try:
            socket.create_connection(("localhost", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("a server of the world did not start")
