"""The six races in small: `make races` runs each ten thousand times. And that they would find what they look for."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.races import doors, marks, moves
from tests.races.marks import Seen

ROOT = Path(__file__).parents[2]


def races(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.races", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def test_nothing_goes_wrong_in_any_of_the_six():
    said = races("--rounds", "60", "--workers", "2")
    assert said.returncode in (0, 2), said.stdout + said.stderr  # 2: so few rounds need not all meet
    lines = said.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["suppression", "limit", "idempotency", "moves", "pause", "cancel"]
    assert not any("WRONG" in line for line in lines), said.stdout


@pytest.mark.parametrize("race", ["suppression", "cancel"])
def test_a_mark_that_does_not_see_the_change_is_found(race):
    said = races("--rounds", "60", "--workers", "2", "--only", race, "--break", race)
    assert said.returncode == 1, said.stdout + said.stderr
    assert "WRONG" in said.stdout


def test_only_a_mark_that_began_after_the_commit_is_wrong():
    change = Seen(100, 200, 1)
    during, after, stopped = Seen(150, 260, 0), Seen(201, 260, 0), Seen(201, 260, 1)
    found = marks.judge("suppression", [during, after, stopped], [change] * 3)
    assert (found.sent, found.stopped, found.overlapped, found.late) == (2, 1, 1, 1)
    assert marks.judge("pause", [during, stopped], [change] * 2).wrong == 0


def test_of_a_cancellation_and_a_mark_one_wins():
    sent, stale, won, lost = Seen(0, 1, 0), Seen(0, 1, 9), Seen(0, 1, 1), Seen(0, 1, 0)
    assert marks.judge("cancel", [sent, stale], [lost, won]).wrong == 0
    assert marks.judge("cancel", [sent], [won]).both == 1
    assert marks.judge("cancel", [stale], [lost]).neither == 1


def test_what_the_doors_answers_and_the_rows_must_say():
    four = [["a", "b"]], [["c", "d"]]
    assert doors.judge("limit", four, [4]).over == 1
    assert doors.judge("limit", ([["a", "b"]], [["c", ""]]), [3]).wrong == 0
    assert doors.judge("limit", ([["a", ""]], [["c", ""]]), [2]).under == 1
    assert doors.judge("limit", ([["a", "b"]], [["c", ""]]), [4]).differs == 1
    assert doors.judge("idempotency", ([["a", "a"]], [["a", "a"]]), [1]).wrong == 0
    assert doors.judge("idempotency", ([["a", "a"]], [["b", "b"]]), [2]).over == 1
    assert doors.judge("idempotency", ([["a", ""]], [["a", "a"]]), [1]).under == 1


def test_what_a_days_count_and_its_messages_must_say():
    words = [[["taken", "done", "full"]], [["refused"]]]
    assert moves.judge(words, [moves.Held((3, 1), (3, 1))]).wrong == 0
    assert moves.judge(words, [moves.Held((4, 0), (4, 0))]).over == 1
    assert moves.judge(words, [moves.Held((2, 0), (3, 0))]).differs == 1
    assert moves.judge([[["taken", "too-late"]]], [moves.Held((0, 0), (0, 0))]).under == 1
