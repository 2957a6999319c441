"""Checkpoints: ours are read back as they were signed, others' as C2SP tlog-checkpoint says."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.ledger.checkpoint import (
    MalformedNote,
    NoteError,
    UnverifiedNote,
    notes,
    parse,
    parse_body,
    read_unverified,
    sign,
    vkey,
)
from troth.ledger.note import parse_vkey, sign_note

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "merkle-tlog"
SEED, ORIGIN, ROOT = bytes(range(32)), "troth/018f/1", bytes(range(32))
AT = datetime(2026, 11, 22, 3, 55, 11, 120, UTC)
KEY = vkey(ORIGIN, SEED)
HASH = base64.b64encode(ROOT).decode()


def test_a_checkpoint_is_read_back_as_it_was_signed():
    note = sign(SEED, ORIGIN, 12, ROOT, AT)
    assert note.startswith(f"{ORIGIN}\n12\n{HASH}\ntime 2026-11-22T03:55:11.000120Z\n\n— {ORIGIN} ")
    for key in (KEY, parse_vkey(KEY)):
        found = parse(note, key)
        assert (found.origin, found.size, found.root, found.at) == (ORIGIN, 12, ROOT, AT)
    assert read_unverified(note.encode()) == found


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1), st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - made aware below
def test_any_size_and_time_are_read_back(size, at):
    aware = at.replace(tzinfo=timezone(timedelta(hours=2)))
    found = parse(sign(SEED, ORIGIN, size, ROOT, aware), KEY)
    assert (found.size, found.at) == (size, aware)


def test_what_is_no_checkpoint_is_not_signed():
    for size, root, at, words in [
        (-1, ROOT, AT, "size of 0"),
        (2**63, ROOT, AT, "size of 0"),
        (1, b"x", AT, "32 bytes"),
        (1, ROOT, AT.replace(tzinfo=None), "time zone"),
    ]:
        with pytest.raises(ValueError, match=words):
            sign(SEED, ORIGIN, size, root, at)


def test_another_logs_key_does_not_verify_it_though_it_signed():
    body = sign(SEED, ORIGIN, 1, ROOT, AT).split("\n\n")[0] + "\n"
    with pytest.raises(UnverifiedNote, match="is of the log troth/018f/1, the key of other"):
        parse(sign_note(SEED, "other", body), vkey("other", SEED))
    with pytest.raises(UnverifiedNote, match="not signed by"):
        parse(sign(SEED, ORIGIN, 1, ROOT, AT), vkey(ORIGIN, bytes(32)))


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n1\n{HASH}\n",
        f"{ORIGIN}\n1\nAAAA\ntime 2026-11-22T03:55:11.000120Z\n",
        f"{ORIGIN}\n1\n{HASH}\nclock 2026-11-22T03:55:11.000120Z\n",
        f"{ORIGIN}\n1\n{HASH}\ntime 2026-11-22T03:55:11Z\n",
        f"{ORIGIN}\n1\n{HASH}\ntime 2026-11-22T03:55:11.12Z\n",
        f"{ORIGIN}\n1\n{HASH}\ntime 2026-11-22T03:55:11.000120Z\nmore\n",
        f"{ORIGIN}\n01\n{HASH}\ntime 2026-11-22T03:55:11.000120Z\n",
    ],
)
def test_a_checkpoint_of_ours_has_one_form(body):
    with pytest.raises(MalformedNote):
        parse(sign_note(SEED, ORIGIN, body), KEY)


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ("Log\n123\nYmFuYW5hcw==\n", True),
        ("Log\n123\nYmFuYW5hcw==\nmore\nlines\n", True),
        ("Log\n123\nYmFuYW5hcw==\n\n\n", True),
        ("Log\n18446744073709551615\nYmFuYW5hcw==\n", True),
        ("Log\n18446744073709551616\nYmFuYW5hcw==\n", False),
        ("Log\n123\n", False),
        ("\n123\nYmFuYW5hcw==\n", False),
        ("Log\n123\nYmFuYW5hcw==", False),
        ("Log\nbananas\nYmFuYW5hcw==\n", False),
        ("Log\n-34\nYmFuYW5hcw==\n", False),
        ("Log\n3438945738945739845734895735\nYmFuYW5hcw==\n", False),
        ("Log\n123\nThisIsn'tBase64\n", False),
        ("Log\n123\nYmFuYW5hcx==\n", False),
    ],
)
def test_any_logs_checkpoint_is_read_as_the_standard_says(body, good):
    if good:
        assert parse_body(body).size == int(body.split("\n")[1])
        return
    with pytest.raises(MalformedNote):
        parse_body(body)


def cases(value):
    """Every object of a JSON document that says whether it should be refused."""
    if isinstance(value, dict):
        if any(name.lower().replace("_", "") == "wanterr" for name in value):
            yield value
        for each in value.values():
            yield from cases(each)
    elif isinstance(value, list):
        for each in value:
            yield from cases(each)


def test_every_checkpoint_case_of_the_corpus_is_judged_as_it_says():
    found = [case for file in (CORPUS / "signed-note").glob("*.json") for case in cases(json.loads(file.read_text()))]
    if not found:
        pytest.skip("these cases are not here")
    for case in found:
        refused = next(bool(v) for name, v in case.items() if name.lower().replace("_", "") == "wanterr")
        body = max((v for v in case.values() if isinstance(v, str) and "\n" in v), key=len)
        try:
            parse_body(body)
            assert not refused, case
        except MalformedNote:
            assert refused, case


def test_a_witness_file_is_cut_into_its_notes():
    made = [sign(SEED, ORIGIN, size, ROOT, AT) for size in (1, 2, 3)]
    for gap in ("", "\n", "\n\n"):
        assert notes(gap.join(made)) == made
        assert notes(gap.join(made) + "\n") == made
    assert notes("") == notes("\n") == []
    assert notes(made[0] + "torn") == [made[0], "torn"]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_checkpoint_or_is_refused(text):
    try:
        parse(text, KEY)
    except NoteError:
        return
