"""`troth inspect address`: one JSON line an address, whatever bytes it is made of."""

import json
import subprocess
import sys

KEYS = [
    "address",
    "smtp_valid",
    "accepted",
    "reasons",
    "normalised",
    "ascii",
    "role",
    "disposable",
    "mixed_script",
    "suggestion",
]


def run(*args, stdin=None):
    done = subprocess.run(
        [sys.executable, "-m", "troth.cli", "inspect", "address", *args], input=stdin, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done.stdout


def test_one_line_each_in_order_and_in_ascii():
    given = [
        b"ann@gmaill.com",
        b"-x@example.com",
        b"",
        b"--",
        b"a\xff@b.example",
        "jörg@bücher.example".encode(),
        b"\x7f\x1b[2J@b.example",
    ]
    out = run("--json", "--", *given)
    assert out.isascii()
    assert b"\x7f" not in out
    assert b"\x1b" not in out
    found = [json.loads(line) for line in out.splitlines()]
    assert [list(one) for one in found] == [KEYS] * len(given)
    assert [one["address"].encode("utf-8", "surrogateescape") for one in found] == given
    assert [one["smtp_valid"] for one in found] == [True, True, False, False, False, True, False]
    assert found[0]["suggestion"] == "ann@gmail.com"
    assert [reason["code"] for reason in found[4]["reasons"]] == ["utf8"]


def test_the_profile_decides_and_words_say_it():
    told = run("--profile", "retail", "--", "postmaster@gmial.com").decode()
    assert "not accepted" in told
    assert "Did you mean" not in told, "the provider's postmaster would be refused, too"
    slip = run("--profile", "retail", "--", "ann@gmial.com").decode()
    assert slip.index("Did you mean") < slip.index("disposable")
    assert "It is a role's address." in told
    assert "disposable by the list of" in told
    assert 'postmaster@example.com": accepted' in run("--", "postmaster@example.com").decode()


def test_standard_input_may_hold_anything():
    found = [json.loads(line) for line in run("--json", stdin=b"a\0b@c.example\nann@web.de\n\xff\n").splitlines()]
    assert [one["accepted"] for one in found] == [False, True, False]
    assert found[0]["address"] == "a\0b@c.example"


def test_lines_may_end_as_on_windows():
    out = run("--json", stdin=b"ann@web.de\r\nbob@web.de\r\ncarol@web.de\nx\r\r\ndave@web.de\r")
    found = [json.loads(line) for line in out.splitlines()]
    assert [(one["address"], one["accepted"]) for one in found] == [
        ("ann@web.de", True), ("bob@web.de", True), ("carol@web.de", True), ("x\r", False), ("dave@web.de", True)]  # fmt: skip
