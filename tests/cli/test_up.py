"""The whole platform by two commands on an empty folder, with the embedded database; it ends well when told to."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

TROTH = (sys.executable, "-m", "troth.cli")
OWNERS = ("--owner", "Ann Owner <ann@operator.example>", "--owner", "Bob Owner <bob@operator.example>")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def home():
    """A folder with a space in its name, that the account PostgreSQL runs as can reach."""
    folder = Path(tempfile.mkdtemp(prefix="troth up ", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ports(home):
    door, pages, relay, metrics = free_port(), free_port(), free_port(), free_port()
    (home / "troth.toml").write_text(
        f'mode = "test"\nrelay_host = "127.0.0.1"\nrelay_port = {relay}\nspf_mechanism = "include:spf.troth.example"\n'
        f'http_port = {door}\nweb_port = {pages}\npublic_url = "http://localhost:{pages}"\nworker_processes = 1\n'
        f"door_processes = 2\nmetrics_port = {metrics}\n"
    )
    return door, pages, metrics


def run(home, *words):
    env = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_") or name == "TROTH_PG_BIN"}
    return subprocess.run([*TROTH, *words], cwd=home, env=env, capture_output=True, text=True, timeout=120)


def until_it_says(process, words, seconds=60):
    said, end = "", time.monotonic() + seconds
    while words not in said:
        line = process.stdout.readline()
        assert line, said
        assert time.monotonic() < end, said
        said += line
    return said


def processes_told(port, seconds=20):
    """By the metrics' own /healthz, once all have written their first numbers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as health:
                told = json.load(health)["processes"]
            if told.get("door") == 2:
                return told
        except OSError:
            pass
        time.sleep(0.2)
    return {}


def test_init_then_up_then_an_orderly_end(home, ports):
    door, pages, metrics = ports
    early = run(home, "up")
    assert early.returncode == 1
    assert "run `troth init` first" in early.stderr
    begun = run(home, "init", *OWNERS, "--generate-passphrases", "--json")
    assert begun.returncode == 0, begun.stderr
    first = json.loads(begun.stdout)
    for n, words in enumerate(first["passphrases"], 1):
        (home / f"p{n}").write_text(words)
        (home / f"p{n}").chmod(0o600)
    process = subprocess.Popen([*TROTH, "up"], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until_it_says(process, "up: mail is taken at")
        with urllib.request.urlopen(f"http://localhost:{door}/healthz", timeout=10) as health:
            assert json.load(health) == {"status": "ok"}
        for path in ("healthz", "livez"):
            with urllib.request.urlopen(f"http://localhost:{pages}/{path}", timeout=10) as health:
                assert json.load(health) == {"status": "ok"}
        assert {"door", "duties", "sequencer", "worker"} <= set(processes_told(metrics))
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://localhost:{pages}/confirm/x", timeout=10)
        signs = run(home, "change", "approve", first["change"], "--digest", first["digest"],
                    "--credential", "owner-2.credential", "--passphrase-file", "p2")  # fmt: skip
        assert signs.returncode == 0, signs.stderr
        again = run(home, "up")
        assert again.returncode == 1
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    for name in ("door-1", "door-2", "worker-1", "pages", "duties"):
        assert f"{name:<10} | ended with status 0" in said
    assert "Traceback" not in said


def test_settings_that_are_missing_stop_the_start(home):
    found = run(home, "up")
    assert found.returncode == 1
    assert "relay_host (TROTH_RELAY_HOST) is needed" in found.stderr
