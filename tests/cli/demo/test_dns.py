"""The demo's DNS, asked by a real resolver library over real sockets."""

import json
import os
import signal
import subprocess
import sys
import time

import dns.asyncquery
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from troth.cli.demo.dns import DnsServer
from troth.cli.demo.dns_zone import Records, ZoneError

LONG = "v=DKIM1; k=rsa; p=" + "A" * 400 + '"quoted\\'
ZONES = {
    "example.test": {
        "SOA": ["ns.example.test. host.example.test. 7 3600 600 86400 60"],
        "NS": ["ns.example.test."],
        "MX": ["10 mx.example.test.", "20 mx2.example.test."],
        "TXT": ["v=spf1 ip4:127.0.0.1 -all", "other"],
    },
    "mx.example.test": {"A": ["127.0.0.1"], "AAAA": ["::1"]},
    "s1._domainkey.example.test": {"TXT": [LONG]},
    "www.example.test": {"CNAME": ["mx.example.test"]},
    "out.example.test": {"CNAME": ["elsewhere.invalid."]},
    "loop.example.test": {"CNAME": ["loop.example.test."]},
    "*.wild.example.test": {"TXT": ["any"]},
    "*.alias.example.test": {"CNAME": ["mx.example.test."]},
    "a.deep.example.test": {"A": ["127.0.0.2"]},
    "plain.other": {"A": ["127.0.0.3"]},
    "broken.example.test": {"RCODE": ["SERVFAIL"]},
    "silent.example.test": {"RCODE": ["DROP"]},
}


@pytest.fixture
async def server():
    async with DnsServer(ZONES) as running:
        yield running


async def ask(server, name, kind, *, tcp=False, **options):
    query = dns.message.make_query(name, kind, **options)
    send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    response = await send(query, server.host, port=server.port, timeout=2)
    assert response.id == query.id
    return response


def texts(response):
    return sorted(str(rdata) for rrset in response.answer for rdata in rrset)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("example.test", "MX", ["10 mx.example.test.", "20 mx2.example.test."]),
        ("EXAMPLE.Test", "TXT", ['"other"', '"v=spf1 ip4:127.0.0.1 -all"']),
        ("mx.example.test", "A", ["127.0.0.1"]),
        ("mx.example.test", "AAAA", ["::1"]),
        ("example.test", "NS", ["ns.example.test."]),
        ("example.test", "SOA", ["ns.example.test. host.example.test. 7 3600 600 86400 60"]),
        ("www.example.test", "A", ["127.0.0.1", "mx.example.test."]),
        ("www.example.test", "CNAME", ["mx.example.test."]),
        ("x.wild.example.test", "TXT", ['"any"']),
        ("x.y.wild.example.test", "TXT", ['"any"']),
        ("x.alias.example.test", "A", ["127.0.0.1", "mx.example.test."]),
        ("mx.example.test", "ANY", ["127.0.0.1", "::1"]),
        ("out.example.test", "A", ["elsewhere.invalid."]),
        ("plain.other", "A", ["127.0.0.3"]),
        ("other", "SOA", ["ns.other. hostmaster.other. 1 3600 600 86400 5"]),
    ],
)
async def test_records_are_found(server, name, kind, values, tcp):
    response = await ask(server, name, kind, tcp=tcp)
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    assert not response.flags & dns.flags.RA
    assert texts(response) == values


