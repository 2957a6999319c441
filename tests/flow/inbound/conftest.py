"""The inbound server on a loopback port with its real desks and database, and strangers who speak SMTP to it by hand."""

import asyncio
import contextlib
import socket
import ssl

import pytest
from tests.flow.feedback.test_unsubscribe import page
from tests.support.firm import operator

from troth.flow.feedback import Deps
from troth.flow.feedback.mailed import OptOuts
from troth.flow.feedback.postmaster import Postmaster
from troth.flow.inbound.limits import Limits
from troth.flow.inbound.server import Server
from troth.flow.submission import Connections
from troth.mail.own_link import mail_address
from troth.store.connection import connect

__all__ = ["operator", "page"]
DOMAIN = "bounces.example"
LETTER = b"From: Ann <ann@example.net>\r\nSubject: unsubscribe\r\n\r\nPlease stop.\r\n"


class Stranger:
    """One connection to the server."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def hear(self):
        """One reply, all its lines; empty when the connection has ended."""
        lines = b""
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(20):
                while line := await self.reader.readline():
                    lines += line
                    if line[3:4] == b" ":
                        break
        return lines.decode()

    async def say(self, octets):
        self.writer.write(octets if octets.endswith(b"\n") else octets + b"\r\n")
        return await self.hear()

    async def all(self, *commands):
        return [(await self.say(each))[:3] for each in commands]

    async def tls(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await self.writer.start_tls(context)

    async def mail(self, to, letter=LETTER, sender=b"<ann@example.net>"):
        """The last answer of one whole letter; the first that is a refusal."""
        recipients = [b"RCPT TO:<%s>" % each.encode() for each in ([to] if isinstance(to, str) else to)]
        for command in (b"MAIL FROM:" + sender, *recipients, b"DATA"):
            answer = await self.say(command)
            if answer[0] not in "23":
                return answer
        return await self.say(letter + b".\r\n")

    async def close(self):
        self.writer.close()


class Post:
    """The server, and who comes to it."""

    def __init__(self, server, port):
        self.server, self.port = server, port
        self.strangers = []

    async def stranger(self, *, greet=True):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.strangers.append(Stranger(reader, writer))
        if greet:
            assert (await self.strangers[-1].hear()).startswith("220 mx.example ESMTP Troth")
            assert (await self.strangers[-1].say(b"EHLO there.example")).startswith("250-mx.example")
        return self.strangers[-1]

    async def close(self):
        for each in self.strangers:
            await each.close()
        await self.server.stop()


@pytest.fixture
async def post():
    """`await post(desks, limits, certificate)` opens a server."""
    opened = []

    async def serve(desks, limits=None, certificate=None):
        listening = socket.create_server(("127.0.0.1", 0))
        server = Server(desks, "mx.example", limits or Limits(), certificate)
        await server.start(listening)
        opened.append(Post(server, listening.getsockname()[1]))
        return opened[-1]

    yield serve
    for each in opened:
        await each.close()


class House:
    """The feedback's desks over the real database, and one message's address."""

    def __init__(self, page, connections):
        self.page, self.lend = page, connections.lend
        self.opt_outs = OptOuts(Deps(connections.lend, page.operator.keyring, page.operator.secrets))
        self.operator_keys = page.operator.keyring.tenant("operator", self.keyset())
        self.postmaster = Postmaster(connections.lend, self.operator_keys, DOMAIN)

    def keyset(self):
        return self.page.rows("SELECT operator_keyset FROM installation")[0][0]

    @property
    def desks(self):
        return (self.opt_outs, self.postmaster)

    def address(self, message, expires=None):
        return mail_address(self.page.link(message, expires).removeprefix("/u/"), DOMAIN)


@pytest.fixture
async def house(page):
    connections = Connections(lambda name: connect(page.operator.database.conninfo("troth_flow"), name))
    yield House(page, connections)
    await connections.close()
