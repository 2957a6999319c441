"""The demo's mailbox over real sockets: what it takes and refuses, what it keeps, and the page that shows it."""

import asyncio
import os
import re
import signal
import smtplib
import ssl
import stat
import subprocess
import sys
import threading
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from troth.cli.demo.mailbox import NAMES, Mailbox, main
from troth.cli.demo.mailbox_page import PAGE, application, serve_page
from troth.cli.demo.mailbox_script import Script
from troth.cli.demo.mailbox_store import MailStore, message_id
from troth.cli.demo.tls import make_local_certificate
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.route import Route
from troth.flow.delivery.smtp_types import Envelope

HTML = '<p style="color:red">Hi</p><script>alert(1)</script><img src="http://192.0.2.1/x.png">'
MAIL = (
    b"From: Firm <firm@x.test>\r\nTo: sam@y.test\r\nSubject: =?utf-8?q?Caf=C3=A9?= & <b>rent</b>\r\n"
    b"Message-ID: <m1@x.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain <words>\r\n.dotted\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HTML.encode() + b"\r\n--b--\r\n"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_local_certificate(tmp_path_factory.mktemp("tls"), NAMES)


@pytest.fixture
def store(tmp_path):
    made = MailStore(tmp_path / "box" / "mail")
    yield made
    made.close()


def envelope(to="sam@y.test", data=MAIL):
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return Envelope(uuid.uuid4(), b"b@x.test", to.encode(), stuffed, len(data))


@asynccontextmanager
async def running(store, certificate, **options):
    mailbox = Mailbox(store, certificate, "troth", "s3cret", **options)
    port = await mailbox.start()
    secure = {"tls": "starttls", "ca_file": str(certificate.ca), "username": "troth", "password": "s3cret"}
    async with Pool(Route("box", "127.0.0.1", port, **secure)) as pool:
        yield pool
    await mailbox.stop()
    await mailbox.stop()


async def test_what_is_taken_is_kept_octet_for_octet(store, certificate):
    async with running(store, certificate) as pool:
        answer = await pool.send(envelope())
    assert (answer.outcome, answer.enhanced) == ("accepted", "2.0.0")
    (entry,) = store.entries()
    assert (entry.rcpt, entry.mail_from, entry.message_id) == ("sam@y.test", "b@x.test", "<m1@x.test>")
    assert (entry.bytes, entry.reply) == (len(MAIL), "250 2.0.0 Kept")
    assert datetime.fromisoformat(entry.at).tzinfo is not None
    assert store.read(entry.file) == MAIL
    assert [path.name for path in (store.folder / "new").iterdir()] == [entry.file]
    assert list((store.folder / "tmp").iterdir()) == []
    assert entry.file in answer.text


@pytest.mark.parametrize(
    ("local", "outcomes"),
    [
        ("x-bounce-hard", [("refused", "rcpt", 550, "5.1.1")] * 2),
        ("full.house", [("refused", "rcpt", 452, "4.2.2")] * 4),
        ("Full-Twice", [("refused", "rcpt", 452, "4.2.2")] * 2 + [("accepted", "eod", 250, "2.0.0")] * 2),
        ("greylist", [("refused", "rcpt", 451, "4.7.1"), ("accepted", "eod", 250, "2.0.0")]),
        ("policy", [("refused", "rcpt", 550, "5.7.1")] * 2),
        ("tempfail", [("unsent", "rcpt", 421, "4.3.2")] * 2),
        ("drop-after-data", [("lost", "eod", None, None), ("accepted", "eod", 250, "2.0.0")]),
    ],
)
async def test_manners(store, certificate, local, outcomes):
    async with running(store, certificate) as pool:
        answers = [await pool.send(envelope(f"{local}@y.test")) for _ in outcomes]
        ordinary = await pool.send(envelope())
    assert [(a.outcome, a.phase, a.code, a.enhanced) for a in answers] == outcomes
    assert ordinary.outcome == "accepted"
    entries = store.entries()
    assert len(entries) == len(outcomes) + 1  # each attempt stands in the log
    kept = [entry for entry in entries[:-1] if entry.file]
    assert len(kept) == sum(outcome[0] in {"accepted", "lost"} for outcome in outcomes)
    assert all(entry.reply is None for entry, outcome in zip(entries, outcomes, strict=False) if outcome[0] == "lost")


async def test_slow_takes_its_time_and_so_does_a_delay(store, certificate, monkeypatch):
    monkeypatch.setattr("troth.cli.demo.mailbox_script.SLOW", 0.3)
    async with running(store, certificate, delay=0.1) as pool:
        for local, least in (("sam", 0.1), ("slow", 0.3)):
            begun = time.monotonic()
            assert (await pool.send(envelope(f"{local}@y.test"))).outcome == "accepted"
            assert time.monotonic() - begun >= least


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"a\n.\nMAIL FROM:<eve@x.test>\r\n"])
async def test_a_bare_cr_or_lf_is_refused(store, certificate, body):
    mailbox = Mailbox(store)
    port = await mailbox.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b"EHLO x.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<sam@y.test>\r\nDATA\r\n"
    writer.write(said + b"Subject: a\r\n\r\n" + body + b".\r\nQUIT\r\n")
    heard = await reader.read(-1)
    writer.close()
    await mailbox.stop()
    assert b"\r\n554 5.6.0" in heard
    assert [entry.file for entry in store.entries()] == [None]


