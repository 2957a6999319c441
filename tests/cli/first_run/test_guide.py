"""`troth init` at a real terminal: wrong answers, ctrl-C and kill -9 anywhere, going on, and what is never half made."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from tests.support.terminal import troth

from troth.cli.first_run.keeping import keep

ANSWERS = {
    "keys, logs)": "",
    "embedded one": ["nonsense", "postgresql://postgres:do-not-show@127.0.0.1:1/x", ""],
    "mail.example.com): ": ["troth.example", "https://troth.example/"],
    "its host name": ["smtp relay", "127.0.0.1"],
    "Its port": ["99999", "2"],
    "starttls, implicit or none": ["tls", "none"],
    "Enter for none": "",
    "Keep these answers all the same": ["perhaps", "y"],
    "bounces.example.com)": ["Bounces", "bounces.troth.example"],
    "(include:spf.example.com)": ["spf.relay.example", "include:spf.relay.example"],
    "Name of the first owner": ["", "Ada One"],
    "Mail address of Ada One": ["ada", "ada@example.com"],
    "Passphrase of Ada One": ["short", "correct horse battery", "correct horse battery"],
    "The same once more": ["another horse", "correct horse battery"],
    "Name of the second owner": "Ben Two",
    "Mail address of Ben Two": ["ADA@example.com", "ben@example.com"],
    "Passphrase of Ben Two": "",
    "here and signs it": ["", "y"],
    "first programme now": "y",
    "Its name (": ["", "Lettings"],
    "Its code": ["L", "lettings"],
    "Its promise": ["gold", "property"],
    "Its domain": ["nowhere", "lettings.troth.example"],
    "approve exactly this": ["", "y", "y", "y", "y"],
    "Name in that mail": "",
    "Time zone": ["London", "Europe/London"],
    "Postal address": ["", "1 Pledge Street, London"],
    "comes from": ["no domain", "mail.lettings.troth.example"],
}
RIGHT = {words: given[-1] if isinstance(given, list) else given for words, given in ANSWERS.items()}
AGAIN = {**RIGHT, "Passphrase of Ben Two": "staple orchard lantern", "The same once more": "staple orchard lantern",
         "Passphrase of Ada One": "staple orchard lantern"}  # fmt: skip


@pytest.fixture
def home():
    """A folder that the account PostgreSQL runs as can reach."""
    folder = Path(tempfile.mkdtemp(prefix="troth init ", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def command(home, *words):
    env = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_") or name == "TROTH_PG_BIN"}
    done = subprocess.run(
        [sys.executable, "-m", "troth.cli", *words], cwd=home, env=env, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def changes(home):
    status, out, err = command(home, "change", "list", "--all", "--json")
    assert status == 0, err
    return {(each["kind"], each["code"]): each["state"] for each in json.loads(out)}


FIRST_DAY = {
    ("genesis", "genesis"): "approved",
    ("programme", "lettings"): "approved",
    ("policy", "programme:lettings"): "approved",
    ("tenant", "system-lettings"): "approved",
}


def all_changes(home):
    status, out, err = command(home, "change", "list", "--all", "--tenant", "system-lettings", "--json")
    assert status == 0, err
    return changes(home) | {(each["kind"], each["code"]): each["state"] for each in json.loads(out)}


def test_every_wrong_answer_is_told_and_asked_again_and_the_second_run_makes_nothing_anew(home):
    terminal = troth(home, "init")
    assert terminal.converse(ANSWERS) == 0, terminal.said
    said = terminal.said
    for sentence in (
        "not an address such as postgresql://", "It cannot be used (refused)", "not an address such as https://",
        "not a host name", "a whole number from 1 to 65535", "not one of 'starttls'", "No connection to the next hop",
        "Answer y or n", "needs at least two parts", "not an SPF mechanism", "Give the person's name", "needs an @",
        "at least 12 characters", "The two differ", "two addresses: they are two people", "The name cannot be empty",
        "A code is 2 to 31", "Answer one of: property", "IANA name", "The address cannot be empty",
    ):  # fmt: skip
        assert sentence in said, sentence
    for secret in ("correct horse", "staple orchard"):
        assert secret not in said
    assert "Whoever loses" in said
    assert "troth doctor" in said
    assert all_changes(home) == FIRST_DAY | {("domain", "mail.lettings.troth.example"): "approved"}
    kept = tomllib.loads((home / "troth.toml").read_text())
    assert kept["public_url"] == "https://troth.example"
    assert "database_url" not in kept
    for name in ("troth.toml", "owner-1.credential", "owner-2.credential", "var/keys/master"):
        assert (home / name).stat().st_mode & 0o777 == 0o600, name
    before = {path: path.read_bytes() for path in (home / "troth.toml", home / "owner-1.credential")}
    again = troth(home, "init")
    assert again.converse({"first programme now": ""}) == 0, again.said
    assert again.said.count("(set already)") == 5
    assert "Enrolled already: Ada One, Ben Two." in again.said
    records = [line for line in said.splitlines() if " IN TXT " in line]
    assert len(records) == 4
    assert [line for line in again.said.splitlines() if " IN TXT " in line] == records
    assert before == {path: path.read_bytes() for path in before}


# where the person stops, and how
STOPS = [
    ("mail.example.com): ", "kill"),
    ("Its port", "ctrl-c"),
    ("bounces.example.com)", "ctrl-c"),
    ("Name of the first owner", "kill"),
    ("The same once more", "ctrl-c"),
    ("Mail address of Ben Two", "ctrl-c"),
    ("here and signs it", "kill"),
    ("first programme now", "ctrl-c"),
    ("Its promise", "ctrl-c"),
    ("approve exactly this", "kill"),
    ("Time zone", "ctrl-c"),
    ("comes from", "kill"),
]


def test_it_may_be_stopped_at_any_question_and_goes_on_from_there(home):
    for question, how in STOPS:
        terminal = troth(home, "init")
        assert terminal.converse(AGAIN, until=question) is None, terminal.said
        if how == "kill":
            terminal.kill()
            continue
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert "run `troth init` again to go on" in terminal.said
        assert "Traceback" not in terminal.said
    last = troth(home, "init")
    assert last.converse(AGAIN) == 0, last.said
    assert "(set already)" in last.said
    assert "Enrolled already" in last.said
    assert all_changes(home) == FIRST_DAY | {("domain", "mail.lettings.troth.example"): "approved"}
    assert not list(home.glob("*.new"))


def test_ctrl_c_while_the_owners_are_written_down_leaves_both_or_none(home):
    """The file that an enrolment left which never was is replaced; one that is somebody's is not."""
    terminal = troth(home, "init")
    assert terminal.converse(AGAIN, until="Name of the first owner") is None
    terminal.press_ctrl_c()
    assert terminal.end() == 130
    stray = {"version": 1, "account": "018f0000-0000-7000-8000-000000000001",
             "human": "018f0000-0000-7000-8000-000000000002", "device": "A" * 43 + "="}  # fmt: skip
    (home / "owner-1.credential").write_text(json.dumps(stray))
    (home / "owner-1.credential").chmod(0o600)
    (home / "owner-2.credential").write_text("somebody's own notes")
    second = troth(home, "init")
    answers = {**AGAIN, "Another name for": ["owner-2.credential", "ben.credential"], "here and signs it": "n"}
    assert second.converse(answers) == 0, second.said
    assert "it opens nothing and is replaced" in second.said
    assert "Name a file that is not there yet" in second.said
    assert "troth change approve" in second.said
    assert (home / "owner-2.credential").read_text() == "somebody's own notes"
    assert changes(home) == {("genesis", "genesis"): "proposed"}
    held = json.loads((home / "owner-1.credential").read_text())
    assert held["account"] != stray["account"]