async def test_a_long_text_comes_back_octet_for_octet(server):
    response = await ask(server, "s1._domainkey.example.test", "TXT")
    (rdata,) = response.answer[0]
    assert b"".join(rdata.strings) == LONG.encode()
    assert len(rdata.strings) == 2


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "soa"),
    [
        ("nobody.example.test", "A", dns.rcode.NXDOMAIN, "example.test."),
        ("mx.example.test", "TXT", dns.rcode.NOERROR, "example.test."),
        ("deep.example.test", "A", dns.rcode.NOERROR, "example.test."),
        ("wild.example.test", "TXT", dns.rcode.NOERROR, "example.test."),
        ("x.wild.example.test", "A", dns.rcode.NOERROR, "example.test."),
        ("nobody.other", "A", dns.rcode.NXDOMAIN, "other."),
    ],
)
async def test_what_is_not_there_is_denied_with_the_zones_soa(server, name, kind, rcode, soa):
    response = await ask(server, name, kind)
    assert (response.rcode(), response.answer) == (rcode, [])
    assert [(str(rrset.name), rrset.rdtype) for rrset in response.authority] == [(soa, dns.rdatatype.SOA)]


async def test_a_name_of_no_zone_is_refused(server):
    for name in ("example.com", "."):
        assert (await ask(server, name, "A")).rcode() == dns.rcode.REFUSED


async def test_a_loop_of_aliases_ends(server):
    assert (await ask(server, "loop.example.test", "A")).rcode() == dns.rcode.NOERROR


async def test_names_can_be_made_to_fail(server):
    assert (await ask(server, "broken.example.test", "TXT")).rcode() == dns.rcode.SERVFAIL
    query = dns.message.make_query("silent.example.test", "TXT")
    with pytest.raises(Exception, match="timed out"):
        await dns.asyncquery.udp(query, server.host, port=server.port, timeout=0.2)
    server.set("broken.example.test", "RCODE", [])
    server.remove("silent.example.test", "RCODE")
    assert (await ask(server, "broken.example.test", "TXT")).rcode() == dns.rcode.NXDOMAIN
    assert (await ask(server, "silent.example.test", "TXT")).rcode() == dns.rcode.NXDOMAIN


async def test_records_change_while_it_runs(server):
    server.set("example.test", "TXT", ["v=spf1 +all"])
    assert texts(await ask(server, "example.test", "TXT")) == ['"v=spf1 +all"']
    server.set("new.example.test", "A", "127.0.0.9")
    assert texts(await ask(server, "new.example.test", "A")) == ["127.0.0.9"]
    server.remove("new.example.test", "A")
    assert (await ask(server, "new.example.test", "A")).rcode() == dns.rcode.NXDOMAIN
    server.set("example.test", "MX", [])
    assert (await ask(server, "example.test", "MX")).rcode() == dns.rcode.NOERROR
    server.remove("mx.example.test")
    server.remove("mx.example.test", "A")
    assert (await ask(server, "mx.example.test", "A")).rcode() == dns.rcode.NXDOMAIN


async def test_what_is_too_big_for_udp_is_truncated_and_whole_by_tcp(server):
    server.set("big.example.test", "TXT", [f"{number:03d}" + "x" * 200 for number in range(20)])
    cut = await ask(server, "big.example.test", "TXT", use_edns=0, payload=4096)
    assert cut.flags & dns.flags.TC
    assert not cut.answer
    server.set("some.example.test", "TXT", ["x" * 200, "y" * 200, "z" * 200])
    assert (await ask(server, "some.example.test", "TXT")).flags & dns.flags.TC
    assert len(texts(await ask(server, "some.example.test", "TXT", use_edns=0, payload=1232))) == 3
    assert len(texts(await ask(server, "big.example.test", "TXT", tcp=True))) == 20


async def test_odd_questions_get_the_standards_answers(server):
    update = dns.message.make_query("example.test", "A")
    update.set_opcode(dns.opcode.NOTIFY)
    assert dns.message.from_wire(server.answer(update.to_wire(), limit=512)).rcode() == dns.rcode.NOTIMP
    empty = dns.message.QueryMessage()
    assert dns.message.from_wire(server.answer(empty.to_wire(), limit=512)).rcode() == dns.rcode.FORMERR
    for kind, rdclass in (("AXFR", "IN"), ("TXT", "CH")):
        assert (await ask(server, "example.test", kind, rdclass=rdclass)).rcode() == dns.rcode.REFUSED
    newer = await ask(server, "example.test", "A", use_edns=1)
    assert newer.rcode() == dns.rcode.BADVERS
    response = dns.message.make_response(dns.message.make_query("example.test", "A"))
    assert server.answer(response.to_wire(), limit=512) is None


