"""The command line's words: each command is found by its own, whichever rooms were imported for it."""

import argparse

import pytest

from troth.cli.parser import parser


def _commands():
    (subparsers,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return sorted(subparsers.choices)


@pytest.mark.parametrize("name", _commands())
def test_a_command_asked_by_its_name_is_there_without_the_others(name, capsys):
    with pytest.raises(SystemExit) as end:
        parser([name]).parse_args([name, "--help"])
    assert end.value.code == 0
    assert f"usage: troth {name}" in capsys.readouterr().out


def test_a_word_that_is_no_command_is_answered_with_all_of_them(capsys):
    with pytest.raises(SystemExit):
        parser(["serv"]).parse_args(["serv"])
    said = capsys.readouterr().err
    assert all(f"'{name}'" in said for name in _commands())
