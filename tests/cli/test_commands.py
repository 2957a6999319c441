"""An operator's commands: the owners' files and sessions, a key, a domain, lists, settings and errors."""

import json
import os
from pathlib import Path

import psycopg
import pytest
from tests.support.desk import OWNERS, PASSPHRASES, TEMPLATE

from troth.cli import main
from troth.keys.api_keys import parse_key


def test_the_files_of_a_first_day_are_private(desk):
    for name in ("owner-1.credential", "owner-2.credential", "var/keys/master"):
        assert (desk.folder / name).stat().st_mode & 0o777 == 0o600
    held = json.loads((desk.folder / "owner-1.credential").read_text())
    assert set(held) == {"version", "account", "human", "device"}


def test_init_is_done_once_and_replaces_no_file(desk, tmp_path):
    assert "is not replaced" in desk.refused("init", *OWNERS, *PASSPHRASES)
    assert "already has its owners" in desk.refused("init", *OWNERS, *PASSPHRASES, "--out", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("owners", "says"),
    [
        (("Ann <ann@a.example>",), "Give --owner twice"),
        (("Ann <ann@a.example>", "Bob <ANN@a.example>"), "two addresses"),
        (("Ann <ann@a.example>", "bob@a.example"), "give the name too"),
        (("Ann <ann@a.example>", "Bob <bob>"), "--owner"),
    ],
)
def test_init_wants_two_people(desk, owners, says, tmp_path):
    words = [word for owner in owners for word in ("--owner", owner)]
    assert says in desk.refused("init", *words, "--generate-passphrases", "--out", tmp_path)


def test_a_short_passphrase_is_refused(desk, tmp_path):
    path = tmp_path / "short"
    path.write_text("short")
    path.chmod(0o600)
    words = ("--passphrase-file", path, "--passphrase-file", path, "--out", tmp_path)
    assert "at least 12 characters" in desk.refused("init", *OWNERS, *words)


def test_a_key_is_shown_once_and_kept_by_its_hash(desk):
    made = desk.json("key", "create", "--tenant", "quill", "--name", "Rent program", "--categories", "rent",
                     *desk.as_owner(1))  # fmt: skip
    parsed = parse_key(made["key"])
    assert parsed is not None
    shown = desk.json("change", "show", made["change"])
    assert shown["artefact"]["hash"] == parsed.hash.hex()
    assert made["key"] not in json.dumps(shown)
    desk.approve(made)
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        assert admin.execute("SELECT count(*) FROM troth.api_key WHERE hash = %s", (parsed.hash,)).fetchone() == (1,)
    assert "no category none" in desk.refused(
        "key", "create", "--tenant", "quill", "--name", "x", "--categories", "none", *desk.as_owner(1)
    )


def test_a_domain_prints_what_to_publish_and_keeps_its_key_sealed(desk):
    made = desk.json("domain", "add", "mail.quill.example", "--tenant", "quill", *desk.as_owner(1))
    names = {each["name"]: each["text"] for each in made["records"]}
    assert names["mail.quill.example"] == "v=spf1 include:spf.troth.example -all"
    assert names["_dmarc.mail.quill.example"] == "v=DMARC1; p=reject"
    assert names["troth1._domainkey.mail.quill.example"].startswith("v=DKIM1; k=rsa; p=MII")
    desk.approve(made)
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        sealed, bits = admin.execute("SELECT private_ct, bits FROM troth.dkim_key").fetchone()
    assert sealed[0] == 1
    assert b"PRIVATE" not in sealed
    assert bits == 2048


def test_a_session_is_kept_for_the_commands_that_follow(desk):
    assert "No session is open" in desk.refused("change", "close", _some_change(desk), "--note", "x")
    opened = desk.json("session", "open", *desk.as_owner(1))
    assert Path(opened["session"]).stat().st_mode & 0o777 == 0o600
    assert "withdrawn" in desk.ok("change", "close", _some_change(desk), "--note", "x")
    desk.ok("session", "open", *desk.as_owner(2))
    assert "say with --session" in desk.refused("change", "close", _some_change(desk), "--note", "x")
    said = desk.ok("change", "close", _some_change(desk), "--note", "x", "--session", opened["session"])
    assert "withdrawn" in said
    assert "2 forgotten" in desk.ok("session", "forget")


