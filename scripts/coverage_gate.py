"""The house's bar for tests: prints the branch coverage of each room of the river and fails under it.

Reads what `coverage run` left, worker and door processes included. Three figures are held to 95 %: over the
four rooms together, the branches and the statements; in each room, both together as coverage.py counts them.
At most ten `no cover` marks may stand in src.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import coverage
import msgspec
from coverage.exceptions import NoDataError

from house import no_cover_marks, tree_of

FLOOR = 95.0
MARKS = 10
ROOMS = ("mail", "rules", "store", "flow")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one room or of all: statements and branches, covered and in all."""

    lines: int = 0
    lines_hit: int = 0
    branches: int = 0
    branches_hit: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.lines + other.lines,
            self.lines_hit + other.lines_hit,
            self.branches + other.branches,
            self.branches_hit + other.branches_hit,
        )

    @property
    def statements(self) -> float:
        return percent(self.lines_hit, self.lines)

    @property
    def branching(self) -> float:
        return percent(self.branches_hit, self.branches)

    @property
    def together(self) -> float:
        return percent(self.lines_hit + self.branches_hit, self.lines + self.branches)


def percent(hit: int, of: int) -> float:
    return 100.0 * hit / of if of else 100.0


def measured() -> dict[str, Figures]:
    """The figures of each room; the missing lines are printed on the way."""
    cover = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    cover.combine()
    cover.save()
    cover.report(skip_covered=True, show_missing=True)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        cover.json_report(outfile=str(report))
        files = msgspec.json.decode(report.read_bytes())["files"]
    return {room: sum((figures(one) for one in of_room(files, room)), Figures()) for room in ROOMS}


def of_room(files: dict[str, dict[str, dict[str, int]]], room: str) -> Iterator[dict[str, int]]:
    return (one["summary"] for path, one in files.items() if f"src/troth/{room}/" in Path(path).as_posix())


def figures(summary: dict[str, int]) -> Figures:
    return Figures(
        summary["num_statements"],
        summary["covered_lines"],
        summary["num_branches"],
        summary["covered_branches"],
    )


def verdict(rooms: dict[str, Figures], marks: int) -> list[str]:
    """A sentence for each figure under its bar; none when the bar is met."""
    total = sum(rooms.values(), Figures())
    low = [f"{room} is covered to {one.together:.1f} %" for room, one in rooms.items() if one.together < FLOOR]
    if total.branching < FLOOR:
        low.append(f"branches are covered to {total.branching:.1f} %")
    if total.statements < FLOOR:
        low.append(f"statements are covered to {total.statements:.1f} %")
    low = [f"{sentence}; {FLOOR:.0f} % is the bar" for sentence in low]
    low += [f"nothing of {room} was measured" for room, one in rooms.items() if not one.lines]
    if marks > MARKS:
        low.append(f"{marks} `no cover` marks; {MARKS} is the most")
    return low


def table(rooms: dict[str, Figures], marks: int) -> str:
    rows = [*rooms.items(), ("together", sum(rooms.values(), Figures()))]
    lines = ["", "Coverage       branches   statements   both"]
    lines += [
        f"  {name:<10} {one.branching:9.1f} %  {one.statements:9.1f} % {one.together:6.1f} %" for name, one in rows
    ]
    return "\n".join([*lines, f"`no cover` marks: {marks} (at most {MARKS})"])


def main(arguments: list[str]) -> int:
    try:
        rooms, marks = measured(), len(no_cover_marks(tree_of(ROOT)))
    except NoDataError:
        print("coverage: no run has left anything to read; run make test", file=sys.stderr)
        return 1
    print(table(rooms, marks))
    if "--print-only" in arguments:
        return 0
    low = verdict(rooms, marks)
    for sentence in low:
        print(f"coverage: {sentence}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
