"""`troth serve inbound` as a process: it takes mail while it lives, gives signs of life, and ends well; `troth letter`."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time

import psycopg
import pytest

from troth.cli.commands.letter import for_a_terminal

_UNREAD = "SELECT id FROM troth.inbound_letter WHERE read_at IS NULL"
LETTER = b"From: Ann <ann@example.net>\r\nSubject: help\r\n\r\nPlease call me.\r\n"


@pytest.fixture
def port(desk, monkeypatch):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    monkeypatch.setenv("TROTH_INBOUND_PORT", str(port))
    monkeypatch.setenv("TROTH_RETURN_PATH_DOMAIN", "Bounces.Example")
    return port


@pytest.fixture
def serve(port):
    begun = []

    def start():
        begun.append(subprocess.Popen([sys.executable, "-m", "troth.cli", "serve", "inbound"], stdout=subprocess.PIPE))
        for _ in range(600):
            assert begun[-1].poll() is None, begun[-1].stdout.read().decode()
            try:
                smtplib.SMTP("127.0.0.1", port, timeout=20).quit()
            except OSError:
                time.sleep(0.05)
            else:
                return begun[-1]
        raise AssertionError("it does not listen")

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def rows(query):
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as admin:
        return admin.execute(query).fetchall()


def test_it_needs_to_be_told_where(desk):
    assert "inbound_port (TROTH_INBOUND_PORT) is needed" in desk.refused("serve", "inbound")


def test_a_letter_is_taken_kept_and_read_by_a_person(desk, port, serve):
    process = serve()
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as there:
        assert there.sendmail("ann@example.net", ["postmaster@bounces.example"], LETTER) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            there.sendmail("ann@example.net", ["someone@bounces.example"], LETTER)
    for _ in range(100):
        if beats := rows("SELECT domain FROM troth.inbound_beat WHERE seen > clock_timestamp() - interval '1 minute'"):
            break
        time.sleep(0.05)
    assert beats == [("bounces.example",)]
    [kept] = desk.json("letter", "list")
    assert (kept["desk"], kept["size"], kept["read_at"]) == ("postmaster", len(LETTER), None)
    assert "unread" in desk.ok("letter", "list")
    said = desk.ok("letter", "read", kept["id"], *desk.as_owner(1))
    assert said.rstrip().endswith("Please call me.")
    assert "Return-Path: ann@example.net" in said
    assert desk.json("letter", "list")[0]["read_at"]
    assert rows("SELECT count(*) FROM troth.ledger_pending WHERE kind = 'feedback:letter:read'") == [(1,)]
    assert "no such letter" in desk.refused("letter", "read", "0199aaaa-0000-7000-8000-000000000000", *desk.as_owner(1))
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_port_that_is_taken_is_said(desk, port):
    with socket.create_server(("127.0.0.1", port)):
        assert "The server for incoming mail cannot listen" in desk.refused("serve", "inbound")


def test_unread_letters_come_first_the_one_that_waits_longest_before_all(desk, port, serve):
    serve()
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as there:
        for n in range(3):
            there.sendmail("ann@example.net", ["postmaster@bounces.example"], b"X-N: %d\r\n" % n + LETTER)
    oldest, middle, newest = (str(each) for (each,) in rows(f"{_UNREAD} ORDER BY at, id"))
    desk.ok("letter", "read", oldest, *desk.as_owner(1))
    assert [each["id"] for each in desk.json("letter", "list")][:3] == [middle, newest, oldest]


def test_a_strangers_letter_does_not_steer_a_terminal_and_is_read_as_it_was_written():
    octets = "Café ’s\tbill \x1b[2J\x9b31m\x07\r\nend".encode() + b" \xff"
    assert for_a_terminal(octets) == "Café ’s\tbill ?[2J?31m?\r\nend �"
