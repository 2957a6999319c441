"""`troth verify` and `troth ledger`, as an operator and as somebody far away give them: words, JSON and exit status."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from troth.cli import main
from troth.cli.commands.verify import progress
from troth.flow.evidence.sequencer import Keeper, Signer
from troth.flow.evidence.witness import Witness
from troth.keys.ids import wire
from troth.keys.installation import InstallationSecrets
from troth.ledger.checkpoint import sign, vkey
from troth.outside.kms import LocalKms
from troth.store.connection import connect


def signer():
    """As the installation's own sequencer: its seed is the one that receipts are signed with."""
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        sealed = admin.execute("SELECT secrets_ct FROM troth.installation").fetchone()[0]
    return Signer.of(UUID(int=9), InstallationSecrets.open(LocalKms(Path("var/keys/master")), sealed).ledger_seed)


@pytest.fixture
def book(desk):
    """The first day's entries, sealed."""
    asyncio.run(_seal(desk))
    return desk


async def _seal(desk):
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        where = {"host": admin.info.host, "dbname": admin.info.dbname, "user": "troth_ledger"}
    connection = await connect(where, "sequencer")
    try:
        keeper = Keeper(signer(), Witness(desk.folder / "witness"))
        await keeper.begin(connection)
        await keeper.turn(connection)
        await keeper.testify()
    finally:
        await connection.close()


def test_a_whole_ledger_is_ok_in_words_and_in_json(book):
    out = book.ok("verify")
    assert out.startswith("OK: ")
    assert "Opened: 0 events" in out
    found = book.json("verify", "--since", "witness", "--key", signer().vkey)
    assert (found["ok"], found["key_given"], found["since"]) == (True, True, found["checkpoints"])


def test_what_is_left_out_is_said(book):
    assert "Not opened: --without-keys." in book.ok("verify", "--without-keys")
    (book.folder / "var/keys/master").rename(book.folder / "elsewhere")
    try:
        assert "is not here" in book.ok("verify")
    finally:
        (book.folder / "elsewhere").rename(book.folder / "var/keys/master")


def test_the_first_bad_entry_is_named_and_the_status_is_1(book):
    flip = "UPDATE troth.ledger_node SET hash = set_byte(hash, 3, get_byte(hash, 3) # 4) WHERE (level, index) = (1, 1)"
    url = os.environ["TROTH_DATABASE_URL"]
    with psycopg.connect(url, options="-c session_replication_role=replica", autocommit=True) as admin:
        admin.execute(flip)
        try:
            status, out, _ = book.run("verify")
            assert status == 1
            assert out.startswith("BAD: entry 2: the hash kept over entries 2 to 3 (level 1, number 1) is not what")
            status, out, _ = book.run("verify", "--json")
            found = json.loads(out)
            assert (status, found["ok"], found["index"], "BAD: entry 2: " in out) == (1, False, 2, False)
        finally:
            admin.execute(flip)
    book.ok("verify")


