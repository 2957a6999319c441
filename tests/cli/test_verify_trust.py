"""`troth verify trust FILE`: words, JSON and exit status, with no database and no settings."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import msgspec
import pytest
from tests.ledger.house import NOW, SEED, Log, claim, claim_at, document

from troth.cli import main
from troth.ledger.trust_document import encode
from troth.ledger.trust_file import together

AT = ("--at", (NOW + timedelta(hours=1)).isoformat())


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = Log()
    made = [claim(log)]
    log.told("SUP-2", "fails")
    made = [claim_at(log, 0), claim_at(log, 1, "SUP-2", "fails", shown="withdrawn", sentence=None)]
    path = tmp_path / "trust.json"
    path.write_bytes(encode(document(log, made), SEED))
    (tmp_path / "kept").write_text(log.note())
    (tmp_path / "earlier").write_text(log.note(1, NOW - timedelta(days=1)))
    return path


def run(capsys, *words):
    status = main(["verify", "trust", *map(str, words)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_good_one_is_ok_in_words_and_in_json(file, capsys):
    status, out, _ = run(capsys, file, *AT, "--key", Log().key, "--since", "kept", "--host", "homes.example")
    assert status == 0
    assert out.startswith("OK: signed and whole. Homes (homes), issued 2027-01-11 12:00:00 UTC")
    assert "Withdrawn, since they fail: SUP-2." in out
    assert "the one given" in out
    found = json.loads(run(capsys, file, *AT, "--json", "--since", "earlier")[1])
    assert (found["ok"], found["states"], found["withdrawn"]) == (True, {"holds": 1, "fails": 1}, ["SUP-2"])
    assert (found["held"], found["compared"], found["key_given"]) == (1, 0, False)
    assert "another size" in run(capsys, file, *AT, "--since", "earlier")[1]


def test_it_needs_no_house(file, tmp_path):
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    run = [sys.executable, "-m", "troth.cli", "verify", "trust", str(file), *AT]
    said = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=bare, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_one_byte_changed_is_bad(file, capsys):
    data = file.read_bytes()
    for at in range(0, len(data), 97):
        file.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        status, out, _ = run(capsys, file, *AT)
        assert (status, out[:5]) == (1, "BAD: ")


@pytest.fixture
def several(file):
    """Of two programmes, as /trust.json has them."""
    log = Log()
    shops = document(log, [claim(log)])
    shops = msgspec.structs.replace(shops, programme=msgspec.structs.replace(shops.programme, code="shops", host=""))
    file.write_bytes(together([file.read_bytes(), encode(shops, SEED)]))
    return file


def test_of_several_each_is_told(several, capsys):
    status, out, _ = run(capsys, several, *AT, "--key", Log().key)
    assert (status, out.count("OK: signed and whole.")) == (0, 2)
    found = json.loads(run(capsys, several, *AT, "--json")[1])
    assert [one["programme"] for one in found["documents"]] == ["homes", "shops"]
    assert json.loads(run(capsys, several, *AT, "--json", "--programme", "shops")[1])["programme"] == "shops"
    assert "none of its documents is of boats" in run(capsys, several, *AT, "--programme", "boats")[1]


def test_of_several_one_byte_changed_is_bad(several, capsys):
    data = several.read_bytes()
    ends = data.index(b'},{"signature"')
    for at in (0, 1, ends, ends + 1, ends + 2, len(data) - 1, *range(5, len(data), 97)):
        for changed in (bytes((data[at] ^ 1,)), b"", bytes((data[at],)) + b" "):
            several.write_bytes(data[:at] + changed + data[at + 1 :])
            status, out, _ = run(capsys, several, *AT)
            assert (status, out[:5]) == (1, "BAD: "), (at, changed)


@pytest.mark.parametrize(("made", "says"), [
    (lambda one: b"[]", "a list without documents"), (lambda one: b"[" + one + b"]", "or of one"),
    (lambda one: b"[" + one + b"," + one + b"]", "two documents of the programme homes"),
    (lambda one: b"[1,2]", "document 1:"), (lambda one: b"[" + one + b"," + one[:-9] + b"]", "not as it was issued"),
])  # fmt: skip
def test_what_is_never_issued_is_bad(file, capsys, made, says):
    file.write_bytes(made(file.read_bytes()))
    status, out, _ = run(capsys, file, *AT)
    assert status == 1
    assert says in out


@pytest.mark.parametrize(("words", "says"), [
    (("--at", "2030-01-01"), "expired"), (("--programme", "shops"), "not of shops"), (("--host", "x.example"), "not of x"),
])  # fmt: skip
def test_of_another_time_or_programme_it_is_bad(file, capsys, words, says):
    status, out, _ = run(capsys, file, *AT, *words)
    assert status == 1
    assert says in out


@pytest.mark.parametrize(("words", "says"), [
    (("--key", "nowhere"), "nowhere"), (("--key", "x+y"), "--key"), (("--since", "trust.json"), "not a checkpoint"),
])  # fmt: skip
def test_what_cannot_be_judged_has_status_2(file, capsys, words, says):
    status, out, err = run(capsys, file, *AT, *words)
    assert (status, out) == (2, "")
    assert says in err


def test_a_file_that_is_not_there_cannot_be_judged(tmp_path, capsys):
    assert run(capsys, tmp_path / "nowhere")[0] == 2


def test_what_is_too_large_is_bad_without_being_read(tmp_path, capsys):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    status, out, _ = run(capsys, tmp_path / "large")
    assert (status, out) == (1, "BAD: it is larger than the 64 MB that such a file can have.\n")


def test_a_time_that_is_none_is_refused(file, capsys):
    with pytest.raises(SystemExit):
        run(capsys, file, "--at", "tomorrow")
    assert "not a day or a time" in capsys.readouterr().err