async def test_a_wrong_password_and_plaintext_are_refused(store, certificate):
    mailbox = Mailbox(store, certificate, "troth", "s3cret")
    port = await mailbox.start()

    def talk():
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.ehlo()
            assert client.docmd("MAIL FROM:<a@x.test>")[0] == 530
            context = ssl.create_default_context(cafile=str(certificate.ca))
            client.starttls(context=context)
            client.ehlo()
            assert client.has_extn("pipelining")
            assert client.docmd("MAIL FROM:<a@x.test>")[0] == 530
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("troth", "wrong")
            client.login("troth", "s3cret")
            assert client.docmd("MAIL FROM:<a@x.test>")[0] == 250

    await asyncio.to_thread(talk)
    await mailbox.stop()
    assert "s3cret" not in repr(mailbox)


async def test_stop_cuts_a_lingering_connection(store):
    mailbox = Mailbox(store)
    port = await mailbox.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    await asyncio.wait_for(mailbox.stop(), 3)
    writer.close()


def test_the_scripts_memory_is_by_address():
    script = Script()
    assert script.at_rcpt("greylist@a.test") is not None
    assert script.at_rcpt("GREYLIST@b.test") is not None
    assert script.at_rcpt("Greylist@A.test") is None
    assert script.at_rcpt("sam@policy.test") is None
    assert not script.drops("sam@drop-after-data.test")
    assert script.delay("slow@a.test") > script.delay("sam@slow.test") == 0


# the store


def test_the_store_syncs_when_asked_and_reads_its_log_piece_by_piece(tmp_path):
    store = MailStore(tmp_path / "mail", fsync=True)
    big = b"Message-Id:\r\n <folded@x.test>\r\n\r\n" + b"x" * 200_000 + b"\r\n"
    name = store.keep(big, "", ["a@y.test", "b@y.test"], "250 ok")
    assert store.read(name) == big
    assert [entry.message_id for entry in store.entries()] == ["<folded@x.test>"] * 2
    with store.log.open("ab") as log:
        log.write(b'{"at":"2026')
    assert len(store.entries()) == 2
    other = MailStore(tmp_path / "mail")
    assert len(other.entries()) == 2
    assert stat.S_IMODE(store.log.stat().st_mode) == 0o600
    store.close()
    other.close()


@pytest.mark.parametrize("name", ["../mailbox.log", "nothing", "", ".", "..", "a/b", "x" * 200, "a\0b"])
def test_only_messages_can_be_read(store, name):
    store.note("a@x.test", ["b@y.test"], "550 no")
    assert store.read(name) is None


