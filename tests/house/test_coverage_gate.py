"""The coverage bar holds where it should and speaks when it is not met."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from coverage_gate import ROOMS, Figures, verdict  # noqa: E402 - found only through the line above

FULL = dict.fromkeys(ROOMS, Figures(1000, 1000, 200, 200))


def test_full_coverage_passes():
    assert verdict(FULL, marks=10) == []


@pytest.mark.parametrize(
    ("changed", "marks", "said"),
    [
        ({"store": Figures(100, 90, 10, 10)}, 0, "store is covered to 90.9 %"),
        ({room: Figures(1000, 1000, 200, 189) for room in ROOMS}, 0, "branches are covered to 94.5 %"),
        ({room: Figures(1000, 949, 2000, 2000) for room in ROOMS}, 0, "statements are covered to 94.9 %"),
        ({}, 11, "11 `no cover` marks"),
        ({"flow": Figures()}, 0, "nothing of flow was measured"),
    ],
)
def test_a_figure_under_its_bar_is_said(changed, marks, said):
    assert [sentence for sentence in verdict({**FULL, **changed}, marks) if sentence.startswith(said)]


def test_a_room_without_branches_is_covered_by_its_statements():
    assert Figures(10, 10, 0, 0).branching == 100.0
