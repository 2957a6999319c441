"""The conversation: what is offered, what is refused, and that no stranger gets more than a share of the server."""

import asyncio
import os
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.inbound.conftest import DOMAIN, LETTER

from troth.cli.demo.tls import make_local_certificate
from troth.flow.inbound import gathering, limits
from troth.flow.inbound.gathering import Gathering
from troth.flow.inbound.limits import Limits, Room
from troth.flow.inbound.server import certificate
from troth.mail.arrived import Verdict

OURS = f"x@{DOMAIN}"


class Tray:
    """A desk that keeps what it gets in memory."""

    name = "tray"

    def __init__(self):
        self.got, self.open = [], asyncio.Event()
        self.open.set()

    async def knows(self, address):
        return address.endswith(f"@{DOMAIN}")

    async def take(self, addresses, arrived):
        await self.open.wait()
        self.got.append((list(addresses), arrived))
        return Verdict.TAKEN


@pytest.fixture
def tray():
    return Tray()


async def until(true):
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_what_is_offered(post, tray):
    who = await (await post([tray], Limits(size=5_000))).stranger()
    offered = (await who.say(b"EHLO there.example")).splitlines()
    assert offered == ["250-mx.example", "250-SIZE 5000", "250-8BITMIME", "250-SMTPUTF8", "250 PIPELINING"]
    assert (await who.say(b"HELO there.example")).startswith("250 mx.example")
    assert await who.all(b"MAIL FROM:<a@b.example> SIZE=1") == ["501"]
    assert await who.all(b"AUTH PLAIN AGEAYg==", b"VRFY x", b"EXPN all", b"HELP", b"TURN", b"STARTTLS") == [
        "502", "252", "502", "214", "500", "454"]  # fmt: skip


async def test_a_letter_comes_through_as_it_was(post, tray):
    there = await post([tray])
    who = await there.stranger()
    body = b"Subject: \xc3\xa4\0\r\n\r\n..two dots\r\n.one\r\n" + b"x" * 60_000 + b"\r\n\x80\xff\r\n"
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in body.split(b"\r\n"))
    await who.say(b"MAIL FROM:<\xc3\xa4@b\xc3\xbccher.example> SMTPUTF8 BODY=8BITMIME SIZE=70000")
    assert await who.all(f"RCPT TO:<{OURS}>".encode(), f"RCPT TO:<a{OURS}>".encode(), b"DATA", stuffed + b".\r\n") == [
        "250", "250", "354", "250"]  # fmt: skip
    ((to, arrived),) = tray.got
    assert (to, arrived.octets, arrived.peer) == ([OURS, f"a{OURS}"], body, "127.0.0.1")
    assert arrived.reverse_path == "ä@xn--bcher-kva.example"
    assert there.server.room.octets == 0


async def test_all_at_once_in_one_packet(post, tray):
    who = await (await post([tray])).stranger()
    rcpt = f"RCPT TO:<{OURS}>\r\n".encode()
    who.writer.write(b"MAIL FROM:<a@b.example>\r\n" + rcpt + b"RCPT TO:<no@where.example>\r\nDATA\r\n")
    assert [(await who.hear())[:3] for _ in range(4)] == ["250", "250", "550", "354"]
    who.writer.write(LETTER + b".\r\nMAIL FROM:<a@b.example>\r\n" + rcpt + b"RSET\r\nQUIT\r\n")
    assert [(await who.hear())[:3] for _ in range(5)] == ["250", "250", "250", "250", "221"]
    assert len(tray.got) == 1


async def test_order_and_arguments(post, tray):
    there = await post([tray])
    who = await there.stranger(greet=False)
    await who.hear()
    assert await who.all(b"MAIL FROM:<a@b.example>", b"EHLO x", b"RCPT TO:<x@y.example>", b"DATA") == [
        "503", "250", "503", "503"]  # fmt: skip
    assert await who.all(b"MAIL FROM:a@b.example", b"MAIL FROM:<a@b.example> BODY=odd", b"MAIL FROM:<a@b.example> X=1",
                         b"MAIL FROM:<\xc3\xa4@b.example>", b"MAIL FROM:<\xff@b.example>", b"MAIL FROM:<a@b.example>",
                         f"RCPT TO:<{OURS}>".encode(), b"DATA now") == [
        "553", "501", "555", "553", "553", "250", "250", "501"]  # fmt: skip


@pytest.mark.parametrize(
    "bare", [b"a\nb\r\n", b"a\rb\r\n", b"a\n.\n\r\n", b"\n.\r\n", b"\r.\r\r\n", b"a\r\n\n.\r\n", b"x" * 99 + b"\n\r\n"]
)
async def test_a_bare_cr_or_lf_is_refused_and_nothing_after_it_is_a_command(post, tray, bare):
    who = await (await post([tray])).stranger()
    smuggled = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % OURS.encode()
    answer = await who.mail(OURS, b"Subject: a\r\n\r\n" + bare + b"\r\n.\r\n" + smuggled + LETTER)
    assert answer.startswith("554 5.6.0")
    assert await who.hear() == ""
    assert tray.got == []


