"""Writes the tree in docs/ARCHITECTURE.md: every room and module of src/troth with its opening sentence.

`--check` compares instead, and ends with 1 and a diff when the page is stale.
"""

import ast
import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/ARCHITECTURE.md"
BEGIN, END = "<!-- tree: written by `make docs` -->", "<!-- /tree -->"
WIDTH = 118
SKIPPED = {"__init__.py", "apps.py", "__pycache__", "migrations"}  # Django's own way of drawing is not ours


def sentence(path: Path) -> str:
    """The first sentence of a module's docstring, on one line."""
    opening = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(opening.split("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", first, maxsplit=1)[0].rstrip(".")


def entries(folder: Path, depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """Depth, name and sentence; a room's own modules first, then the rooms in it."""
    for path in sorted(folder.glob("*.py")):
        if path.name not in SKIPPED:
            yield depth, path.name, sentence(path)
    for room in sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in SKIPPED):
        if (room / "__init__.py").is_file():
            yield depth, f"{room.name}/", sentence(room / "__init__.py")
            yield from entries(room, depth + 1)


def drawn(source: Path) -> str:
    rows = [(0, "src/troth/", sentence(source / "__init__.py")), *entries(source, depth=1)]
    lines = [clipped(f"{'  ' * depth + name:<28} {words}".rstrip()) for depth, name, words in rows]
    return "\n".join(["```text", *lines, "```"])


def clipped(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1].rsplit(" ", 1)[0] + "…"


def with_tree(page: str, tree: str) -> str:
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    return f"{head}{BEGIN}\n\n{tree}\n\n{END}{tail}"


def main(arguments: list[str]) -> int:
    root = Path(arguments[arguments.index("--root") + 1]) if "--root" in arguments else ROOT
    page = root / PAGE
    before = page.read_text(encoding="utf-8")
    after = with_tree(before, drawn(root / "src" / "troth"))
    if "--check" not in arguments:
        page.write_text(after, encoding="utf-8")
        return 0
    diff = list(difflib.unified_diff(before.splitlines(), after.splitlines(), PAGE, "the tree", lineterm=""))
    if diff:
        print("\n".join([*diff, f"{PAGE} is stale: run make docs"]), file=sys.stderr)
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
