"""`troth audit bundle` and `troth verify bundle`: one file, taken here and judged by somebody who has nothing else."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.cli.test_verify_command import _seal, signer

from troth.ledger.archive import unpack


@pytest.fixture
def book(desk):
    """The first day's entries, sealed."""
    asyncio.run(_seal(desk))
    return desk


def period():
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        now = admin.execute("SELECT troth.now_v1()").fetchone()[0].astimezone(UTC)
    return ("--from", (now - timedelta(days=3)).isoformat(), "--to", now.isoformat())


def programme():
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        return admin.execute("SELECT code FROM troth.programme ORDER BY code LIMIT 1").fetchone()[0]


def test_a_bundle_is_taken_and_verified_anywhere(book, tmp_path):
    out = tmp_path / "evidence.zip"
    made = book.json("audit", "bundle", "--programme", programme(), *period(), "--out", out, "--sample", "3")
    assert made["entries"]["shown"] > 3
    assert made["vkey"] == signer().vkey
    assert "is there already" in book.refused("audit", "bundle", "--programme", programme(), *period(), "--out", out)
    (tmp_path / "key").write_text(signer().vkey + "\n")
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    run = [sys.executable, "-m", "troth.cli", "verify", "bundle", str(out), "--key", str(tmp_path / "key")]
    said = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=bare, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("OK: signed and whole.")
    assert "none left out" in said.stdout
    assert "the one given" in said.stdout
    found = book.json("verify", "bundle", out, "--programme", programme())
    assert found["populations"]["changes"]["size"] == made["populations"]["changes"]["size"]
    assert len(found["populations"]["changes"]["drawn"]) == 3


def test_its_taking_is_an_entry_of_the_ledger(book, tmp_path):
    book.ok("audit", "bundle", "--programme", programme(), *period(), "--out", tmp_path / "one.zip")
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        told = admin.execute("SELECT leaf FROM troth.ledger_pending WHERE kind = 'access:audit:bundle'").fetchall()
    assert json.loads(told[-1][0])["programme"] == programme()


def test_what_was_changed_is_bad_and_the_trust_document_in_it_verifies_alone(book, tmp_path):
    out = tmp_path / "evidence.zip"
    book.ok("audit", "bundle", "--programme", programme(), *period(), "--out", out)
    data = bytearray(out.read_bytes())
    (tmp_path / "trust.json").write_bytes(unpack(bytes(data))["trust.json"])
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert book.json("verify", "trust", tmp_path / "trust.json", "--at", later)["ok"]
    data[len(data) // 2] ^= 1
    out.write_bytes(data)
    status, said, _ = book.run("verify", "bundle", out)
    assert status == 1
    assert said.startswith("BAD: ")
    status, said, _ = book.run("verify", "bundle", out, "--json")
    assert (status, json.loads(said)["ok"]) == (1, False)


@pytest.mark.parametrize(("words", "says"), [
    (("--programme", "nowhere"), "There is no programme 'nowhere'"),
    (("--sample", "0"), "1 to 200"),
    (("--to", "2999-01-01"), "not over"),
    (("--from", "2001-01-01"), "400 days"),
    (("--to", "2001-01-01"), "before it begins"),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_the_reason(book, tmp_path, words, says):
    asked = ("audit", "bundle", "--programme", programme(), *period(), "--out", tmp_path / "x.zip", *words)
    assert says in book.refused(*asked)
    assert not (tmp_path / "x.zip").exists()
