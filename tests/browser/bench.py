"""A bench for the parts of pages: one page with all of them, and our files, served with the pages' own policy."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template import Context, Engine

from troth.control.settings import _CSP
from troth.control.web import assets
from troth.control.web.menu import menu

_TAGS = "troth.control.web.templatetags"
ENGINE = Engine(
    dirs=[f"src/troth/control/{room}/templates" for room in ("web", "people")],
    builtins=[f"{_TAGS}.look", f"{_TAGS}.form"],
)
POLICY = "; ".join(f"{name} {' '.join(values)}" for name, values in _CSP.items())
SOMEBODY = SimpleNamespace(
    name="Ines Falk", role="approver", tenant_name="Quillbrook Property", tenant_id=UUID(int=1), scope=UUID(int=1),
    staff=False, profile="property", named=True, zone=ZoneInfo("Europe/London"),
)  # fmt: skip


def page(source: str, **context: object) -> bytes:
    """A template's text, in the shell of every page."""
    given = {"actor": SOMEBODY, "menu": menu(SOMEBODY), "waiting": 3, "csrf_token": "token", **context}
    return ENGINE.from_string(source).render(Context(given, use_l10n=False)).encode()


class Bench:
    """`pages`: path to bytes. `posted`: the bodies of forms, in order."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages, self.posted = pages, []
        bench = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/static/")
                file = next((each for each in assets.assets().values() if each.name == name), None)
                body = file.content if file else bench.pages.get(self.path.partition("?")[0])
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", file.content_type if file else "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", POLICY)
                self.end_headers()
                self.wfile.write(body or b"")

            def do_POST(self) -> None:
                bench.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
