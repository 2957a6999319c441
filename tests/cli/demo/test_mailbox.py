"""The demo's mailbox over real sockets: what it takes and refuses, and how it runs and ends as a process."""

import asyncio
import os
import signal
import smtplib
import ssl
import subprocess
import sys
import threading
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
import pytest
from tests.support.mailbox import MAIL

from troth.cli.demo.mailbox import NAMES, Mailbox, main
from troth.cli.demo.mailbox_script import Script
from troth.cli.demo.tls import make_local_certificate
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.route import Route
from troth.flow.delivery.smtp_types import Envelope


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_local_certificate(tmp_path_factory.mktemp("tls"), NAMES)


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
