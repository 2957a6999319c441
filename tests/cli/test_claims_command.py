"""`troth claims` on an operator's first day: what is listed, checked and explained, and its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

TROTH = Path(sys.executable).with_name("troth")


def test_a_check_shows_every_claim_and_a_list_shows_it_again(desk):
    checked = desk.json("claims", "check")
    assert len(checked) == 108
    assert set(checked[0]) == {"id", "scope", "state", "kind", "control", "evidence", "checked_at"}
    states = {row["id"]: row["state"] for row in checked}
    assert states["CHG-6"] == states["SUP-3"] == "holds", checked
    assert states["EML-7"] == "no data yet"
    assert states["ENC-1"] == "no control yet"
    assert states["RCP-3"] == "not promised"  # by property alone, which is all there is
    again = {row["id"]: row for row in desk.json("claims", "list")}
    assert {name: row["state"] for name, row in again.items()} == states
    assert again["SUP-3"]["checked_at"] is not None


def test_some_claims_are_checked_by_name_and_explained(desk):
    (only,) = desk.json("claims", "check", "sup-3")
    assert only["control"] == "sup_3"
    told = desk.json("claims", "explain", "SUP-3")
    assert told["state"] == "holds"
    assert told["says"] == {"property": "What is on the list stays on it for good."}
    assert (told["owner"], told["chapter"]) == ("deliverability", "email")
    assert "must be refused" in told["how"]
    assert "installation: holds" in desk.ok("claims", "explain", "SUP-3")
    assert "What will give it one: Handshakes" in desk.ok("claims", "explain", "ENC-1")
    assert "SUP-3" in desk.ok("claims", "list", "--programme", "property")


def test_what_is_not_there_is_said(desk):
    assert "There is no claim NON-1" in desk.refused("claims", "check", "NON-1")
    assert "There is no programme 'moon'" in desk.refused("claims", "list", "--programme", "moon")


def test_a_promise_broken_from_outside_ends_a_real_process_with_1_and_mended_with_0(desk):
    def check():
        done = subprocess.run(
            [TROTH, "claims", "check", "SUP-3", "--json"], capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, json.loads(done.stdout)[0]

    assert check()[0] == 0
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as outside:
        outside.execute("ALTER TABLE troth.suppression DISABLE TRIGGER insert_only")
        status, told = check()
        assert (status, told["state"]) == (1, "fails")
        assert "the trigger insert_only of suppression is switched off" in told["evidence"]["installation"]["why"]
        outside.execute("ALTER TABLE troth.suppression ENABLE TRIGGER insert_only")
    assert check()[0] == 0
    assert "SUP-3 fails" not in desk.ok("claims", "check", "SUP-3")


def test_the_watch_looks_at_what_is_due_and_then_at_nothing(desk):
    desk.run("claims", "check", "--due")  # whatever the tests before it left
    assert desk.json("claims", "check", "--due") == []
    assert desk.ok("claims", "check", "--due").strip() == ""
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as outside:
        outside.execute("INSERT INTO troth.claim_ask (claim, at) VALUES ('SUP-3', troth.now_v1())")
    (found,) = desk.json("claims", "check", "--due")
    assert (found["id"], found["state"]) == ("SUP-3", "holds")
    assert desk.json("claims", "check", "--due") == []
