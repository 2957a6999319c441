"""A post to an address that a client gave: never inside, never for long, never somewhere else than it was told."""

import asyncio
import ssl
import time
from contextlib import suppress
from ipaddress import ip_network

import pytest
from tests.support.receiver import Receiver

from troth.cli.demo.dns import DnsServer
from troth.cli.demo.tls import make_local_certificate
from troth.outside.dns import Resolver
from troth.outside.guarded_http import BODY_CAP, GuardedClient, NoAnswer
from troth.outside.guarded_url import BadUrl, ForbiddenAddress, Guard

LOOPBACK = Guard((ip_network("127.0.0.0/8"),), plain_http=True)
ZONE = {"test": {"SOA": ["ns.test. host.test. 1 3600 600 86400 60"]}}


@pytest.fixture
async def receiver():
    made = await Receiver().start()
    yield made
    await made.stop()


@pytest.fixture
async def names():
    async with DnsServer(ZONE) as server:
        yield server


def client(guard=LOOPBACK, names=None, **more):
    return GuardedClient(Resolver([(names.host, names.port)] if names else ()), guard, **more)


async def post(url, body=b"{}", **options):
    return await client(**options).post(url, {"X-One": "1"}, body)


async def test_a_post_arrives_as_it_was_given(receiver, names):
    names.set("hooks.example.test", "A", ["127.0.0.1"])
    answer = await post(f"http://hooks.example.test:{receiver.port}/a?b=c", b'{"x":1}', names=names)
    assert answer.status == 200
    assert answer.body_bytes == 2
    (got,) = receiver.got
    assert (got.path, got.body) == ("/a?b=c", b'{"x":1}')
    assert got.headers["host"] == f"hooks.example.test:{receiver.port}"
    assert got.headers["x-one"] == "1"
    assert "cookie" not in got.headers


async def test_localhost_is_never_a_question_to_the_dns(receiver, names):
    names.set("localhost", "A", ["127.0.0.9"])
    assert (await post(f"http://localhost:{receiver.port}/", names=names)).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(receiver, status):
    receiver.answer = (status, {"Location": receiver.url, "Set-Cookie": "a=b"}, b"")
    assert (await post(receiver.url)).status == status
    assert receiver.connections == 1


async def test_no_proxy_of_the_environment_is_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert (await post(receiver.url)).status == 200


async def test_a_gigabyte_ends_at_the_cap(receiver):
    receiver.answer = "gigabyte"
    start = time.monotonic()
    answer = await post(receiver.url)
    assert answer.status == 200
    assert BODY_CAP <= answer.body_bytes <= BODY_CAP + 64 * 1024
    assert time.monotonic() - start < 3
    await asyncio.sleep(0.1)
    assert receiver.sent < 64 << 20  # it was cut off: what it sent more lies in socket buffers


async def test_a_body_in_chunks_of_one_octet_is_read_no_further_than_another():
    """Each costs work: what came over the wire is counted, not what it holds."""
    sent = 0

    async def serve(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(OSError):
            while True:
                writer.write(b"1\r\nx\r\n" * 1000)
                await writer.drain()
                sent += 1000

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    answer = await GuardedClient(None, LOOPBACK).post(
        f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {}, b""
    )
    server.close()
    assert answer.status == 200
    assert 0 < answer.body_bytes < BODY_CAP / 4


@pytest.mark.parametrize("manner", ["hang", "slow-head"])
async def test_a_receiver_that_hangs_ends_in_time(receiver, manner):
    receiver.answer = manner
    start = time.monotonic()
    with pytest.raises(NoAnswer, match="within 0.5 seconds") as none:
        await post(receiver.url, seconds=0.5)
    assert none.value.code == "timeout"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("manner", "says"), [("rubbish", "not an HTTP answer"), ("endless-head", "not an HTTP answer")]
)
async def test_what_is_no_http_is_no_answer(receiver, manner, says):
    receiver.answer = manner
    with pytest.raises(NoAnswer, match=says):
        await post(receiver.url)


