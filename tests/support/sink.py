"""A lean SMTP sink for kill tests and benchmarks: the mailbox's manners, store and log at a fraction of its cost.

    python -m tests.support.sink --dir D --smtp-port P [--user U --password-file F] [--no-tls] [--delay S] [--discard]

Pipelined, STARTTLS (or --implicit-tls), AUTH PLAIN and LOGIN; one asyncio.Protocol a connection, uvloop underneath.
With --discard nothing is kept or logged, for measuring the client alone. It prints `sink: SMTP on HOST:PORT` when ready.
"""

import argparse
import asyncio
import contextlib
import signal
import ssl
from base64 import b64decode, b64encode
from pathlib import Path

import uvloop

from troth.cli.demo.mailbox import NAMES, server_context
from troth.cli.demo.mailbox_script import Script
from troth.cli.demo.mailbox_store import MailStore
from troth.cli.demo.tls import make_local_certificate


class Sink:
    """What all connections share; `start` gives the port."""

    def __init__(
        self,
        store: MailStore | None,
        context: ssl.SSLContext | None = None,
        *,
        implicit: bool = False,
        user: str | None = None,
        password: str | None = None,
        delay: float = 0.0,
    ) -> None:
        self.store, self.context, self.implicit, self.delay = store, context, implicit, delay
        self.login = None if user is None else (user.encode(), (password or "").encode())
        self.script = Script()
        self.taken = 0
        self.sessions: set[SinkSession] = set()
        self.most = 0  # sessions at once, at the highest
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        loop = asyncio.get_running_loop()
        tls = self.context if self.implicit else None
        self._server = await loop.create_server(lambda: SinkSession(self), host, port, ssl=tls)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for session in tuple(self.sessions):
            session.transport.abort()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), 2)


