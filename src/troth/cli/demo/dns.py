"""The demo's DNS: an authoritative server on loopback, UDP and TCP, whose records can change while it runs.

Records are those of `dns_zone`. They are handed in, changed by `set` and `remove`, or read from a JSON file that is
read again when it changes, so that a test can break DNS from outside. RFC 1035, truncation 2181, EDNS 6891, TCP 7766.
"""

import asyncio
import logging
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from troth.cli.demo.dns_zone import Records, ZoneError, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from troth.cli.demo.dns_zone import Zones

log = logging.getLogger(__name__)

UDP_LIMIT = 1232  # octets: what we say in EDNS and never exceed
TCP_IDLE = 10.0  # seconds
NO_TRANSFER = {dns.rdatatype.AXFR, dns.rdatatype.IXFR}


class DnsServer:
    """One server; `port` is the true one after `start` (0 asks for any free one, the same for UDP and TCP)."""

    def __init__(
        self, zones: "Zones | None" = None, host: str = "127.0.0.1", port: int = 0, *, file: Path | None = None
    ) -> None:
        self.host, self.port = host, port
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._records = Records(zones)
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()

    async def start(self) -> Self:
        if self._file is not None:
            self._stamp = _stamp(self._file)
            self._records = load(self._file)
        datagrams, listener = _sockets(self.host, self.port)
        self.port = int(listener.getsockname()[1])
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=datagrams)
        self._tcp = await asyncio.start_server(self._stream, sock=listener)
        return self

    async def stop(self) -> None:
        if self._udp is None or self._tcp is None:
            return
        self._udp.close()
        self._tcp.close()
        for writer in tuple(self._streams):
            writer.close()
        await self._tcp.wait_closed()
        self._udp = self._tcp = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    # the records

    def set(self, name: str, kind: str, values: "Iterable[str]") -> None:
        """Replace the records of one name and type; no values remove them."""
        self._records.set(name, kind, values)

    def remove(self, name: str, kind: str | None = None) -> None:
        """Remove one type of a name, or the name."""
        self._records.remove(name, kind)

    def _look_again(self) -> None:
        """Read the file when it is another than before; one that cannot be read changes nothing."""
        if self._file is None:
            return
        stamp = _stamp(self._file)
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._records = load(self._file)
        except (ZoneError, OSError) as error:
            log.warning("The zone file is left as it was: %s", error)

    # questions

    def answer(self, wire: bytes, *, limit: int | None) -> bytes | None:
        """The answer to one message, at most `limit` octets (None: no limit but TCP's); None: say nothing."""
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return _format_error(wire)
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query, our_payload=UDP_LIMIT)
        if not self._fill(query, response):
            return None
        response.flags &= ~dns.flags.RA
        if limit is None:
            return response.to_wire(max_size=65535)
        most = min(limit, max(query.payload, 512)) if query.edns >= 0 else 512
        return _fitted(response, most)

    def _fill(self, query: dns.message.Message, response: dns.message.Message) -> bool:
        """Fill in the answer; False when none is to be given."""
        refusal = _refusal(query)
        if refusal is not None:
            response.set_rcode(refusal)
            return True
        self._look_again()
        question = query.question[0]
        found = self._records.find(question.name.canonicalize(), question.rdtype)
        response.set_rcode(found.rcode)
        if found.rcode in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            response.flags |= dns.flags.AA
        response.answer.extend(found.answer)
        response.authority.extend(found.authority)
        return not found.drop

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one TCP client until it leaves, stalls or we stop."""
        self._streams.add(writer)
        try:
            async with asyncio.timeout(None) as patience:
                while True:
                    patience.reschedule(asyncio.get_running_loop().time() + TCP_IDLE)
                    size = int.from_bytes(await reader.readexactly(2))
                    reply = self.answer(await reader.readexactly(size), limit=None)
                    if reply is not None:
                        writer.write(len(reply).to_bytes(2) + reply)
                        await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left, or TCP_IDLE is over (TimeoutError is an OSError)
        finally:
            self._streams.discard(writer)
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.answer(data, limit=UDP_LIMIT)
        if reply is not None:
            self._transport.sendto(reply, addr)


def serve(path: Path, port: int, *, host: str = "127.0.0.1", ready: "Callable[[int], None] | None" = None) -> None:
    """Serve a zone file until SIGTERM or SIGINT; `ready` is told the port. For a process of its own."""

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with DnsServer(host=host, port=port, file=path) as server:
            (ready or _tell)(server.port)
            await stop.wait()

    asyncio.run(run())


def _tell(port: int) -> None:
    print(f"dns: listening on port {port}", flush=True)


def _refusal(query: dns.message.Message) -> dns.rcode.Rcode | None:
    """Why a well-formed message gets no records."""
    if query.opcode() != dns.opcode.QUERY:
        return dns.rcode.NOTIMP
    if len(query.question) != 1:
        return dns.rcode.FORMERR
    if query.edns > 0:
        return dns.rcode.BADVERS
    question = query.question[0]
    if question.rdclass != dns.rdataclass.IN or question.rdtype in NO_TRANSFER:
        return dns.rcode.REFUSED
    return None


def _format_error(wire: bytes) -> bytes | None:
    """FORMERR with the question's id, when there is one and it is a question."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + bytes((0x80 | wire[2] & 0x79, int(dns.rcode.FORMERR))) + bytes(8)


def _fitted(response: dns.message.Message, most: int) -> bytes:
    """The message in so many octets; without records and with TC when it does not fit, so that the client takes TCP."""
    try:
        return response.to_wire(max_size=most)
    except dns.exception.TooBig:
        response.flags |= dns.flags.TC
        response.answer.clear()
        response.authority.clear()
        return response.to_wire(max_size=most)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _sockets(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port; with port 0 a few are tried, since the twin may be taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for left in range(19, -1, -1):
        listener = socket.create_server((host, port), family=family)
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        try:
            datagrams.bind((host, listener.getsockname()[1]))
        except OSError:
            datagrams.close()
            listener.close()
            if port or not left:
                raise
            continue
        datagrams.setblocking(False)
        return datagrams, listener
    raise AssertionError("the last try raises or returns")
