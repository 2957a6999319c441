"""`troth simulate` on an operator's first day: what it answers, what it refuses, and what it says of how far it is."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.firm import now

from troth.cli.commands.simulate import _lines, _Progress
from troth.control.simulator.reading import Kind, Mail, Told
from troth.control.simulator.tally import Tally, document, moment
from troth.keys.ids import uuid7, wire
from troth.rules.replay import Result, Sort


def test_a_policy_is_tried_by_real_processes_and_the_answer_is_one_object(desk, tmp_path):
    policy = desk.file("policy.json", {"content": {"variable_bytes": 100}})
    found = json.loads(desk.ok("simulate", "--policy", policy, "--messages", str(tmp_path / "out"), "--json"))
    assert found["messages"] == 0
    assert found["level"] == "operator"
    assert set(found) >= {"then", "now", "changes", "by_client", "by_template", "by_hour", "examples", "agreement"}
    assert (tmp_path / "out").read_text() == ""
    assert "Nothing would have fared otherwise" in desk.ok("simulate", "--policy", policy, "--tenant", "quill")


@pytest.mark.parametrize(
    ("document", "words", "said"),
    [
        ({"limits": {"tenant_hour": 10**8}}, ("--tenant", "quill"), "it may only lower"),
        ({"bounce": {"soft_window_minutes": 0}}, (), "soft_window_minutes"),
        ({"limit": {}}, (), "not a section"),
        ({}, ("--level", "tenant"), "--tenant CODE"),
        ({}, ("--level", "category", "--tenant", "quill"), "--category CODE goes with"),
        ({}, ("--level", "promise"), "--programme CODE goes with"),
        ({}, ("--level", "promise", "--programme", "moon"), "no programme 'moon'"),
        ({}, ("--level", "category", "--tenant", "quill", "--category", "rant"), "no category 'rant'"),
        ({}, ("--tenant", "moon"), "no client 'moon'"),
        ({}, ("--sample", "-1"), "--sample"),
        ({}, ("--messages", "/nowhere/at/all"), "cannot be written"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(desk, document, words, said):
    assert said in desk.refused("simulate", "--policy", desk.file("policy.json", document), *words)


def test_no_file_and_no_days_are_said(desk):
    assert "cannot be read" in desk.refused("simulate", "--policy", "/nowhere/policy.json")
    with pytest.raises(SystemExit):
        desk.run("simulate", "--policy", "x", "--days", "0")


def test_how_far_it_is_goes_to_standard_error(capsys):
    tell = _Progress()
    tell(0, 10)
    tell(5, 10)  # within the same second
    tell(10, 10)
    tell(0, 0)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "  0 of 10 messages (0 %)", "  10 of 10 messages (100 %)", "  0 of 0 messages (100 %)"]  # fmt: skip


def test_people_read_tables():
    tally, at = Tally("quill"), int((now() - timedelta(hours=2)).timestamp() * 1000)
    kind = Kind(Sort(b"", 1, 0, 0, None, None, None, 0, None), 0, Result(0, "ok", "size"), None, True, "rent", "due")
    mail = Mail(at, 0, True, 0, False, [Told(0, (), uuid7(now()).bytes)], None)
    tally.take(mail, [kind], [Result(3, "rate-limited", "rate_key")], slow=False, then=True, now=False)
    tally.sample = 1
    found = document([tally], lambda what, one: wire(what, "a", UUID(int=one.int)))
    text = "\n".join(_lines({**found, "clients": 1, "from": moment(0), "to": moment(1.5), "seconds": 1}))
    for part in ("with this policy", "Of 1 sealed decisions", "rate-limited", "due", "refused"):
        assert part in text