@pytest.mark.parametrize(
    "bare", [b"NOOP\n", b"NOOP\rRSET\r\n", b"NOOP\r\r\n", b"NOOP\n\r\n", b"\n", b"\rNOOP\r\n", b"x" * 70_000 + b"\n"]
)
async def test_a_command_that_ends_otherwise_ends_the_connection(post, tray, bare):
    """So that a server before us that reads only CR LF as an end cannot be made to bring us commands of a stranger."""
    there = await post([tray])
    who = await there.stranger()
    await who.all(b"MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>".encode())
    who.writer.write(bare + b"DATA\r\n" + LETTER + b".\r\n")
    assert (await who.hear()).startswith("500 5.5.2 A command ends with CR LF")
    assert await who.hear() == ""
    assert (tray.got, there.server.tally["refused"]) == ([], 1)
    await until(lambda: not there.server.connections)


async def test_what_is_not_offered_is_not_done(post, house):
    """No chunks, no relaying for whoever says that they are somebody, no address of anybody else."""
    who = await (await post(house.desks)).stranger()
    assert await who.all(b"MAIL FROM:<>", b"BDAT 5 LAST", b"XCLIENT ADDR=127.0.0.1", b"XFORWARD NAME=x", b"ETRN x") == [
        "250", "500", "500", "500", "500"]  # fmt: skip
    others = (b"<ann@example.net>", b"<@bounces.example:ann@example.net>", b"<ann%example.net@bounces.example>",
              b"<example.net!ann@bounces.example>", b'<"ann@example.net"@bounces.example>', b"<>", b"<@>")  # fmt: skip
    assert {(await who.say(b"RCPT TO:" + each))[0] for each in others} == {"5"}
    assert await who.all(b"DATA") == ["503"]


async def test_sizes(post, tray):
    there = await post([tray], Limits(size=5_000, line=1_000))
    who = await there.stranger()
    assert (await who.say(b"MAIL FROM:<a@b.example> SIZE=5001")).startswith("552")
    assert (await who.mail(OURS, b"x: y\r\n" * 834)).startswith("552 5.3.4")
    assert (await who.mail(OURS, b"x" * 1_500 + b"\r\n")).startswith("554 5.6.0 A line")
    assert (await who.mail(OURS, b"x" * 1_200 + b".\r\n.\r\nRSET\r\n")).startswith("554 5.6.0 A line")
    assert [(await who.hear())[:3] for _ in range(2)] == ["250", "500"]
    assert (await who.mail(OURS, b"x" * 800 + b"\r\n")).startswith("250")
    who.writer.write(b"N" * 5_000 + b"\r\nNOOP\r\n")
    assert (await who.hear()).startswith("500")
    assert (await who.hear()).startswith("250")
    assert there.server.tally["refused"] == 3
    assert len(tray.got) == 1


async def test_an_endless_line_and_an_endless_letter_are_cut_off(post, tray):
    there = await post([tray], Limits(size=50_000, line=1_000))
    for flood in (b"x" * 200_000, b"x: y\r\n" * 40_000):
        who = await there.stranger()
        await who.all(b"MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>".encode(), b"DATA")
        who.writer.write(flood)
        assert (await who.hear())[:3] in ("552", "554")
        assert await who.hear() == ""
    assert there.server.room.octets == 0


async def test_there_is_room_for_so_many_octets_of_all(post, tray, monkeypatch):
    monkeypatch.setattr(limits, "OCTETS", 1_000)
    there = await post([tray])
    first, second = await there.stranger(), await there.stranger()
    start = [b"MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>".encode(), b"DATA"]
    assert await first.all(*start) == ["250", "250", "354"]
    first.writer.write(b"x: " + b"y" * 900 + b"\r\n")
    await until(lambda: there.server.room.octets > 900)
    assert (await second.mail(OURS, b"x: " + b"y" * 900 + b"\r\n")).startswith("452 4.3.1")
    assert (await first.say(b".\r\n")).startswith("250")
    assert (await second.mail(OURS, b"x: " + b"y" * 900 + b"\r\n")).startswith("250")


async def test_so_many_connections(post, tray):
    there = await post([tray], Limits(connections=3, per_peer=2))
    one, two = await there.stranger(), await there.stranger()
    third = await there.stranger(greet=False)
    assert (await third.hear()).startswith("421 4.7.0")
    third.writer.write(b"EHLO x\r\n")
    assert await third.hear() == ""
    assert await one.all(b"QUIT") == ["221"]
    await until(lambda: there.server.connections == 1)
    await there.stranger()
    assert there.server.told()["troth_inbound_connections"] == {"": 2.0}
    assert there.server.tally["turned-away"] == 1
    assert await two.all(b"NOOP") == ["250"]


