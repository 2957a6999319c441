"""The house's one way to ask an address that a client gave: it never leads inside, and ends in bounded time.

Each request resolves the name once, checks every address, and connects to one that it checked, by number, with the
name in Host and SNI; nothing asks the DNS again in between. No redirects, proxies, cookies or kept connections.

NoAnswer         temporary: no HTTP answer came; `code` says at which step: dns, connect, tls, timeout, protocol; or
                 body: an answer that was to be read whole had none that ends within BODY_CAP
BadUrl, ForbiddenAddress (guarded_url.py): nothing was connected
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import ClassVar

import h11

from troth.outside.dns import LookupFailed, Resolver
from troth.outside.guarded_url import Address, Guard, Target

BODY_CAP = 64 * 1024  # octets of an answer's body that are read; what comes after is not
HEAD_CAP = 32 * 1024
TIME = 15.0  # seconds for all of it: name, connection, TLS, request and answer
_BODY_TIME = 2.0  # seconds more for the body of an answer whose status is known
_CONNECT_TIME = 5.0  # seconds for one address


class NoAnswer(Exception):  # noqa: N818 - reads as the answer it is
    """`code` is stable, `sentence` is fit for the client."""

    temporary: ClassVar[bool] = True

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """A final response's head; `seconds` from the start to it. `body_bytes`: how much of the body was read."""

    status: int
    headers: Mapping[str, str]
    seconds: float
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with all of its body, at most BODY_CAP octets."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class GuardedClient:
    """Requests, each by itself; tasks may share it. `tls` is for tests with a CA of their own."""

    resolver: Resolver
    guard: Guard = field(default_factory=Guard)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = TIME

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raise BadUrl, ForbiddenAddress or NoAnswer; any status is an answer, whatever becomes of its body."""
        answer, _, _ = await self._ask("POST", url, headers, body)
        return answer

    async def page(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Page:
        """The same for an answer that is to be read: NoAnswer, too, for one whose body does not come whole."""
        answer, read, whole = await self._ask(method, url, headers, body)
        if not whole:
            raise NoAnswer("body", f"The answer is longer than {BODY_CAP // 1024} KB, or broke off.")
        return Page(answer.status, answer.headers, read)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, bytes, bool]:
        start = time.monotonic()
        target = self.guard.read(url)
        try:
            async with asyncio.timeout(self.seconds):
                addresses = await self.resolve(target)
                async with self._connected(target, addresses) as (reader, writer):
                    return await _talk(reader, writer, _request(method, target, headers, body), start)
        except TimeoutError:
            raise NoAnswer("timeout", f"No answer came within {self.seconds:g} seconds.") from None

    async def resolve(self, target: Target) -> tuple[Address, ...]:
        """The target's addresses, every one of them allowed; else ForbiddenAddress, or NoAnswer without any."""
        addresses = await self._addresses(target)
        for address in addresses:
            self.guard.check(address)
        return addresses

    async def _addresses(self, target: Target) -> tuple[Address, ...]:
        if target.literal is not None:
            return (target.literal,)
        found = await self.resolver.addresses(target.host)
        if isinstance(found, LookupFailed):
            raise NoAnswer("dns", "The DNS did not answer for the host name.")
        if not found.values:
            raise NoAnswer("dns", "The host name has no address in the DNS.")
        return tuple(map(ip_address, found.values))

    @asynccontextmanager
    async def _connected(
        self, target: Target, addresses: tuple[Address, ...]
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await self._connect(target, addresses)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()  # no farewell: an answer that never ends would outlast it

    async def _connect(
        self, target: Target, addresses: tuple[Address, ...]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        trouble = NoAnswer("connect", "No connection could be made.")
        for address in addresses:
            try:
                async with asyncio.timeout(_CONNECT_TIME):
                    return await self._open(target, str(address))
            except ssl.SSLError as error:
                trouble = NoAnswer("tls", f"TLS failed: {error.reason or 'the certificate does not hold'}.")
            except (OSError, TimeoutError):
                continue
        raise trouble

    async def _open(self, target: Target, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """By number: `address` is one that was checked."""
        if not target.secure:
            return await asyncio.open_connection(address, target.port, limit=BODY_CAP)
        return await asyncio.open_connection(
            address, target.port, limit=BODY_CAP, ssl=self.tls, server_hostname=target.host
        )


def _request(method: str, target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    connection = h11.Connection(h11.CLIENT)
    fields = [("Host", target.authority), ("Connection", "close"), ("Content-Length", str(len(body)))]
    fields += [*([] if "Accept" in headers else [("Accept", "*/*")]), *headers.items()]
    head = connection.send(h11.Request(method=method, target=target.path, headers=fields))
    return (head or b"") + body


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, start: float
) -> tuple[Answer, bytes, bool]:
    """The answer, what was read of its body, and whether that is all of it."""
    connection = _awaiting()
    kept, read, whole = bytearray(), 0, False
    try:
        writer.write(request)
        with suppress(ConnectionError):  # an answer may be there although the rest of the request was not wanted
            await writer.drain()
        head = await _head(reader, connection)
        seconds = time.monotonic() - start
        with suppress(TimeoutError, OSError, ssl.SSLError, h11.RemoteProtocolError):  # the status has told enough
            async with asyncio.timeout(_BODY_TIME):
                whole = await _body(reader, connection, kept)
                read = len(kept)
    except (OSError, ssl.SSLError):
        raise NoAnswer("protocol", "The connection was closed before an answer came.") from None
    except h11.RemoteProtocolError:
        raise NoAnswer("protocol", "What came was not an HTTP answer.") from None
    names = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers}
    return Answer(head.status_code, names, seconds, read), bytes(kept), whole


def _awaiting() -> h11.Connection:
    """A connection on which the request has gone, so that it reads the answer."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_CAP)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "-"), ("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    return connection


async def _head(reader: asyncio.StreamReader, connection: h11.Connection) -> h11.Response:
    """The final response's head; informational ones before it are read past, to a bound."""
    taken = 0
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event
        if event is h11.NEED_DATA:
            data = await reader.read(HEAD_CAP)
            taken += len(data)
            if taken > 2 * HEAD_CAP:
                raise h11.RemoteProtocolError("the head does not end")
            connection.receive_data(data)


async def _body(reader: asyncio.StreamReader, connection: h11.Connection, kept: bytearray) -> bool:
    """Reads up to BODY_CAP into `kept`, so that an ordinary receiver sees its answer taken; gives whether it ended.

    What came over the wire counts: a body in chunks of one octet costs no more than another.
    """
    wire = 0
    while max(len(kept), wire) < BODY_CAP:
        event = connection.next_event()
        if isinstance(event, h11.Data):
            kept += event.data
        elif event is h11.NEED_DATA:
            data = await reader.read(16 * 1024)
            wire += len(data)
            connection.receive_data(data)
        else:
            return isinstance(event, h11.EndOfMessage)
    return False