async def test_a_body_that_never_comes_does_not_undo_the_status(receiver):
    receiver.answer = (204, {"Content-Type": "x"}, b"")
    assert (await post(receiver.url)).status == 204

    async def half(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    answer = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (answer.status, answer.body_bytes) == (200, 0)
    server.close()


async def test_a_closed_door_and_a_closed_connection_are_told_apart(receiver):
    async def shut(_reader, writer):
        writer.close()

    server = await asyncio.start_server(shut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NoAnswer) as none:
        await post(f"http://127.0.0.1:{port}/")
    assert none.value.code == "protocol"
    server.close()
    await server.wait_closed()
    with pytest.raises(NoAnswer) as none:
        await post(f"http://127.0.0.1:{port}/")
    assert none.value.code == "connect"


async def test_a_name_without_an_address_and_a_silent_dns_are_no_answer(names):
    names.set("silent.test", "RCODE", ["SERVFAIL"])
    for name in ("nowhere.test", "silent.test"):
        with pytest.raises(NoAnswer) as none:
            await post(f"http://{name}:8080/", names=names)
        assert none.value.code == "dns"


async def test_the_second_address_is_tried_when_the_first_is_closed(receiver, names):
    names.set("two.test", "A", ["127.0.0.1", "127.0.0.254"])
    answer = await post(f"http://two.test:{receiver.port}/", names=names)
    assert answer.status == 200


# ---- TLS


@pytest.fixture
async def secure(tmp_path):
    files = make_local_certificate(tmp_path / "tls", ["hooks.example.test", "127.0.0.1"])
    server, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(files.certificate, files.key)
    trusting.load_verify_locations(files.ca)
    made = await Receiver().start(ssl=server)
    yield made, trusting
    await made.stop()


async def test_the_name_is_verified_although_the_address_is_connected(secure, names):
    receiver, trusting = secure
    names.set("hooks.example.test", "A", ["127.0.0.1"])
    names.set("other.example.test", "A", ["127.0.0.1"])
    answer = await post(f"https://hooks.example.test:{receiver.port}/", names=names, tls=trusting)
    assert answer.status == 200
    for tls, name in ((trusting, "other.example.test"), (ssl.create_default_context(), "hooks.example.test")):
        with pytest.raises(NoAnswer) as none:
            await post(f"https://{name}:{receiver.port}/", names=names, tls=tls)
        assert none.value.code == "tls"
    assert len(receiver.got) == 1


# ---- inner and rebinding addresses

FORMS = [
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "100.64.0.1",
]
FORMS6 = ["::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fd00::1", "fe80::1", "ff02::1"]


def spellings(port):
    """URLs of one listener on every address of this machine that stands inside, in every spelling."""
    hosts = [*FORMS, *(f"[{each}]" for each in FORMS6), "localhost", "2130706433", "0x7f000001", "017700000001", "127.1",
             "0x7f.1", "0", "[::]", "[0:0:0:0:0:ffff:7f00:1]", "①②⑦.0.0.1", "127.0.0.1.", "LOCALHOST", "x@127.0.0.1"]  # fmt: skip
    return [f"{scheme}://{host}:{port}/" for host in hosts for scheme in ("http", "https")]


async def test_a_hundred_inner_or_rebinding_addresses_make_no_connection(names):
    """The listener is on every address of the machine; names lead to it in each way a zone can say it."""
    touched = []

    async def listen(_reader, writer):
        touched.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(listen, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    six = await asyncio.start_server(listen, "::1", port)
    guard = Guard(plain_http=True, ports=frozenset({port}))  # all else that a URL is refused for is let pass
    urls = spellings(port)
    for n, form in enumerate(FORMS):
        names.set(f"a{n}.test", "A", [form])
        names.set(f"among{n}.test", "A", ["8.8.8.8", form])  # one of several
        names.set(f"b{n}.test", "CNAME", [f"a{n}.test."])
    for n, form in enumerate(FORMS6):
        names.set(f"c{n}.test", "AAAA", [form])
        names.set(f"both{n}.test", "A", ["8.8.8.8"])
        names.set(f"both{n}.test", "AAAA", [form])
    kinds = [f"{scheme}://{kind}" for scheme in ("http", "https") for kind in ("a", "among", "b", "c", "both")]
    urls += [f"{kind}{n}.test:{port}/" for kind in kinds for n in range(8)]
    one = client(guard, names, seconds=2)
    async with server, six:
        for url in urls:
            with pytest.raises((ForbiddenAddress, BadUrl)):
                await one.post(url, {}, b"{}")
        await asyncio.sleep(0.05)
        assert touched == []
        for host in ("127.0.0.1", "::1"):  # the listener was there all along
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        await asyncio.sleep(0.05)
        assert len(touched) == 2
    assert len(urls) > 100


async def test_a_name_that_answers_otherwise_each_time_is_asked_once_and_held_to_that(receiver):
    """A rebinding server: public at the first question, loopback at each later one."""
    asked = []

    class Rebinding(DnsServer):
        def answer(self, wire, *, limit):
            asked.append(wire)
            self.set("rebind.test", "A", ["192.0.2.1" if len(asked) <= 2 else "127.0.0.1"])
            return super().answer(wire, limit=limit)

    async with Rebinding(ZONE) as names:
        resolver = Resolver([(names.host, names.port)])
        guard = Guard((ip_network("192.0.2.0/24"),), plain_http=True)  # stands for a public address that leads nowhere
        one = GuardedClient(resolver, guard, seconds=1.0)
        for _ in range(3):
            with pytest.raises((NoAnswer, ForbiddenAddress)):
                await one.post(f"http://rebind.test:{receiver.port}/", {}, b"{}")
        assert len(asked) == 2 * 3  # A and AAAA, once a request
    assert receiver.connections == 0


async def page(method, url, headers=None, body=b"", **options):
    return await client(**options).page(method, url, headers or {}, body)


async def test_a_page_is_read_whole(receiver):
    receiver.answer = (203, {"Content-Type": "application/json"}, b'{"a": "' + b"b" * 30_000 + b'"}')
    got = await page("GET", receiver.url, {"Accept": "application/json"})
    assert (got.status, got.headers["content-type"], len(got.body)) == (203, "application/json", 30_009)
    (asked,) = receiver.got
    assert asked.headers["accept"] == "application/json"


@pytest.mark.parametrize("manner", ["gigabyte", (200, {"Content-Length": "500"}, b"short")])
async def test_a_page_whose_end_does_not_come_is_none(receiver, manner):
    receiver.answer = manner
    with pytest.raises(NoAnswer) as caught:
        await page("GET", receiver.url)
    assert caught.value.code in ("body", "protocol")


async def test_a_page_never_leads_inside(names):
    names.set("idp.example.test", "A", ["10.0.0.7"])
    with pytest.raises(ForbiddenAddress):
        await page("GET", "https://idp.example.test/", names=names, guard=Guard())
    with pytest.raises(BadUrl):
        await page("GET", "http://idp.example.test/", names=names, guard=Guard())
