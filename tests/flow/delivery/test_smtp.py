"""One connection against servers that misbehave, over real sockets: each envelope has its answer, and the right one."""

import asyncio
import socket
import ssl
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.hostile import PIPELINED, STEPWISE, TAKE, hostile
from tests.support.loops import on_both_loops
from tests.support.sink import Sink

from troth.cli.demo.mailbox import server_context
from troth.cli.demo.tls import make_local_certificate
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.route import Route, Timeouts
from troth.flow.delivery.smtp_types import Envelope

TIMES = Timeouts(
    connect=2, greeting=0.3, ehlo=0.3, starttls=0.5, auth=0.3, mail=0.3, rcpt=0.3, data=0.3, eod=0.3, quit=0.2,
    idle=5, wait=3,
)  # fmt: skip
PATIENT = replace(TIMES, greeting=5, ehlo=5, starttls=5, auth=5, mail=5, rcpt=5, data=5, eod=5)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_local_certificate(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1"])


def envelope(data=b"Subject: a\r\n\r\nhello\r\n", to=b"sam@y.test"):
    return Envelope(uuid.uuid4(), b"b@x.test", to, data, len(data))


def route(port, **options):
    return Route(**{"name": "r", "host": "127.0.0.1", "port": port, "tls": "none", "timeouts": TIMES} | options)


async def send(server, sent=None, **options):
    async with Pool(route(server.port, **options)) as pool:
        answer = await asyncio.wait_for(pool.send(sent or envelope()), 8)
        health = pool.health
    return answer, health


def verdict(answer):
    return answer.outcome, answer.phase, answer.code


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (("close",), ("unsent", "greeting", None)),
        (("drip:22", "reset"), ("unsent", "greeting", None)),
        (("hang",), ("unsent", "greeting", None)),
        (("raw:220 half a line", "close"), ("unsent", "greeting", None)),
        (("raw:220 half a line", "hang"), ("unsent", "greeting", None)),
        (("SSH-2.0-OpenSSH_9.2", "hang"), ("unsent", "greeting", None)),
        (("554 5.7.1 you are listed",), ("unsent", "greeting", 554)),
        (("421 4.3.2 too busy", "close"), ("unsent", "greeting", 421)),
        (("drip:220 a very slow server, an octet at a time, each in time\r\n",), ("unsent", "greeting", None)),
        (("220-a|221 b", "hang"), ("unsent", "greeting", None)),
        (("220-" + "a" * 3000, "hang"), ("unsent", "greeting", None)),
        (("220-a|" * 200 + "220 a", "hang"), ("unsent", "greeting", None)),
        (("220 hi", "<EHLO", "close"), ("unsent", "ehlo", None)),
        (("220 hi", "<EHLO", "hang"), ("unsent", "ehlo", None)),
        (("220 hi", "<EHLO", "502 5.5.1 what"), ("unsent", "ehlo", 502)),
        (("220 hi", "<EHLO", "250-x", "hang"), ("unsent", "ehlo", None)),
        ((*STEPWISE, "<MAIL", "close"), ("unsent", "mail", None)),
        ((*STEPWISE, "<MAIL", "hang"), ("unsent", "mail", None)),
        ((*STEPWISE, "<MAIL", "452 4.3.1 no room"), ("refused", "mail", 452)),
        ((*STEPWISE, "<MAIL", "250 ok", "<RCPT", "close"), ("unsent", "rcpt", None)),
        ((*STEPWISE, "<MAIL", "250 ok", "<RCPT", "hang"), ("unsent", "rcpt", None)),
        ((*STEPWISE, "<MAIL", "250 ok", "<RCPT", "550-5.1.1 no|550 5.1.1 such user"), ("refused", "rcpt", 550)),
        ((*STEPWISE, "<MAIL", "250 ok", "<RCPT", "250 ok", "<DATA", "close"), ("unsent", "data", None)),
        ((*STEPWISE, "<MAIL", "250 ok", "<RCPT", "250 ok", "<DATA", "hang"), ("unsent", "data", None)),
        (
            (*STEPWISE, "<MAIL", "250 ok", "<RCPT", "250 ok", "<DATA", "354 go", "<.", "250 2.0.0 in"),
            ("accepted", "eod", 250),
        ),
        ((*PIPELINED, *TAKE, "250 in"), ("accepted", "eod", 250)),
        ((*PIPELINED, *TAKE, "250-2.0.0 in|250 2.0.0 for sure"), ("accepted", "eod", 250)),
        ((*PIPELINED, *TAKE, "554 5.6.0 spam"), ("refused", "eod", 554)),
        ((*PIPELINED, *TAKE, "451 4.3.0 later"), ("refused", "eod", 451)),
        ((*PIPELINED, *TAKE, "421 4.3.2 bye", "close"), ("unsent", "eod", 421)),
        ((*PIPELINED, *TAKE, "close"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "reset"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "hang"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "raw:25", "close"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "raw:250 yes\n", "hang"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "oops", "hang"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "354 go on", "hang"), ("lost", "eod", None)),
        ((*PIPELINED, *TAKE, "drip:250 too slowly said to be believed, alas\r\n"), ("lost", "eod", None)),
        ((*PIPELINED, "<DATA", "250 ok|421 4.3.2 bye", "close"), ("unsent", "rcpt", 421)),
        ((*PIPELINED, "<DATA", "250 ok|250 ok|250 ok", "hang"), ("unsent", "data", None)),
        ((*PIPELINED, "<DATA", "250 ok|550 5.1.1 no|354 go", "<.", "250 nobody"), ("refused", "rcpt", 550)),
        ((*PIPELINED, "<DATA", "503 5.5.1 confused", "hang"), ("unsent", "mail", 503)),
    ],
)
@on_both_loops
async def test_each_bad_behaviour_has_its_answer(script, expected):
    async with hostile(*script) as server:
        answer, health = await send(server)
    assert verdict(answer) == expected
    assert answer.maybe_taken == (expected[0] == "lost")
    assert answer.text or expected[2] is not None
    assert health.accepted + health.refused + health.unsent + health.lost == 1


