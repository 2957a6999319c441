"""API keys: what is made is read, and a slip of the hand is seen without the store."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.keys.api_keys import make_key, parse_key


def test_a_key_is_read_back_by_its_hash():
    key = make_key("b")
    parsed = parse_key(key.text)
    assert parsed is not None
    assert (parsed.cell, parsed.hash) == ("b", key.hash)
    assert key.hash == sha256(key.text.encode()).digest()
    assert key.text.startswith(key.prefix)
    assert key.text not in repr(key)
    assert make_key("b").text != key.text


@pytest.mark.parametrize("cell", ["", "B", "ab", "1", "é"])
def test_a_cell_is_one_letter(cell):
    with pytest.raises(ValueError, match="cell"):
        make_key(cell)


@given(st.integers(0, 57), st.sampled_from("0123456789ABCXYZabcxyz_"))
def test_any_changed_character_is_noticed(position, character):
    text = make_key("a").text
    changed = text[:position] + character + text[position + 1 :]
    assert (parse_key(changed) is None) == (changed != text)


@given(st.text(max_size=80))
def test_what_is_no_key_is_none(text):
    assert parse_key(text) is None


def test_a_key_with_a_line_break_is_none():
    assert parse_key(make_key("a").text + "\n") is None