def test_what_the_second_owner_does_not_approve_stays_proposed_and_is_shown_again(home):
    terminal = troth(home, "init")
    assert terminal.converse({**AGAIN, "approve exactly this": "n"}) == 1
    assert "stays proposed" in terminal.said
    assert changes(home)["programme", "lettings"] == "proposed"
    again = troth(home, "init")
    wrong = ["not the passphrase", "staple orchard lantern"]
    answers = {**AGAIN, "Passphrase of Ada One": wrong, "Passphrase of Ben Two": wrong}
    assert again.converse(answers, until="Name in that mail") is None
    again.kill()
    assert "No session: account, device or passphrase is wrong" in again.said
    assert changes(home)["programme", "lettings"] == "approved"


def test_a_settings_file_that_is_there_keeps_its_lines_and_is_closed_to_others(home):
    file = home / "troth.toml"
    file.write_text('# mine\nmode = "test"\npublic_url = "http://localhost:8026"  # as it is')
    file.chmod(0o644)
    terminal = troth(home, "init", TROTH_RELAY_HOST="relay.example.com")
    assert terminal.converse(AGAIN, until="bounces.example.com)") is None, terminal.said
    terminal.press_ctrl_c()
    terminal.end()
    assert "public_url: http://localhost:8026 (set already)" in terminal.said
    assert "relay_host: relay.example.com (set already)" in terminal.said
    text = file.read_text()
    assert text.startswith('# mine\nmode = "test"\npublic_url = "http://localhost:8026"  # as it is\nvar_dir = "var"\n')
    assert file.stat().st_mode & 0o777 == 0o600


def test_settings_that_are_wrong_are_to_be_corrected_first(home):
    (home / "troth.toml").write_text("http_port = 0\nno_such = 1\n")
    terminal = troth(home, "init")
    assert terminal.end() == 1
    assert "Correct the settings first" in terminal.said
    assert "no_such" in terminal.said
    assert "http_port" in terminal.said
    assert (home / "troth.toml").read_text() == "http_port = 0\nno_such = 1\n"


def test_without_a_terminal_it_says_what_it_needs(home):
    status, _, err = command(home, "init")
    assert status == 1
    assert "Give --owner twice" in err
    assert "relay_host (TROTH_RELAY_HOST)" in err
    assert "spf_mechanism (TROTH_SPF_MECHANISM)" in err


def test_values_are_written_as_toml_reads_them(tmp_path):
    file = tmp_path / "deep" / "troth.toml"
    hard = {"relay_username": 'a"b\\c é 💌', "relay_port": 2525}
    keep(file, hard)
    assert tomllib.loads(file.read_text(encoding="utf-8")) == hard


def test_troth_alone_prints_its_help(home):
    status, out, _ = command(home)
    assert status == 0
    assert "doctor" in out
    assert "init" in out
