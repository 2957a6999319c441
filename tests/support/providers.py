"""Support: Google and Microsoft played on this machine: OAuth's token, Postmaster Tools v2, SNDS's CSV, over TLS."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from troth.cli.demo.tls import make_local_certificate

ACTIVITY = (
    "192.0.2.10,11/20/2026 7:00 AM,11/21/2026 1:00 AM,950,940,930,GREEN,< 0.1%,,,0,mail.acme.example,,\r\n"
    '192.0.2.11,11/20/2026 7:00 AM,11/21/2026 1:00 AM,400,390,380,RED,2.5%,11/20/2026 8:00 AM,11/20/2026 9:00 AM,3,h,m,"Trap, hit"\r\n'
)
STATUS = "192.0.2.10,192.0.2.10,No,Appears normal\r\n192.0.2.11,192.0.2.12,Yes,Blocked due to user complaints\r\n"


class Providers:
    """`told`: metric -> number for each day asked about. `wrong`: path's beginning -> status. `asked`: what came."""

    def __init__(self, folder: Path) -> None:
        self.told: dict[str, float] = {"spam_rate": 0.0004, "spf_rate": 1, "dkim_rate": 0.999, "error_rate": 0.01}
        self.wrong: dict[str, int] = {}
        self.domains = ["mail.acme.example", "Mail.Other.example"]
        self.page = 3  # values an answer
        self.files = {"/snds/data.aspx": ACTIVITY, "/snds/ipStatus.aspx": STATUS}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.body: bytes | None = None
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
        providers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body: bytes) -> None:
                providers.asked.append((self.command, self.path, dict(self.headers.items()), body))
                status, text = providers.answer(self.path, self.headers.get("Authorization", ""), body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        return Handler

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, bytes]:
        for begins, status in self.wrong.items():
            if path.startswith(begins):
                return status, json.dumps({"error": {"code": status, "status": "PERMISSION_DENIED"}}).encode()
        if self.body is not None:
            return 200, self.body
        place = urlsplit(path)
        if place.path == "/token":
            return 200, json.dumps({"access_token": "an-access-token", "expires_in": 3599}).encode()
        if place.path in self.files:
            return 200, self.files[place.path].encode()
        if token != "Bearer an-access-token":
            return 401, json.dumps({"error": {"status": "UNAUTHENTICATED"}}).encode()
        query = parse_qs(place.query)
        return 200, json.dumps(self._listed(query) if place.path == "/v2/domains" else self._stats(body)).encode()

    def _listed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """One domain a page."""
        at = int(query.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(self.domains) else {}
        return {"domains": [{"name": f"domains/{name}"} for name in self.domains[at : at + 1]], **more}

    def _stats(self, body: bytes) -> dict[str, Any]:
        asked = json.loads(body)
        day = asked["timeQuery"]["dateRanges"]["dateRanges"][0]["end"]
        names = [each["name"] for each in asked["metricDefinitions"] if each["name"] in self.told]
        at = int(asked.get("pageToken", "0"))
        found = [{"name": f"domains/x/domainStats/{n}", "metric": n, "date": day, "value": {"doubleValue": self.told[n]}}
                 for n in names[at : at + self.page]]  # fmt: skip
        return {"domainStats": found, **({"nextPageToken": str(at + self.page)} if at + self.page < len(names) else {})}
