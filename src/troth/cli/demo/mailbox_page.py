"""The demo mailbox's page: what came, newest first, each message, its HTML in a frame that can do nothing.

Reads the Maildir and its log only. Pages carry a content security policy without any `unsafe-`; the frame's
own policy lets a mail's inline styles paint and nothing else: no script, no form, no fetch, an origin of
its own (`sandbox`).
"""

import asyncio
import contextlib
import email
import email.policy
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import minijinja
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from email.message import EmailMessage

    from starlette.requests import Request

    from troth.cli.demo.mailbox_store import Entry, MailStore

PAGE = 25
FILES = Path(__file__).with_name("mailbox_files")
SHOWN = 256 * 1024  # characters of a text part that the page shows
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    at: str
    rcpt: str
    subject: str
    reply: str
    file: str | None
    tone: str


def application(store: "MailStore") -> Starlette:
    """The page as an ASGI application."""
    pages = _Pages(store)
    return Starlette(
        routes=[
            Route("/", pages.listing),
            Route("/message/{name}", pages.message),
            Route("/message/{name}/html", pages.body),
            Route("/message/{name}/raw", pages.raw),
            Route("/mailbox.css", _style),
            Route("/icon.svg", _icon),
        ]
    )


class _Pages:
    """What needs the store: the list, a message, its HTML for the frame, its source."""

    def __init__(self, store: "MailStore") -> None:
        self._store = store
        self._render = minijinja.Environment(
            loader=lambda name: (FILES / name).read_text("utf-8"), auto_escape_callback=lambda _name: True
        ).render_template

    async def listing(self, request: "Request") -> Response:
        wanted = request.query_params.get("q", "").strip()[:320]
        number = _number(request.query_params.get("page"))
        found = _search(self._store.entries(), wanted)
        start = (number - 1) * PAGE
        rows = [_row(self._store, entry) for entry in found[start : start + PAGE]]
        last = max(1, -(-len(found) // PAGE))
        spot = {"first": start + 1, "end": start + len(rows), "total": len(found), "page": number, "last": last}
        return _html(self._render("list.html", rows=rows, q=wanted, **spot))

    async def message(self, request: "Request") -> Response:
        name = request.path_params["name"]
        content = self._store.read(name)
        if content is None:
            return _html(self._render("missing.html", name=name), 404)
        entries = [entry for entry in self._store.entries() if entry.file == name]
        return _html(self._render("message.html", name=name, entries=entries, **_shown(_parse(content), content)))

    async def body(self, request: "Request") -> Response:
        content = self._store.read(request.path_params["name"])
        part = _part(_parse(content), "html") if content is not None else None
        if part is None:
            return PlainTextResponse("This message has no HTML part.", 404, _headers(MAIL_POLICY))
        return HTMLResponse(part, 200, _headers(MAIL_POLICY))

    async def raw(self, request: "Request") -> Response:
        content = self._store.read(request.path_params["name"])
        if content is None:
            return PlainTextResponse("There is no such message.", 404, _headers(POLICY))
        return Response(content, 200, _headers(POLICY), "text/plain; charset=utf-8")


@contextlib.asynccontextmanager
async def serve_page(store: "MailStore", host: str = "127.0.0.1", port: int = 0) -> "AsyncIterator[int]":
    """Serve the page in the running loop; gives the port."""
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    options = {"log_level": "warning", "lifespan": "off", "timeout_graceful_shutdown": 2}
    server = _Server(uvicorn.Config(application(store), **options))  # type: ignore[arg-type]  # a dict of both
    task = asyncio.create_task(server.serve([listener]))
    try:
        await server.listening.wait()
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn without hands on the process's signals: they belong to who started us."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> "Generator[None]":
        yield


async def _style(_request: "Request") -> Response:
    return Response((FILES / "mailbox.css").read_bytes(), 200, _headers(POLICY), "text/css; charset=utf-8")


async def _icon(_request: "Request") -> Response:
    return Response((FILES / "icon.svg").read_bytes(), 200, _headers(POLICY), "image/svg+xml")


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page, status, _headers(POLICY))


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _number(text: str | None) -> int:
    return min(max(1, int(text)), 1_000_000) if text and text.isascii() and text.isdigit() and len(text) < 8 else 1


def _search(entries: "list[Entry]", wanted: str) -> "list[Entry]":
    """Newest first; a part of the recipient's address is enough."""
    needle = wanted.casefold()
    return [entry for entry in reversed(entries) if needle in entry.rcpt.casefold()]


def _row(store: "MailStore", entry: "Entry") -> Row:
    reply = entry.reply or "no answer: the connection was dropped after the message"
    tone = "kept" if reply.startswith("2") else "waiting" if reply.startswith("4") or not entry.reply else "broken"
    return Row(_when(entry.at), entry.rcpt, _subject(store, entry.file), reply, entry.file, tone)


def _subject(store: "MailStore", file: str | None) -> str:
    content = store.read(file) if file else None
    if content is None:
        return "Nothing was kept" if file is None else "The file is gone"
    return _header(_parse(content[: content.find(b"\r\n\r\n") + 4]), "Subject") or "(no subject)"


def _when(at: str) -> str:
    return at[:19].replace("T", " ")


def _parse(content: bytes) -> "EmailMessage":
    return email.message_from_bytes(content, policy=email.policy.default)


def _header(mail: "EmailMessage", name: str) -> str:
    """A header as text. What the parser cannot read is shown as empty: the page has the source for that."""
    try:
        return str(mail.get(name, ""))
    except (ValueError, LookupError, AttributeError, IndexError):
        return ""


def _part(mail: "EmailMessage", kind: str) -> str | None:
    """The message's plain or html body as text."""
    try:
        part = mail.get_body((kind,))
        content = part.get_content() if part is not None else None
    except (ValueError, LookupError, AttributeError):
        return None
    return content if isinstance(content, str) else None


def _shown(mail: "EmailMessage", content: bytes) -> dict[str, object]:
    end = content.find(b"\r\n\r\n")
    head = content[: end if end >= 0 else len(content)].decode("utf-8", "backslashreplace")
    return {
        "subject": _header(mail, "Subject") or "(no subject)",
        "facts": [(name, _header(mail, name)) for name in ("From", "To", "Date", "Message-ID")],
        "text": (_part(mail, "plain") or "")[:SHOWN],
        "has_html": _part(mail, "html") is not None,
        "head": head,
        "size": len(content),
    }