def test_all_peers_together_have_a_limit():
    room = Room(Limits(connections=2, per_peer=2))
    assert [room.enter(peer) for peer in "abc"] == [True, True, False]
    room.leave("a")
    assert (room.enter("c"), dict(room.peers)) == (True, {"b": 1, "c": 1})


async def test_so_many_commands_recipients_and_wrong_addresses(post, tray, monkeypatch):
    there = await post([tray])
    who = await there.stranger()
    assert set(await who.all(*[b"NOOP"] * 20)) == {"250"}
    assert (await who.say(b"NOOP")).startswith("421")
    assert await who.hear() == ""
    who = await there.stranger()
    await who.say(b"MAIL FROM:<a@b.example>")
    assert set(await who.all(*[f"RCPT TO:<{n}{OURS}>".encode() for n in range(100)])) == {"250"}
    assert (await who.say(f"RCPT TO:<{OURS}>".encode())).startswith("452 4.5.3")
    who = await there.stranger()
    await who.say(b"MAIL FROM:<a@b.example>")
    assert set(await who.all(*[b"RCPT TO:<%d@b.example>" % n for n in range(20)])) == {"550"}
    assert (await who.hear()).startswith("421 4.7.0")
    assert await who.hear() == ""
    assert there.server.tally["not-ours"] == 20


@pytest.mark.parametrize("phase", ["greeting", "command", "block", "letter", "session"])
async def test_each_phase_has_its_time(post, tray, phase):
    times = {"command": 20.0, "block": 20.0, "letter": 20.0, "session": 20.0} | {
        {"greeting": "command"}.get(phase, phase): 0.3
    }
    there = await post([tray], Limits(**times))
    who = await there.stranger(greet=phase != "greeting")
    if phase == "greeting":
        await who.hear()
    if phase in ("block", "letter"):
        await who.all(b"MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>".encode(), b"DATA")
    if phase == "letter":
        who.writer.write(b"Subject: slow\r\n")
    elif phase == "session":
        await who.all(b"NOOP", b"NOOP")
    assert (await who.hear()).startswith("421 4.4.2")
    assert await who.hear() == ""
    await until(lambda: not there.server.connections)
    assert (there.server.tally["timeout"], tray.got) == (1, [])


async def test_dripping_octets_of_a_letter_keep_it_alive_until_its_own_time_is_over(post, tray):
    there = await post([tray], Limits(block=0.4, letter=1.0))
    who = await there.stranger()
    await who.all(b"MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>".encode(), b"DATA")
    hearing = asyncio.create_task(who.hear())
    began = asyncio.get_running_loop().time()
    while not hearing.done():
        who.writer.write(b"x")
        await asyncio.sleep(0.05)
    assert (await hearing).startswith("421 4.4.2")
    assert 0.9 < asyncio.get_running_loop().time() - began < 5


async def test_a_connection_that_breaks_off_leaves_nothing(post, tray):
    there = await post([tray])
    for words in (b"MAIL FROM:<a@b", b"DATA\r\nSubject: half"):
        who = await there.stranger()
        await who.all(b"MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>".encode())
        who.writer.write(words)
        who.writer.transport.abort()
    who = await there.stranger()
    who.writer.write_eof()
    assert await who.hear() == ""
    await until(lambda: not there.server.connections)
    assert (there.server.room.octets, tray.got, there.server._live) == (0, [], set())


async def test_a_reply_never_carries_what_a_stranger_wrote_as_control(post, tray):
    who = await (await post([tray])).stranger()
    who.writer.write(b"EVIL\x1b250\0X\r\nNOOP\r\n")
    assert (await who.hear()).startswith('500 Error: command "EVIL?250?X"')
    assert (await who.hear()).startswith("250")
    assert (await who.say(b"\xff\xfe")).startswith("500")


async def test_starttls_with_the_installations_own_pair(post, tray, tmp_path):
    pair = make_local_certificate(tmp_path, ("localhost", "127.0.0.1"))
    there = await post([tray], certificate=certificate(pair.certificate, pair.key))
    who = await there.stranger()
    assert "250-STARTTLS" in await who.say(b"EHLO there.example")
    who.writer.write(b"STARTTLS\r\n")
    assert (await who.hear()).startswith("220")
    await who.tls()
    assert "STARTTLS" not in (offered := await who.say(b"EHLO there.example"))
    assert "AUTH" not in offered
    assert (await who.mail(OURS)).startswith("250")
    assert await who.all(b"STARTTLS", b"QUIT") == ["503", "221"]
    assert len(tray.got) == 1
    await until(lambda: not there.server.connections)


