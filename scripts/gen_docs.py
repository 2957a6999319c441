"""Writes the pages of docs/ that code generates: no setting, problem, state or table goes undocumented.

PAGES names each page's writer: a function without arguments that returns the page in Markdown. `--check`
compares instead, and ends with 1 when a page is stale, is missing, or has no writer.
"""

import difflib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "docs/settings.md": "troth.settings:settings_markdown",
    "docs/problems.md": "troth.rules.problems:problems_markdown",
    "docs/states.md": "troth.rules.states:states_markdown",
    "docs/roles.md": "troth.control.people.roles_page:markdown",
    "docs/database.md": "troth.control.ownership_page:markdown",
    "docs/metrics.md": "troth.cli.metrics.catalogue:markdown",
    "docs/claims.md": "troth.control.trust.page:markdown",
}


def writer(name: str) -> Callable[[], str]:
    module, function = name.split(":")
    found: Callable[[], str] = getattr(importlib.import_module(module), function)
    return found


def page(name: str) -> str:
    """The page that `name` writes, under a line that says where it comes from."""
    return f"<!-- Written by `make docs` from {name}; edit that. -->\n\n{writer(name)().strip()}\n"


def stale(root: Path, path: str, name: str) -> list[str]:
    """What is wrong with a page, as lines; none when it is fresh."""
    try:
        wanted = page(name)
    except (ImportError, AttributeError) as error:
        return [f"{path}: its writer {name} is missing ({error})"]
    if not (root / path).is_file():
        return [f"{path} is missing: run make docs"]
    there = (root / path).read_text(encoding="utf-8")
    diff = list(difflib.unified_diff(there.splitlines(), wanted.splitlines(), path, name, lineterm=""))
    return [*diff, f"{path} is stale: run make docs"] if diff else []


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        lines = [line for path, name in PAGES.items() for line in stale(ROOT, path, name)]
        print("\n".join(lines), end="\n" if lines else "", file=sys.stderr)
        return 1 if lines else 0
    for path, name in PAGES.items():
        (ROOT / path).write_text(page(name), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
