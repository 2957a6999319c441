"""A small authoritative DNS server of the tests' own: real packets over UDP and TCP, no caching, faults on demand."""

import asyncio
import contextlib
import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest


class Zone(asyncio.DatagramProtocol):
    """records[(name, type)] = list of presentation strings; faults[name] = rcode, or "drop"."""

    def __init__(self):
        self.records, self.faults, self.asked, self.truncate = {}, {}, [], False

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        answer = self.answer(data, udp=True)
        if answer:
            self.transport.sendto(answer, peer)

    async def stream(self, reader, writer):
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        answer = self.answer(await reader.readexactly(size), udp=False)
        writer.write(struct.pack("!H", len(answer)) + answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    def answer(self, data, *, udp):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        fault = self.faults.get(name)
        if fault == "drop":
            return None
        if fault is not None:
            response.set_rcode(fault)
        elif udp and self.truncate:
            response.flags |= dns.flags.TC
        elif (name, kind) in self.records:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, self.records[name, kind]))
        elif not any(known == name or known.endswith("." + name) for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=1232 if udp else 65535)

    def txt(self, name, *values):
        self.records[name, "TXT"] = [" ".join(f'"{v[i : i + 250]}"' for i in range(0, len(v), 250)) for v in values]


async def _one_port():
    """The zone's two sockets on one port: the twin of a port that is free for one may be taken for the other."""
    loop = asyncio.get_running_loop()
    for _ in range(50):
        transport, protocol = await loop.create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
        protocol.address = transport.get_extra_info("sockname")
        try:
            return transport, protocol, await asyncio.start_server(protocol.stream, *protocol.address)
        except OSError:
            transport.close()
            await asyncio.sleep(0)
    pytest.fail("No port of 50 is free for both UDP and TCP.")


@pytest.fixture
async def zone():
    transport, protocol, server = await _one_port()
    yield protocol
    transport.close()
    server.close()
    await server.wait_closed()
