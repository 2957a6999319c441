"""Signed notes: what golang.org/x/mod signs verifies here, and nothing that differs from it in a byte does."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.ledger.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    MalformedNote,
    NoteError,
    UnverifiedNote,
    open_note,
    parse_note,
    parse_vkey,
    sign_note,
    vkey,
)

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "merkle-tlog" / "signed-note"
SEED = bytes(range(32))
KEY = parse_vkey(vkey("log/1", SEED))
NOTE = sign_note(SEED, "log/1", "a\n\nb\n")


@pytest.fixture
def vectors():
    file = CORPUS / "note_vectors.json"
    if not file.exists():
        pytest.skip("the corpora are not beside this tree")
    return json.loads(file.read_text())


def test_the_corpus_note_verifies_and_is_signed_alike(vectors):
    key = parse_vkey(vectors["vkey"])
    assert open_note(vectors["signed"], key) == vectors["text"]
    assert open_note(vectors["signed"] + vectors["enoch_sig"], key) == vectors["text"]
    assert open_note(vectors["signed"] + vectors["enoch_sig"], parse_vkey(vectors["other_vkey"])) == vectors["text"]
    seed = base64.b64decode(vectors["skey"].split("+", 4)[4])[1:]
    assert sign_note(seed, "PeterNeumann", vectors["text"]) == vectors["signed"]
    assert vkey("PeterNeumann", seed) == vectors["vkey"]


def test_every_malformed_note_of_the_corpus_is_refused(vectors):
    key = parse_vkey(vectors["vkey"])
    for note in vectors["malformed_notes"]:
        data = (
            note.encode() if isinstance(note, str) else note["latin1_prefix"].encode("latin1") + note["rest"].encode()
        )
        with pytest.raises(MalformedNote):
            open_note(data, key)


def test_every_bad_key_of_the_corpus_is_refused(vectors):
    bad = [text.strip('"') for text, _ in vectors["bad_vkeys"] if text.startswith('"')]
    bad += [vectors["vkey"][:end] for end in range(len(vectors["vkey"]))]
    for text in bad:
        with pytest.raises(MalformedNote):
            parse_vkey(text)


def test_a_note_of_another_key_or_another_text_is_not_verified(vectors):
    with pytest.raises(UnverifiedNote, match="not signed by"):
        open_note(vectors["signed"], KEY)
    with pytest.raises(UnverifiedNote, match="not of this text"):
        open_note(vectors["signed"].replace("problem", "solution", 1), parse_vkey(vectors["vkey"]))


@settings(deadline=None)
@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_no_byte_of_a_note_can_change_unseen(at, flip):
    data = bytearray(NOTE.encode())
    data[at] ^= flip
    with pytest.raises(NoteError):
        open_note(bytes(data), KEY)


@settings(deadline=None)
@given(st.integers(0, len(NOTE)), st.characters(codec="utf-8"))
def test_nothing_can_be_added_to_a_note_unseen(at, char):
    with pytest.raises(NoteError):
        open_note(NOTE[:at] + char + NOTE[at:], KEY)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_are_refused(data):
    try:
        parse_note(data)
    except MalformedNote:
        return


def test_any_text_that_ends_in_a_newline_can_be_signed_and_read():
    for text in ("\n", "\n\n\n", "é\n", "— x y\n"):
        assert open_note(sign_note(SEED, "log/1", text), KEY) == text


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (NOTE + "— log/2 AAAA\n", "too short"),
        (NOTE + "— log/2 !!!!\n", "not base64"),
        (NOTE + "— log/2 AAAAAAB=\n", "canonical form"),
        (NOTE + "—log/2 AAAAAAAA\n", "not a signature line"),
        (NOTE + "— log/2 AAAAAAAA\n" * MAX_SIGNATURES, "at most 100"),
        (NOTE + "\ud800", "UTF-8"),
        (NOTE.replace("a", "a\r", 1), "control characters"),
        ("x" * MAX_NOTE_BYTES + NOTE, "at most"),
    ],
)
def test_what_is_wrong_with_a_note_is_said(note, words):
    with pytest.raises(MalformedNote, match=words):
        open_note(note, KEY)


def test_what_cannot_be_signed_is_refused():
    with pytest.raises(MalformedNote, match="ends in a newline"):
        sign_note(SEED, "log", "text")
    for name in ("", "a b", "a+b"):
        with pytest.raises(MalformedNote, match="white space"):
            sign_note(SEED, name, "text\n")