async def test_garbage_gets_format_error_or_silence(server):
    assert server.answer(b"", limit=512) is None
    assert server.answer(b"\xff" * 40, limit=512) is None  # it says it is an answer
    broken = dns.message.make_query("example.test", "A").to_wire()[:-3]
    reply = server.answer(broken, limit=512)
    assert reply[:2] == broken[:2]
    assert dns.message.from_wire(reply).rcode() == dns.rcode.FORMERR


async def test_tcp_takes_several_questions_and_survives_a_client_that_leaves(server):
    import asyncio

    reader, writer = await asyncio.open_connection(server.host, server.port)
    query = dns.message.make_query("mx.example.test", "A").to_wire()
    writer.write((len(query).to_bytes(2) + query) * 2 + b"\x00\x05\xff")
    for _ in range(2):
        size = int.from_bytes(await reader.readexactly(2))
        assert dns.message.from_wire(await reader.readexactly(size)).rcode() == dns.rcode.NOERROR
    writer.close()
    assert texts(await ask(server, "mx.example.test", "A", tcp=True)) == ["127.0.0.1"]
    _, lingering = await asyncio.open_connection(server.host, server.port)
    await asyncio.sleep(0.05)
    await server.stop()
    await server.stop()
    lingering.close()


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("example.test", "A", ["not an address"]),
        ("example.test", "NOSUCH", ["x"]),
        ("a" * 70 + ".test", "A", ["127.0.0.1"]),
        ("example.test", "RCODE", ["MAYBE"]),
        ("example.test", "MX", ["mx.example.test."]),
    ],
)
def test_a_record_that_cannot_be_read_says_which(name, kind, values):
    with pytest.raises(ZoneError, match=r"\w"):
        Records({name: {kind: values}})


async def test_the_file_is_read_again_when_it_changes(tmp_path, caplog):
    path = tmp_path / "zones.json"
    path.write_text(json.dumps({"example.test": {"TXT": ["one"]}}))
    async with DnsServer(file=path) as server:
        assert texts(await ask(server, "example.test", "TXT")) == ['"one"']
        path.write_text(json.dumps({"example.test": {"TXT": ["two!"]}}))
        assert texts(await ask(server, "example.test", "TXT")) == ['"two!"']
        for bad in ("{half", "[]", '{"example.test": {"A": ["x"]}}', '{"example.test": 3}'):
            path.write_text(bad)
            assert texts(await ask(server, "example.test", "TXT")) == ['"two!"']
            assert "left as it was" in caplog.text
            caplog.clear()
        path.unlink()
        assert texts(await ask(server, "example.test", "TXT")) == ['"two!"']


async def test_a_taken_port_is_an_error_and_ephemeral_ports_differ():
    async with DnsServer(ZONES) as one, DnsServer(ZONES) as two:
        assert one.port != two.port
        with pytest.raises(OSError, match=r".+"):
            await DnsServer(ZONES, port=one.port).start()


async def test_a_taken_udp_twin_is_stepped_over(monkeypatch):
    import socket

    from troth.cli.demo import dns as module

    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    with taken, pytest.raises(OSError, match=r".+"):
        module._sockets("127.0.0.1", taken.getsockname()[1])


def test_serve_runs_as_a_process_and_ends_on_sigterm(tmp_path):
    path = tmp_path / "zones.json"
    path.write_text(json.dumps(ZONES))
    code = f"from pathlib import Path; from troth.cli.demo.dns import serve; serve(Path({str(path)!r}), 0)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline().split()[-1])
        import dns.query

        query = dns.message.make_query("mx.example.test", "A")
        assert texts(dns.query.udp(query, "127.0.0.1", port=port, timeout=5)) == ["127.0.0.1"]
        begun = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 5
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