async def test_words_that_came_before_the_handshake_are_forgotten(post, tray, tmp_path):
    """STARTTLS with a command in the same packet: a stranger on the way put it there (RFC 3207 6)."""
    pair = make_local_certificate(tmp_path, ("localhost", "127.0.0.1"))
    there = await post([tray], certificate=certificate(pair.certificate, pair.key))
    who = await there.stranger()
    who.writer.write(b"STARTTLS\r\nMAIL FROM:<evil@b.example>\r\n")
    assert (await who.hear()).startswith("220")
    try:
        await who.tls()
        assert (await who.say(b"RCPT TO:<x@y.example>")).startswith("503")
    except OSError:
        pass  # or the handshake fails over them
    assert tray.got == []


async def test_a_handshake_that_is_none_ends_the_connection(post, tray, tmp_path):
    pair = make_local_certificate(tmp_path, ("localhost", "127.0.0.1"))
    there = await post([tray], certificate=certificate(pair.certificate, pair.key))
    who = await there.stranger()
    assert (await who.say(b"STARTTLS")).startswith("220")
    who.writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(10):
        while await who.reader.read(1000):
            pass
    await until(lambda: not there.server.connections)
    assert there.server.tally["broken"] == 0


def test_the_pair_is_read_again_when_it_was_renewed(tmp_path):
    assert certificate(None, None)() is None
    assert certificate(tmp_path / "no", tmp_path / "no.key")() is None
    pair = make_local_certificate(tmp_path, ("localhost",))
    current = certificate(pair.certificate, pair.key)
    first = current()
    assert current() is first
    pair.certificate.write_bytes(pair.certificate.read_bytes() + b"\n")
    os.utime(pair.certificate, (1, 1))
    second = current()
    assert second is not first
    pair.certificate.write_text("half")
    assert current() is second


async def test_the_end_waits_for_what_is_being_carried_out(post, tray):
    there = await post([tray])
    idle, busy = await there.stranger(), await there.stranger()
    tray.open.clear()
    letter = asyncio.create_task(busy.mail(OURS))
    await until(lambda: any(each._working for each in there.server._live))
    ending = asyncio.create_task(there.server.stop())
    assert (await idle.hear()).startswith("421 4.3.2")
    assert not ending.done()
    tray.open.set()
    assert (await letter).startswith("250")
    assert (await busy.hear()).startswith("421 4.3.2")
    await ending


async def test_the_end_does_not_wait_for_ever(post, tray):
    there = await post([tray], Limits(grace=0.2))
    busy = await there.stranger()
    tray.open.clear()
    letter = asyncio.create_task(busy.mail(OURS))
    await until(lambda: any(each._working for each in there.server._live))
    async with asyncio.timeout(5):
        await there.server.stop()
    with pytest.raises((ConnectionResetError, IndexError)):
        (await letter)[0]
    await until(lambda: not there.server.connections)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.lists(st.binary(max_size=60) | st.sampled_from(
    [b"EHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<x@bounces.example>\r\n", b"DATA\r\n",
     b"\r\n.\r\n", b"RSET\r\n", b"HELP x\r\n", b"VRFY \xff\r\n", b"AUTH LOGIN\r\n", b"STARTTLS\r\n"]), max_size=12))  # fmt: skip
def test_no_noise_is_a_fault(noise):
    """Whatever comes, the server answers lines of digits and ASCII, and nothing of it is an uncaught error."""

    async def run():
        from troth.flow.inbound.server import Server

        listening, tray = socket.create_server(("127.0.0.1", 0)), Tray()
        server = Server([tray], "mx.example")
        await server.start(listening)
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
        writer.write(b"".join(noise) + b"\r\n.\r\nQUIT\r\n")
        said = b""
        async with asyncio.timeout(10):
            while chunk := await reader.read(65_536):
                said += chunk
                if b"\r\n221" in said:
                    break
        writer.close()
        await server.stop()
        lines = said.split(b"\r\n")[:-1]
        assert all(line[:3].isdigit() and all(32 <= octet < 127 for octet in line) for line in lines)
        assert server.tally["broken"] == 0

    asyncio.run(run())


@given(st.lists(st.sampled_from([b".\r\n", b"..\r\n", b"a\r\n", b"\r\n", b".x\r\n"]), max_size=20))
def test_what_is_gathered_is_what_was_stuffed(lines):
    body = b"".join(lines)
    gathered, room = Gathering(Limits(), room := Room(Limits())), room
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    assert not any(gathered.line(line) for line in stuffed)
    assert gathered.line(gathering.END)
    assert gathered.octets() == body
    assert room.octets == len(b"".join(stuffed))
    gathered.done()
    assert room.octets == 0
