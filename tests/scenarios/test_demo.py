"""The whole, from outside: `troth demo --once` twice in a row, and what it leaves: mail, headers, database files."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import dkim
import pytest

from troth.cli.demo.asks import asks, private_words
from troth.cli.demo.expected import expected

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

TROTH = Path(sys.executable).with_name("troth")
CORE = ("from", "to", "subject", "reply-to", "content-type")  # oversigned
OURS_ONCE = {
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-unsubscribe",
    "list-unsubscribe-post", "dkim-signature",
}  # fmt: skip
OURS_MAYBE = {
    "cc", "reply-to", "content-transfer-encoding", "auto-submitted",
    "in-reply-to", "references",  # of an answer to a report
}  # fmt: skip
CALLERS = {name.lower() for ask in asks().values() for name in ask.body.get("headers", {})}


def demo(folder, *before):
    env = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    return subprocess.run(
        [*before, str(TROTH), "demo", "--once"], cwd=folder, env=env, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Two runs in one folder, whose path has a space; the second begins with what the first left."""
    folder = tmp_path_factory.mktemp("a path")
    runs = [demo(folder), demo(folder)]
    return folder, runs


@pytest.fixture(scope="module")
def left(twice):
    """The second run's folder."""
    return twice[0] / "var" / "demo"


@pytest.fixture(scope="module")
def mails(left):
    found = [file.read_bytes() for file in sorted((left / "mailbox" / "new").iterdir())]
    assert len(found) >= 30
    return found


@pytest.fixture(scope="module")
def zone(left):
    return json.loads((left / "zone.json").read_text())


def test_every_outcome_is_as_the_reviewed_file_says_twice_in_a_row(twice):
    for run in twice[1]:
        assert run.returncode == 0, run.stdout + run.stderr
        assert "DIFFERENT" not in run.stdout


def test_the_table_shows_at_least_thirty_messages_with_state_and_reason(twice):
    lines = twice[1][1].stdout.splitlines()
    rows = {line.split()[0]: line for line in lines if line.split() and line.split()[0] in expected()}
    assert len(rows) >= 30
    for each in expected().values():
        assert each.state in rows[each.id]
        assert each.reason in rows[each.id]


def test_no_recipient_is_printed_in_full(twice):
    words = {address for ask in asks().values() for address in ask.recipients if address}
    assert not [word for word in words if word in twice[1][1].stdout]


def test_nothing_is_left_running(twice, left):
    assert not list((left / "run").glob("*.json"))


def test_every_message_passes_dkim_in_dkimpy(mails, zone):
    def find(name, timeout=5):
        del timeout
        texts = zone.get(name.decode().rstrip("."), {}).get("TXT", [])
        return texts[0].encode() if texts else None

    for mail in mails:
        assert dkim.verify(mail, dnsfunc=find), mail[:2000]


@pytest.mark.needs_root
def test_every_message_passes_dkim_in_opendkim(mails, zone, tmp_path):
    program = shutil.which("opendkim", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("opendkim is not installed; in CI it must be")
        pytest.skip("opendkim is not installed")
    keys = [f"{name} {kinds['TXT'][0]}\n" for name, kinds in zone.items() if "._domainkey." in name]
    (tmp_path / "keys").write_text("".join(keys))
    (tmp_path / "conf").write_text(f"Mode v\nTestPublicKeys {tmp_path / 'keys'}\nAlwaysAddARHeader yes\n")
    for number, mail in enumerate([*mails, mails[0].replace(b"<p ", b"<P ")]):
        (tmp_path / "mail").write_bytes(mail)
        run = subprocess.run(
            [program, "-x", tmp_path / "conf", "-t", tmp_path / "mail", "-vvv"],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert ("dkim=pass" in run.stdout + run.stderr) is (number < len(mails)), run.stdout + run.stderr


def headers(mail):
    head = re.sub(rb"\r\n(?=[ \t])", b"", mail.partition(b"\r\n\r\n")[0])
    return [(name.decode().lower(), value) for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))]


def test_headers_are_the_designs_once_each_and_else_only_the_callers(mails):
    for mail in mails:
        seen = Counter(name for name, _ in headers(mail))
        assert set(seen) >= OURS_ONCE
        assert set(seen) <= OURS_ONCE | OURS_MAYBE | CALLERS
        assert set(seen.values()) == {1}


def test_signatures_cover_what_the_design_says(mails):
    for mail in mails:
        given = dict(headers(mail))
        tags = dict(tag.strip().split(b"=", 1) for tag in given["dkim-signature"].split(b";") if tag.strip())
        signed = Counter(name.strip().decode().lower() for name in tags[b"h"].split(b":"))
        for name in CORE:
            assert signed[name] == (name in given) + 1, name
        assert signed["list-unsubscribe"]
        assert signed["list-unsubscribe-post"]
        assert tags[b"a"] == b"rsa-sha256"
        assert tags[b"c"] == b"relaxed/relaxed"
        assert tags[b"d"].decode() in given["from"].decode()
        assert b"l" not in tags
        assert given["list-unsubscribe-post"].strip() == b"List-Unsubscribe=One-Click"


def test_an_uncertain_message_came_twice_with_one_message_id(left):
    entries = [json.loads(line) for line in (left / "mailbox.log").read_text().splitlines()]
    kept = [e for e in entries if "drop-after-data" in e["rcpt"] and "confirm" not in e["mail_from"] and e["file"]]
    ids = Counter(entry["message_id"] for entry in kept)
    assert sorted(ids.values()) == [1, 2]  # the confirmation, and the one that was dropped


def shapes(word):
    """A word as it could lie in a file: plain, base64 at each alignment, quoted-printable, JSON's escapes, hex."""
    octets = word.encode()
    yield octets
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + octets)
        yield whole[(0, 2, 3)[before] : (before + len(octets)) * 8 // 6]
    yield quote(word, safe=" !\"#$%&'()*+,-./:;<>?@[\\]^_`{|}~").replace("%", "=").encode()
    yield json.dumps(word)[1:-1].encode()
    yield octets.hex().encode()


def hits(folder, words, tmp_path):
    """Which of the words any file below the folder holds; grep, since there are many of both."""
    patterns = {shape for word in words for line in word.split("\n") if len(line) >= 8 for shape in shapes(line)}
    (tmp_path / "patterns").write_bytes(b"\n".join(sorted(patterns)) + b"\n")
    run = subprocess.run(
        ["grep", "-r", "-a", "-o", "-h", "-F", "-f", tmp_path / "patterns", folder],
        capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}, timeout=200,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stderr
    return set(run.stdout.splitlines())


def test_no_recipient_and_no_value_lies_in_the_databases_files(left, tmp_path):
    home = (left / "postgres").resolve()
    words = set(private_words(asks())) - {""}
    assert all(len(word) >= 8 for word in words)
    assert {"base", "pg_wal"} <= {place.name for place in (home / "cluster").iterdir()}
    assert hits(home, words, tmp_path) == set()
    assert hits(home, {"Alder & Wren Lettings"}, tmp_path), "the search itself finds nothing"
    assert hits(left / "processes.log", words, tmp_path) == set()


@pytest.mark.needs_root
def test_an_ordinary_user_sees_the_same(tmp_path):
    """A user namespace makes root an ordinary user (FACTS 5)."""
    alone = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("user namespaces are not there; in CI they must be")
        pytest.skip("user namespaces are not there")
    (tmp_path / "b path").mkdir()
    run = demo(tmp_path / "b path", *alone)
    assert run.returncode == 0, run.stdout + run.stderr