class SinkSession(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self.sink, self.buffer, self.out = sink, b"", []
        self.secure = sink.implicit
        self.known = sink.login is None
        self.held = False  # an answer is being delayed: nothing is read meanwhile
        self.secrets: list[bytes] | None = None
        self.reset()
        self.in_data = False

    def reset(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.sink.sessions.add(self)
        self.sink.most = max(self.sink.most, len(self.sink.sessions))
        transport.write(b"220 sink.localhost ESMTP\r\n")

    def connection_lost(self, exc) -> None:
        self.sink.sessions.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        self.work()

    def work(self) -> None:
        while self.buffer and not self.held and not self.transport.is_closing():
            if self.in_data:
                if not self.take_content():
                    break
                continue
            line, end, rest = self.buffer.partition(b"\r\n")
            if not end:
                break
            self.buffer = rest
            self.command(line)
        if self.out:
            self.transport.write(b"".join(self.out))
            self.out.clear()

    def say(self, reply: str) -> None:
        self.out.append(reply.encode() + b"\r\n")

    def command(self, line: bytes) -> None:
        if self.secrets is not None:
            self.secret(line)
            return
        verb, _, argument = line.partition(b" ")
        handler = getattr(self, "do_" + verb.decode("ascii", "replace").lower(), None)
        if handler is None:
            self.say("500 5.5.1 What?")
        elif not self.known and verb.upper() in {b"MAIL", b"RCPT", b"DATA"}:
            self.say("530 5.7.0 Authentication required")
        else:
            handler(argument)

    def do_ehlo(self, _argument: bytes) -> None:
        lines = ["sink.localhost", "PIPELINING", "SIZE 41943040", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self.sink.context is not None and not self.secure:
            lines.append("STARTTLS")
        elif self.sink.login is not None:
            lines.append("AUTH PLAIN LOGIN")
        for line in lines[:-1]:
            self.say("250-" + line)
        self.say("250 " + lines[-1])
        self.reset()

    def do_starttls(self, _argument: bytes) -> None:
        self.transport.write(b"220 2.0.0 Go ahead\r\n")
        self.transport.pause_reading()  # the next octets are for TLS
        self.buffer = b""
        self.held = True
        self.upgrading = asyncio.get_running_loop().create_task(self.upgrade())

    async def upgrade(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self.transport = await loop.start_tls(self.transport, self, self.sink.context, server_side=True)
        except (OSError, ConnectionError):
            return
        self.secure, self.held = True, False
        self.work()

    def do_auth(self, argument: bytes) -> None:
        mechanism, _, initial = argument.partition(b" ")
        if not self.secure:
            self.say("538 5.7.11 Encryption required")
        elif mechanism.upper() == b"PLAIN" and initial:
            _, user, password = b64decode(initial).split(b"\0")
            self.judge(user, password)
        elif mechanism.upper() == b"LOGIN":
            self.secrets = []
            self.say("334 " + b64encode(b"Username:").decode())
        else:
            self.say("504 5.5.4 PLAIN or LOGIN")

    def secret(self, line: bytes) -> None:
        self.secrets.append(b64decode(line))
        if len(self.secrets) == 1:
            self.say("334 " + b64encode(b"Password:").decode())
            return
        user, password = self.secrets
        self.secrets = None
        self.judge(user, password)

    def judge(self, user: bytes, password: bytes) -> None:
        self.known = (user, password) == self.sink.login
        self.say("235 2.7.0 Welcome" if self.known else "535 5.7.8 Wrong name or password")

    def do_mail(self, argument: bytes) -> None:
        if self.sender is not None:
            self.say("503 5.5.1 There is a transaction already")
            return
        self.sender = argument[argument.find(b"<") + 1 : argument.rfind(b">")].decode()
        self.say("250 2.1.0 Sender taken")

    def do_rcpt(self, argument: bytes) -> None:
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
            return
        recipient = argument[argument.find(b"<") + 1 : argument.rfind(b">")].decode()
        refusal = self.sink.script.at_rcpt(recipient)
        if refusal is None:
            self.recipients.append(recipient)
            self.say("250 2.1.5 Recipient taken")
            return
        self.say(refusal)
        if self.sink.store is not None:
            self.sink.store.note(self.sender, (recipient,), refusal)
        if refusal.startswith("421"):
            self.transport.write(b"".join(self.out))
            self.out.clear()
            self.transport.close()

    def do_data(self, _argument: bytes) -> None:
        if not self.recipients:
            self.say("503 5.5.1 RCPT first")
            return
        self.in_data = True
        self.say("354 End with <CRLF>.<CRLF>")

    def do_rset(self, _argument: bytes) -> None:
        self.reset()
        self.say("250 2.0.0 Forgotten")

    def do_noop(self, _argument: bytes) -> None:
        self.say("250 2.0.0 Nothing done")

    def do_quit(self, _argument: bytes) -> None:
        self.say("221 2.0.0 Goodbye")
        self.transport.write(b"".join(self.out))
        self.out.clear()
        self.transport.close()

    def take_content(self) -> bool:
        """Take the message when its end has come; False while it has not."""
        if self.buffer.startswith(b".\r\n"):
            content, self.buffer = b"", self.buffer[3:]
        else:
            end = self.buffer.find(b"\r\n.\r\n")
            if end < 0:
                return False
            content, self.buffer = self.buffer[: end + 2], self.buffer[end + 5 :]
        self.in_data = False
        self.keep(content)
        self.reset()
        return True

    def keep(self, stuffed: bytes) -> None:
        content = stuffed[1:] if stuffed.startswith(b".") else stuffed
        content = content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content
        lines = content.count(b"\n")
        reply = "250 2.0.0 Kept"
        if content.count(b"\r\n") != lines or content.count(b"\r") != lines:
            self.say("554 5.6.0 A bare CR or LF is not taken")
            return
        self.sink.taken += 1
        drops = any(self.sink.script.drops(recipient) for recipient in self.recipients)
        if self.sink.store is not None:
            self.sink.store.keep(content, self.sender, self.recipients, None if drops else reply)
        if drops:
            self.out.clear()
            self.transport.abort()
            return
        wait = max(self.sink.delay, *(self.sink.script.delay(recipient) for recipient in self.recipients))
        self.say(reply)
        if wait:
            late, self.out, self.held = self.out, [], True
            asyncio.get_running_loop().call_later(wait, self.go_on, late)

    def go_on(self, late: list[bytes]) -> None:
        self.held = False
        if not self.transport.is_closing():
            self.transport.write(b"".join(late))
            self.work()


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    folder = options.tls_dir or options.dir.parent / "mailbox-tls"
    context = None if options.no_tls else server_context(make_local_certificate(folder, NAMES))
    store = None if options.discard else MailStore(options.dir, fsync=options.fsync)
    password = options.password_file.read_text().strip() if options.password_file else None
    sink = Sink(
        store, context, implicit=options.implicit_tls, user=options.user, password=password, delay=options.delay
    )
    port = await sink.start("127.0.0.1", options.smtp_port)
    print(f"sink: SMTP on 127.0.0.1:{port}", flush=True)
    await stop.wait()
    await sink.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.support.sink")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--tls-dir", type=Path)
    parser.add_argument("--no-tls", action="store_true")
    parser.add_argument("--implicit-tls", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--fsync", action="store_true")
    parser.add_argument("--discard", action="store_true")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