def test_a_message_that_was_read_is_found_in_cur(store):
    name = store.keep(MAIL, "", ["a@y.test"], "250 ok")
    (store.folder / "new" / name).rename(store.folder / "cur" / name)
    assert store.read(name) == MAIL


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"MESSAGE-ID: <a@b>\r\n\r\nx", "<a@b>"),
        (b"Subject: a\r\nMessage-Id:<a@b> \r\n\r\n", "<a@b>"),
        (b"Subject: a\r\n\r\nMessage-ID: <body@b>\r\n", None),
        (b"X-Message-ID: <a@b>\r\n\r\n", None),
        (b"Message-ID: <a@b>", "<a@b>"),
    ],
)
def test_the_message_id_is_the_headers(content, found):
    assert message_id(content) == found


# the page


@asynccontextmanager
async def browsing(store):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(store)), base_url="http://box.test"
    ) as client:
        yield client


async def test_an_empty_mailbox_says_what_will_come(store):
    async with browsing(store) as client:
        page = await client.get("/")
    assert page.status_code == 200
    assert "Nothing has come yet" in page.text


async def test_the_list_is_newest_first_in_pages_and_searched_by_recipient(store):
    for number in range(PAGE + 5):
        store.keep(MAIL, "b@x.test", [f"u{number}@y.test"], "250 2.0.0 Kept")
    store.note("b@x.test", ["gone@y.test"], "550 5.1.1 no <such>")
    store.note("b@x.test", ["later@y.test"], "452 4.2.2 full")
    store.keep(b"\r\nno header\r\n", "", ["dropped@y.test"], None)
    async with browsing(store) as client:
        first = (await client.get("/")).text
        second = (await client.get("/?page=2")).text
        found = (await client.get("/?q=U29@")).text
        nothing = (await client.get("/?q=%3Cscript%3E")).text
        nowhere = (await client.get("/?page=99")).text
        odd = await client.get("/?page=-1&q=" + "x" * 999)
        foreign = (await client.get("/?page=%D9%A3")).text
    assert first.index("dropped@y.test") < first.index("gone@y.test") < first.index("u29@y.test")
    assert "u0@y.test" not in first
    assert "u0@y.test" in second
    assert "1 to 25</b> of 33" in first
    assert "26 to 33</b> of 33" in second
    assert "no &lt;such&gt;" in first
    assert "(no subject)" in first
    assert "the connection was dropped" in first
    assert "u29@y.test" in found
    assert "u28@y.test" not in found
    assert "&lt;script&gt;" in nothing
    assert "<script" not in nothing
    assert "Nothing that far back" in nowhere
    assert odd.status_code == 200
    assert "1 to 25" in foreign


async def test_a_message_has_its_page_its_source_and_a_closed_frame(store):
    name = store.keep(MAIL, "b@x.test", ["sam@y.test"], "250 2.0.0 Kept")
    async with browsing(store) as client:
        page = await client.get(f"/message/{name}")
        frame = await client.get(f"/message/{name}/html")
        raw = await client.get(f"/message/{name}/raw")
    assert "Café &amp; &lt;b&gt;rent&lt;&#x2f;b&gt;" in page.text
    assert "plain &lt;words&gt;" in page.text
    assert "&lt;m1@x.test&gt;" in page.text
    assert f'<iframe class="mail" sandbox src="/message/{name}/html"' in page.text
    assert frame.text.strip() == HTML
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert raw.content == MAIL
    assert raw.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"Subject: a\r\n\r\nonly text\r\n",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--y\r\n",
        b"Content-Type: text/html; charset=latin-1\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
        b"Date: never\r\nFrom: <<<\r\nTo: @@\r\nSubject: =?x?q?=ff?=\r\nMessage-ID: <<>\r\n\r\n",
        b"no header at all, \xff only noise\r\n" * 5,
    ],
)
async def test_no_message_breaks_its_page(store, content):
    name = store.keep(content, "", ["sam@y.test"], "250 ok")
    async with browsing(store) as client:
        for path in ("/", f"/message/{name}", f"/message/{name}/raw"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get(f"/message/{name}/html")).status_code in {200, 404}


