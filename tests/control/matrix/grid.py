"""What the table of rights is expected to say, as people reviewed it: expected.txt, a letter for each cell.

-  no;  y  yes;  2  yes, in a session with a second factor;  n, N  the same two, for the two named individuals alone
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from troth.control.people.permissions import CLIENT_ROLES, HOUSE, OPERATOR_ROLES, Permission

FILE = Path(__file__).with_name("expected.txt")
LETTERS = "-y2nN"
# the columns of a client's profile, and those of the house
_CLIENT = tuple(("own", role) for role in CLIENT_ROLES) + tuple(("clients", role) for role in OPERATOR_ROLES)
_HOUSE = tuple(("house", role) for role in OPERATOR_ROLES)

Cell = tuple[str, str, str, str]  # profile, action, scope, role


def read() -> dict[Cell, str]:
    """Every cell of the file, the noes too."""
    found: dict[Cell, str] = {}
    profile = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if line.startswith("["):
            profile = words[0].strip("[]").replace("house", HOUSE)
        elif words and not line.startswith("#"):
            columns = _CLIENT if profile else _HOUSE
            letters = "".join(words[1:])
            assert len(letters) == len(columns), line
            assert set(letters) <= set(LETTERS), line
            found |= {(profile, words[0], *where): letter for where, letter in zip(columns, letters, strict=True)}
    return found


def letter(cell: Permission | None) -> str:
    if cell is None:
        return "-"
    return ("N" if cell.second else "n") if cell.named else ("2" if cell.second else "y")


def differences(expected: Mapping[Cell, str], cells: Mapping[Cell, Permission]) -> Iterator[str]:
    """A sentence for each cell in which the table is not what was reviewed."""
    for cell in sorted(expected.keys() | cells.keys()):
        wanted, there = expected.get(cell), letter(cells.get(cell))
        if wanted is None:
            yield f"{_named(cell)} is in permissions.toml and not in expected.txt: review it and add its letter, {there!r}"
        elif wanted != there:
            yield f"{_named(cell)} is {there!r} in permissions.toml, and was reviewed as {wanted!r} in expected.txt"


def _named(cell: Cell) -> str:
    profile, action, scope, role = cell
    return f"{action} of {role} ({scope}{', ' + profile if profile else ''})"