def _some_change(desk):
    return desk.propose("template", "quill", "passing", TEMPLATE)["change"]


def test_neither_factor_alone_opens_a_session(desk, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not the passphrase")
    wrong.chmod(0o600)
    said = desk.refused("session", "open", "--credential", "owner-1.credential", "--passphrase-file", wrong)
    assert "account, device or passphrase is wrong" in said
    held = json.loads((desk.folder / "owner-1.credential").read_text())
    other = tmp_path / "other.credential"
    other.write_text(json.dumps(held | {"device": "A" * 43 + "="}))
    other.chmod(0o600)
    said = desk.refused("session", "open", "--credential", other, "--passphrase-file", "passphrase-1")
    assert "account, device or passphrase is wrong" in said


def test_a_credential_that_others_can_read_is_not_used(desk, tmp_path):
    open_file = tmp_path / "open.credential"
    open_file.write_bytes((desk.folder / "owner-1.credential").read_bytes())
    open_file.chmod(0o644)
    said = desk.refused("session", "open", "--credential", open_file, "--passphrase-file", "passphrase-1")
    assert "chmod 600" in said


def test_lists_and_settings_speak_to_people_and_programs(desk, monkeypatch):
    assert desk.json("tenant", "list")[0]["code"] == "quill"
    assert "quill" in desk.ok("tenant", "list")
    assert "approved" in desk.ok("change", "list", "--all")
    monkeypatch.setenv("TROTH_RELAY_USERNAME", "u")
    monkeypatch.setenv("TROTH_RELAY_PASSWORD", "do-not-show")
    told = desk.ok("settings")
    assert "do-not-show" not in told
    assert "spf_mechanism = include:spf.troth.example" in told
    assert desk.ok("version").startswith("troth ")
    assert "up to date" in desk.ok("migrate")


def test_errors_are_one_sentence_and_a_status(desk, monkeypatch):
    assert "There is no client 'none'" in desk.refused("pause", "start", "--tenant", "none", "--reason", "x")
    with pytest.raises(SystemExit) as usage:
        main(["no-such-command"])
    assert usage.value.code == 2
    monkeypatch.setenv("TROTH_NO_SUCH", "1")
    assert "TROTH_NO_SUCH is not a setting" in desk.refused("settings")
    monkeypatch.delenv("TROTH_NO_SUCH")
    monkeypatch.setenv("TROTH_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none")
    status, _, err = desk.run("tenant", "list")
    assert status == 75
    assert err.startswith("troth: ")
    assert "Traceback" not in err


def test_before_the_first_init_it_is_said_what_comes_first(desk, monkeypatch):
    monkeypatch.setenv("TROTH_DATABASE_URL", os.environ["TROTH_DATABASE_URL"].replace("/troth_cli_", "/not_yet_"))
    assert "`troth init` comes first" in desk.refused("tenant", "list")


@pytest.mark.parametrize(("process", "needs"), [("worker", "relay_host"), ("duties", "spf_mechanism")])
def test_a_process_names_the_setting_that_it_misses(desk, process, needs, monkeypatch):
    monkeypatch.delenv("TROTH_SPF_MECHANISM")
    assert f"{needs} (TROTH_{needs.upper()}) is needed" in desk.refused("serve", process)


def test_a_domains_key_is_changed_by_one_person_and_the_change_can_be_stopped(desk):
    name, tenant = "turn.quill.example", ("--tenant", "quill")
    assert "is no sending domain of quill" in desk.refused("domain", "rotate", name, *tenant, *desk.as_owner(1))
    made = desk.json("domain", "add", name, *tenant, *desk.as_owner(1))
    desk.approve(made)
    begun = desk.json("domain", "rotate", name, *tenant, *desk.as_owner(1))
    [record] = begun["records"]
    assert record["name"] == f"{begun['selector']}._domainkey.{name}"
    assert "under way" in desk.refused("domain", "rotate", name, *tenant, *desk.as_owner(2))
    assert desk.json("domain", "rotate", name, *tenant, "--stop", *desk.as_owner(2))["stopped"]
    assert "No change of key was under way" in desk.ok("domain", "rotate", name, *tenant, "--stop", *desk.as_owner(1))
    assert "_domainkey.turn.quill.example. IN TXT" in desk.ok("domain", "rotate", name, *tenant, *desk.as_owner(1))
