"""The demo's next hop: an SMTP sink with TLS and AUTH that keeps what it gets and shows it on a page.

`python -m troth.cli.demo.mailbox --dir D --smtp-port P --http-port Q [--user U --password-file F]`. What it
does to whom stands in `mailbox_script`, what it keeps in `mailbox_store`, its page in `mailbox_page`. It is
strict where a real receiver should be: a bare CR or LF is refused, plaintext AUTH is refused, lines end by
CRLF.
"""

import argparse
import asyncio
import contextlib
import hmac
import logging
import signal
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from troth.cli.demo.mailbox_page import serve_page
from troth.cli.demo.mailbox_script import Script
from troth.cli.demo.mailbox_store import MailStore
from troth.cli.demo.tls import LocalCertificate, make_local_certificate

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("localhost", "127.0.0.1", "::1")
SIZE_LIMIT = 40 * 1024 * 1024
IDLE = 300.0  # seconds


@dataclass(slots=True)
class Mailbox:
    """A mailbox that can be started in any event loop (not uvloop: aiosmtpd does STARTTLS by asyncio's own means).

    Without `user` no AUTH is asked; without `certificate` no TLS is offered. `delay` (seconds) slows each
    answer to a final dot, for tests.
    """

    store: MailStore
    certificate: LocalCertificate | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    delay: float = 0.0
    script: Script = field(default_factory=Script)
    _server: asyncio.Server | None = None
    _live: WeakSet[SMTP] = field(default_factory=WeakSet)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port."""
        context = server_context(self.certificate) if self.certificate else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._session(context), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and cut the connections that are left."""
        if self._server is None:
            return
        self._server.close()
        for session in tuple(self._live):
            _cut(session)
        await self._server.wait_closed()
        self._server = None

    def _session(self, context: ssl.SSLContext | None) -> SMTP:
        session = SMTP(
            _Handler(self),
            hostname="mailbox.localhost",
            ident="Troth demo mailbox",
            data_size_limit=SIZE_LIMIT,
            tls_context=context,
            require_starttls=context is not None,
            auth_required=self.user is not None,
            auth_require_tls=True,
            authenticator=self._authenticate,
            timeout=IDLE,
        )
        self._live.add(session)
        return session

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        good = (
            isinstance(data, LoginPassword)
            and hmac.compare_digest(bytes(data.login), (self.user or "").encode())
            and hmac.compare_digest(bytes(data.password), (self.password or "").encode())
        )
        return AuthResult(success=good, handled=False)


class _Handler:
    """aiosmtpd's hooks; one a session."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._box = mailbox

    async def handle_EHLO(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*lines[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", lines[-1]]

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self._box.script.at_rcpt(address)
        if refusal is not None:
            self._box.store.note(envelope.mail_from or "", (address,), refusal)
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient taken"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's)
        content: bytes = envelope.original_content or b""
        sender, recipients = envelope.mail_from or "", envelope.rcpt_tos
        if content.count(b"\n") != content.count(b"\r\n") or content.count(b"\r") != content.count(b"\r\n"):
            reply = "554 5.6.0 A bare CR or LF is not taken"
            self._box.store.note(sender, recipients, reply)
            return reply
        drops = any(self._box.script.drops(recipient) for recipient in recipients)
        reply = "250 2.0.0 Kept"
        name = self._box.store.keep(content, sender, recipients, None if drops else reply)
        if drops:
            _cut(server)
            await asyncio.sleep(IDLE)  # the loss of the connection ends this task
        wait = max(self._box.delay, *(self._box.script.delay(recipient) for recipient in recipients))
        if wait:
            await asyncio.sleep(wait)
        return f"{reply} as {name}"


def _cut(session: SMTP) -> None:
    """Drop the connection without a word."""
    if isinstance(session.transport, asyncio.Transport):
        session.transport.abort()


def server_context(certificate: LocalCertificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context


def main(argv: "Sequence[str] | None" = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _options().parse_args(argv)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of its own deprecations at each login
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="troth.cli.demo.mailbox", description="A local mailbox for the demo.")
    add = parser.add_argument
    add("--dir", type=Path, required=True, help="the Maildir; its log is written beside it")
    add("--host", default="127.0.0.1")
    add("--smtp-port", type=int, required=True, help="0 takes any free port and says which")
    add("--http-port", type=int, help="the page; left out, there is none")
    add("--tls-dir", type=Path, help="where the certificate is kept (default: beside the Maildir)")
    add("--no-tls", action="store_true", help="offer no STARTTLS")
    add("--user", help="ask for AUTH with this name")
    add("--password-file", type=Path, help="and the password in this file")
    add("--delay", type=float, default=0.0, help="seconds before each answer to a message")
    add("--fsync", action="store_true", help="sync each message to disk")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    store = MailStore(options.dir, fsync=options.fsync)
    folder = options.tls_dir or options.dir.parent / "mailbox-tls"
    certificate = None if options.no_tls else make_local_certificate(folder, NAMES)
    password = options.password_file.read_text().strip() if options.password_file else None
    mailbox = Mailbox(store, certificate, options.user, password, options.delay)
    port = await mailbox.start(options.host, options.smtp_port)
    print(f"mailbox: SMTP on {options.host}:{port}", flush=True)
    try:
        await _page(options, store, stop)
    finally:
        await mailbox.stop()
        store.close()


async def _page(options: argparse.Namespace, store: MailStore, stop: asyncio.Event) -> None:
    if options.http_port is None:
        await stop.wait()
        return
    async with serve_page(store, options.host, options.http_port) as port:
        print(f"mailbox: page on http://{options.host}:{port}/", flush=True)
        await stop.wait()


if __name__ == "__main__":
    raise SystemExit(main())