async def test_a_message_whose_file_is_gone_says_so(store):
    name = store.keep(MAIL, "", ["sam@y.test"], "250 ok")
    (store.folder / "new" / name).unlink()
    async with browsing(store) as client:
        assert "The file is gone" in (await client.get("/")).text
        for path in (f"/message/{name}", f"/message/{name}/html", f"/message/{name}/raw", "/message/..%2Fmailbox.log"):
            assert (await client.get(path)).status_code == 404


async def test_pages_are_strict_and_self_contained(store):
    name = store.keep(MAIL, "b@x.test", ["sam@y.test"], "250 2.0.0 Kept")
    async with browsing(store) as client:
        pages = [await client.get(path) for path in ("/", "/?q=none", f"/message/{name}", "/message/none")]
        style = await client.get("/mailbox.css")
        assert (await client.get("/icon.svg")).headers["content-type"] == "image/svg+xml"
    for page in pages:
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://", page.text)
    assert style.headers["content-type"].startswith("text/css")
    assert "light-dark(" in style.text
    assert not re.search(r"url\(|@import", style.text)


async def test_the_page_is_served_and_ends(store):
    async with serve_page(store) as port:
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


# the certificate


def test_a_certificate_is_made_once_and_its_key_is_private(tmp_path):
    made = make_local_certificate(tmp_path / "tls", ["localhost", "127.0.0.1", "::1"])
    before = [path.read_bytes() for path in made]
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert make_local_certificate(tmp_path / "tls", ["localhost", "127.0.0.1", "::1"]) == made
    assert [path.read_bytes() for path in made] == before
    assert b"PRIVATE" not in made.ca.read_bytes() + made.certificate.read_bytes()


@pytest.mark.parametrize("spoil", ["names", "age", "key", "ca", "certificate"])
def test_a_certificate_that_serves_no_more_is_made_anew(tmp_path, spoil):
    names, now = ["localhost"], datetime.now(UTC)
    made = make_local_certificate(tmp_path, names, now=now)
    before = made.certificate.read_bytes()
    if spoil == "names":
        names = ["localhost", "mx.test"]
    elif spoil == "age":
        now += timedelta(days=392)
    elif spoil == "key":
        made.key.unlink()
    else:
        other = make_local_certificate(tmp_path / "other", names)
        getattr(made, spoil).write_bytes(getattr(other, spoil).read_bytes())
    again = make_local_certificate(tmp_path, names, now=now)
    assert again.certificate.read_bytes() != before


# as a process


def test_it_runs_as_a_process_and_ends_on_sigterm(tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    command = [sys.executable, "-m", "troth.cli.demo.mailbox", "--dir", str(tmp_path / "a box" / "mail")]
    command += [
        "--smtp-port",
        "0",
        "--http-port",
        "0",
        "--user",
        "troth",
        "--password-file",
        str(tmp_path / "password"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline().rpartition(":")[2])
        page = process.stdout.readline().split()[-1]
        ca = str(tmp_path / "a box" / "mailbox-tls" / "ca.pem")
        secure = {"tls": "starttls", "ca_file": ca, "username": "troth", "password": "s3cret"}

        async def send():
            async with Pool(Route("box", "localhost", port, **secure)) as pool:
                return await pool.send(envelope())

        assert asyncio.run(send()).outcome == "accepted"
        assert "sam@y.test" in httpx.get(page).text
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()


def test_bad_options_say_what_is_wrong(capsys):
    with pytest.raises(SystemExit):
        main(["--smtp-port", "25"])
    assert "--dir" in capsys.readouterr().err


def test_main_serves_until_told_to_stop(tmp_path, capsys):
    options = ["--dir", str(tmp_path / "mail"), "--smtp-port", "0", "--no-tls"]
    threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert main(options) == 0
    assert "SMTP on 127.0.0.1:" in capsys.readouterr().out
