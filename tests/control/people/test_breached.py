"""A file of stolen passwords: every one of it is found, no other; what is no such file takes no password at all."""

import hashlib
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from troth.control.people.breached import Unreadable, check, known


def sha(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def written(folder: Path, passwords, ending="\n", counts=True, last=True) -> Path:
    lines = [f"{one}:{n + 1}" if counts else one for n, one in enumerate(sorted(map(sha, passwords)))]
    file = folder / "breached.txt"
    file.write_text(ending.join(lines) + (ending if lines and last else ""), newline="")
    return file


@given(
    passwords=st.sets(st.text(max_size=20), max_size=40),
    others=st.sets(st.text(max_size=20), max_size=20),
    ending=st.sampled_from(["\n", "\r\n"]),
    counts=st.booleans(),
    last=st.booleans(),
)
def test_each_of_the_file_is_found_and_no_other(tmp_path_factory, passwords, others, ending, counts, last):
    file = written(tmp_path_factory.getbasetemp(), passwords, ending, counts, last)
    assert all(known(file, one) for one in passwords)
    assert not any(known(file, one) for one in others - passwords)


def test_small_letters_are_the_same(tmp_path):
    file = tmp_path / "list"
    file.write_text(sha("four brown boxes").lower())
    with pytest.raises(ValidationError, match="stolen somewhere"):
        check(file, "four brown boxes")
    check(file, "five brown boxes")
    check(None, "four brown boxes")


@pytest.mark.parametrize("text", ["not a hash\n", "0" * 39 + "\n", "0" * 40 + " 7\n", "\0" * 5000])
def test_what_is_no_such_file_takes_no_password(tmp_path, text):
    file = tmp_path / "list"
    file.write_text(text)
    with pytest.raises(Unreadable, match="a line that is not a SHA-1"):
        known(file, "four brown boxes")
    with pytest.raises(Unreadable, match="cannot be read"):
        known(tmp_path / "missing", "four brown boxes")