def test_an_export_is_taken_and_verified_anywhere(book, tmp_path):
    made = book.json("ledger", "export", tmp_path / "export")
    assert made["vkey"] == signer().vkey
    assert "nothing is overwritten" in book.refused("ledger", "export", tmp_path / "export")
    (tmp_path / "key").write_text(signer().vkey + "\n")
    words = ["verify", "--export", tmp_path / "export", "--key", tmp_path / "key", "--since", book.folder / "witness"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    run = [sys.executable, "-m", "troth.cli", *map(str, words)]
    said = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=bare, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("OK: ")
    assert "the one given" in said.stdout
    (tmp_path / "export" / "log.vkey").unlink()
    status, out, _ = book.run(*words)
    assert (status, out) == (1, "BAD: the file log.vkey is missing.\n")


def test_the_newest_checkpoint_is_one_to_keep(book, tmp_path):
    note = book.ok("ledger", "checkpoint")
    (tmp_path / "kept").write_text(note)
    assert book.json("verify", "--since", tmp_path / "kept")["since"] == 1
    assert book.json("ledger", "checkpoint")["note"] == note


def test_a_rolled_back_ledger_is_found(book, tmp_path):
    at = book.json("ledger", "checkpoint")["size"] + 5
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        now = admin.execute("SELECT now()").fetchone()[0]
    mine = signer()
    (tmp_path / "later").write_text(sign(mine.seed, mine.origin, at, bytes(32), now))
    status, out, _ = book.run("verify", "--since", tmp_path / "later")
    assert status == 1
    assert "rolled back" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--export", "nowhere"), "There is no folder nowhere"),
        (("--export", "."), "is not an export"),
        (("--since", "nowhere"), "nowhere"),
        (("--since", "passphrase-1"), "not a checkpoint"),
        (("--key", "nonsense+x"), "--key"),
        (("--key", "nowhere"), "nowhere"),
        (("receipt", "passphrase-1"), "not a receipt"),
        (("receipt", "nowhere"), "nowhere"),
        (("receipt", "passphrase-1", "--key", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_verified_has_status_2_and_a_sentence(book, words, says):
    status, out, err = book.run("verify", *words)
    assert (status, out) == (2, "")
    assert err.startswith("troth: could not verify: ")
    assert says in err
    status, out, _ = book.run("verify", *words, "--json")
    assert (status, json.loads(out)["ok"]) == (2, None)


def test_a_database_that_is_away_has_status_2(desk, monkeypatch):
    monkeypatch.setenv("TROTH_DATABASE_URL", "postgresql://postgres@/none?host=/nowhere")
    monkeypatch.setenv("TROTH_DATABASE_URL_LEDGER", "postgresql://troth_ledger@/none?host=/nowhere")
    status, _, err = desk.run("verify")
    assert status == 2
    assert "could not verify" in err


def test_a_database_of_an_older_version_has_status_2(book):
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as admin:
        admin.execute("ALTER TABLE troth.ledger_node RENAME TO elsewhere")
        try:
            status, _, err = book.run("verify")
        finally:
            admin.execute("ALTER TABLE troth.elsewhere RENAME TO ledger_node")
    assert status == 2
    assert "`troth migrate` first" in err


def test_a_file_that_is_not_text_is_no_checkpoint(book, tmp_path):
    (tmp_path / "held").write_bytes(b"\xff\xfe")
    status, _, err = book.run("verify", "--since", tmp_path / "held")
    assert (status, "it is not text" in err) == (2, True)


def test_on_a_terminal_it_says_how_far_it_is(monkeypatch, capsys):
    tell = progress()
    tell(1, 3)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    tell(2, 3)
    monkeypatch.setattr("time.monotonic", lambda: 1e12)
    tell(3000, 3000)
    assert capsys.readouterr().err == "3,000 of 3,000 entries\n"


def test_a_receipt_wants_a_message_that_is_there(book, tmp_path):
    assert "There is no message" in book.refused("ledger", "receipt", UUID(int=5))
    assert "There is no email" in book.refused("ledger", "receipt", wire("em", "a", UUID(int=5)))
    (tmp_path / "there").write_text("x")
    assert "is there already" in book.refused("ledger", "receipt", UUID(int=5), "--out", tmp_path / "there")


def test_a_receipt_is_made_and_verified(book, tmp_path):
    message = _message()
    assert "Not all of its events are sealed yet" in book.refused("ledger", "receipt", message, "--out", tmp_path / "r")
    asyncio.run(_seal(book))
    book.ok("ledger", "receipt", message, "--out", tmp_path / "r")
    out = book.ok("verify", "receipt", tmp_path / "r")
    assert out.startswith(f"OK: signed and whole. 1 message of the email {message}, with 1 event")
    assert "1 recipient erased" in out
    assert "--key checks that" in out
    key = book.json("ledger", "checkpoint")["vkey"]
    found = book.json("verify", "receipt", tmp_path / "r", "--key", key)
    assert (found["ok"], found["events"], found["erased"], found["key_given"]) == (True, 1, 1, True)
    assert book.ok("ledger", "receipt", wire("em", "a", message)).encode()[:30] == (tmp_path / "r").read_bytes()[:30]
    status, out, _ = book.run("verify", "receipt", tmp_path / "r", "--key", vkey("troth/x/1", bytes(32)))
    assert (status, out[:4]) == (1, "BAD:")


def test_a_receipt_is_verified_far_away_with_nothing_of_the_house(book, tmp_path):
    """No database, no settings, no keyring: an empty folder, the file and the public key."""
    message = _message()
    asyncio.run(_seal(book))
    (tmp_path / "receipt.json").write_text(book.ok("ledger", "receipt", message))
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    words = ["verify", "receipt", "receipt.json", "--key", book.json("ledger", "checkpoint")["vkey"]]
    run = [sys.executable, "-m", "troth.cli", *words]
    said = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=bare, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert "the one given" in said.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["receipt.json"]
    with (tmp_path / "receipt.json").open("a") as file:
        file.write("\n")
    said = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=bare, check=False)
    assert (said.returncode, said.stdout) == (2, "")
    assert "canonical form" in said.stderr


def _message():
    """A message of an erased person with one event, by SQL."""
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], options="-c search_path=troth") as admin:
        (message,) = admin.execute("SELECT uuid7_floor(now_v1())").fetchone()
        person = UUID(int=77)
        admin.execute("SET session_replication_role = replica")
        tenant, keyset = admin.execute("SELECT id, keyset FROM tenant WHERE code = 'quill'").fetchone()
        admin.execute(
            "INSERT INTO person (id, tenant_id, salt, status, erased_at, created_at) VALUES (%s,%s,%s,4,now(),now())"
            " ON CONFLICT DO NOTHING",
            (person, tenant, bytes(16)),
        )
        admin.execute(
            "INSERT INTO message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at,"
            " decision_ct, state, state_at) VALUES (%s,%s,%s,%s,%s,%s,1,now(),'\\x02',1,now())",
            (message, message, tenant, person, bytes(32), message),
        )
        admin.execute(
            "INSERT INTO email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)"
            " SELECT %s, %s, subject, snapshot_id, sha256('p'), now_v1(), 1 FROM governed WHERE kind = 'category'",
            (message, tenant),
        )
        admin.execute("SET session_replication_role = origin")
        admin.execute(
            "INSERT INTO event (message_id, kind, source_key, tenant_id, at, leaf_hash) VALUES (%s,1,'x',%s,now_v1(),%s)",
            (message, tenant, os.urandom(32)),
        )
    return message


def test_settings_that_cannot_be_read_are_no_finding(tmp_path, monkeypatch, capsys):
    (tmp_path / "troth.toml").write_text("no_such_setting = 1\n")
    monkeypatch.chdir(tmp_path)
    assert main(["verify"]) == 2
    assert "not a setting" in capsys.readouterr().err


def test_a_folder_without_an_installation_is_told_and_left_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["verify"]) == 2
    assert "There is no installation in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["nonsense", "em_a_" + "0" * 31])
def test_what_is_no_messages_id_is_told_so(given, capsys):
    with pytest.raises(SystemExit):
        main(["ledger", "receipt", given])
    assert "is not the id of a message or an email, such as msg_a_" in capsys.readouterr().err