@on_both_loops
async def test_a_lone_dot_is_what_the_server_hears_after_a_refused_recipient():
    async with hostile(
        *PIPELINED, "<DATA", "250 ok|550 5.1.1 no|354 go", "<.", "250 nobody", "<QUIT", "221 bye"
    ) as server:
        answer, _ = await send(server)
        assert verdict(answer) == ("refused", "rcpt", 550)
        assert server.heard[0][-2:] == [b".\r\n", b"QUIT\r\n"]
        assert b"hello\r\n" not in server.heard[0]


@on_both_loops
async def test_no_server_at_all():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with Pool(route(port)) as pool:
        answer = await pool.send(envelope())
    assert verdict(answer) == ("unsent", "connect", None)
    assert "refused" in answer.text.lower()


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".test"])
@on_both_loops
async def test_a_host_that_has_no_address(host, tls):
    async with Pool(route(25, host=host, tls="starttls", ca_file=str(tls.ca))) as pool:
        assert verdict(await pool.send(envelope())) == ("unsent", "connect", None)


@on_both_loops
async def test_a_connection_that_is_never_made_ends_in_time():
    """A full backlog: the kernel lets nobody in."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        await asyncio.sleep(0.1)
        async with Pool(route(port, timeouts=replace(TIMES, connect=0.3, greeting=0.3))) as pool:
            answer = await pool.send(envelope())
        for filler in fillers:
            filler.close()
    assert answer.outcome == "unsent"
    assert "0.3 s" in answer.text


@on_both_loops
async def test_large_content_meets_a_server_that_stops_reading():
    """The dot is not out while the kernel holds the rest back, so nothing is uncertain."""
    big = envelope((b"x" * 98 + b"\r\n") * 300_000)
    async with hostile(*STEPWISE, "<MAIL", "250 ok", "<RCPT", "250 ok", "<DATA", "354 go", "stall") as server:
        answer, _ = await send(server, big)
    assert verdict(answer) == ("unsent", "data", None)


@on_both_loops
async def test_large_content_is_whole_at_the_other_end(tmp_path):
    from troth.cli.demo.mailbox_store import MailStore

    store = MailStore(tmp_path / "mail")
    sink = Sink(store)
    port = await sink.start()
    lines = b"..stuffed\r\n" + (b"x" * 98 + b"\r\n") * 50_000
    async with Pool(route(port, timeouts=PATIENT)) as pool:
        answers = [await pool.send(envelope(b"Subject: a\r\n\r\n" + lines)) for _ in range(2)]
    await sink.stop()
    assert {verdict(answer) for answer in answers} == {("accepted", "eod", 250)}
    for entry in store.entries():
        assert store.read(entry.file) == b"Subject: a\r\n\r\n" + lines[1:]
    store.close()


# TLS

GREET = ("220 hi", "<EHLO", "250-x|250 STARTTLS", "<STARTTLS")


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
@pytest.mark.parametrize("login", [None, "troth"])
@on_both_loops
async def test_tls_and_auth_on_a_good_server(tls, mode, login):
    password = "s3cret" if login else None
    sink = Sink(None, server_context(tls), implicit=mode == "implicit", user=login, password=password)
    port = await sink.start()
    options = {"tls": mode, "ca_file": str(tls.ca), "username": login, "password": password, "timeouts": PATIENT}
    async with Pool(route(port, **options)) as pool:
        answer = await pool.send(envelope())
    await sink.stop()
    assert verdict(answer) == ("accepted", "eod", 250)


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
@on_both_loops
async def test_a_wrong_password_is_no_verdict_on_the_message(tls, mode):
    sink = Sink(None, server_context(tls), implicit=mode == "implicit", user="troth", password="right")
    port = await sink.start()
    options = {"tls": mode, "ca_file": str(tls.ca), "username": "troth", "password": "wrong-one", "timeouts": PATIENT}
    async with Pool(route(port, **options)) as pool:
        answer = await pool.send(envelope())
        assert pool.health.failing == 1
    await sink.stop()
    assert verdict(answer) == ("unsent", "auth", 535)
    assert "wrong-one" not in repr(answer)


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
@pytest.mark.parametrize("fault", ["wrong name", "unknown authority", "expired"])
@on_both_loops
async def test_a_bad_certificate_ends_it_before_anything_is_said(tls, tmp_path, mode, fault):
    shown, believed, options = tls, tls, {}
    if fault == "wrong name":
        options["verify_name"] = "mx.elsewhere.test"
    if fault == "unknown authority":
        believed = make_local_certificate(tmp_path, ["localhost", "127.0.0.1"])
    if fault == "expired":
        then = datetime.now(UTC) - timedelta(days=30)
        shown = believed = make_local_certificate(
            tmp_path, ["localhost", "127.0.0.1"], life=timedelta(days=20), now=then
        )
    script = () if mode == "implicit" else (*GREET, "220 go", "tls")
    async with hostile(*script, "hang", context=server_context(shown), implicit=mode == "implicit") as server:
        answer, _ = await send(server, tls=mode, ca_file=str(believed.ca), timeouts=PATIENT, **options)
    phase = "connect" if mode == "implicit" else "starttls"
    assert verdict(answer) == ("unsent", phase, None)
    assert "certificate" in answer.text.lower()
    assert all(b"MAIL" not in line for lines in server.heard for line in lines)


@on_both_loops
async def test_a_name_other_than_the_host_may_be_the_one_to_verify(tls):
    sink = Sink(None, server_context(tls))
    port = await sink.start()
    options = {"tls": "starttls", "ca_file": str(tls.ca), "verify_name": "localhost", "timeouts": PATIENT}
    async with Pool(route(port, **options)) as pool:
        assert (await pool.send(envelope())).outcome == "accepted"
    await sink.stop()


@pytest.mark.parametrize(
    ("script", "phase", "code"),
    [
        (("220 hi", "<EHLO", "250 x", "hang"), "starttls", None),
        ((*GREET, "454 4.7.0 not now", "hang"), "starttls", 454),
        ((*GREET, "raw:220 go\r\n250 injected\r\n", "hang"), "starttls", None),
        ((*GREET, "raw:220 go\r\n25", "hang"), "starttls", None),
        ((*GREET, "220 go", "raw:250 this is not TLS\r\n", "hang"), "starttls", None),
        ((*GREET, "220 go", "close"), "starttls", None),
        ((*GREET, "220 go", "hang"), "starttls", None),
        ((*GREET, "220 go", "tls", "close"), "ehlo", None),
        ((*GREET, "220 go", "tls", "<EHLO", "hang"), "ehlo", None),
        ((*GREET, "220 go", "tls", "<EHLO", "250 AUTH PLAIN", "hang"), "auth", None),
    ],
)
@on_both_loops
async def test_starttls_gone_wrong(tls, script, phase, code):
    login = {"username": "troth", "password": "s3cret"} if phase == "auth" else {}
    async with hostile(*script, context=server_context(tls)) as server:
        answer, _ = await send(server, tls="starttls", ca_file=str(tls.ca), **login)
    assert verdict(answer) == ("unsent", phase, code)
    assert all(b"MAIL" not in line for lines in server.heard for line in lines)


@on_both_loops
async def test_an_implicit_tls_server_that_is_silent_or_plain(tls):
    for script in (("hang",), ("220 plain", "hang")):
        async with hostile(*script) as server:
            times = replace(TIMES, connect=0.4)
            answer, _ = await send(server, tls="implicit", ca_file=str(tls.ca), timeouts=times)
        assert verdict(answer) == ("unsent", "connect", None)


@on_both_loops
async def test_tls_11_is_not_spoken(tls):
    old = server_context(tls)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with hostile(*GREET, "220 go", "tls", context=old) as server:
        answer, _ = await send(server, tls="starttls", ca_file=str(tls.ca))
    assert verdict(answer) == ("unsent", "starttls", None)


@on_both_loops
async def test_a_close_in_the_middle_of_tls_traffic_is_lost_when_the_dot_is_out(tls):
    script = (*GREET, "220 go", "tls", "<EHLO", "250-x|250 PIPELINING", *TAKE, "reset")
    async with hostile(*script, context=server_context(tls)) as server:
        answer, _ = await send(server, tls="starttls", ca_file=str(tls.ca))
    assert verdict(answer) == ("lost", "eod", None)
