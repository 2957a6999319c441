"""The house rules hold in this tree, and each of them fails on a tree that breaks it."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import house  # noqa: E402 - found only through the line above

OPENING = '"""A module of the house, which says where it stands."""\n'
LONG = "def long() -> None:\n" + "    print()\n" * 41
EXEMPT = "tests/house/exemptions.toml"
WORK, TASK = "/wo" + "rk/", "TO" + "DO"

BROKEN = {
    "no opening": ("openings", "src/troth/a.py", "import os\n"),
    "empty opening": ("openings", "src/troth/a.py", '""""""\n'),
    "file too long": ("file_lengths", "src/troth/a.py", OPENING + "x = 1\n" * 401),
    "function too long": ("function_lengths", "src/troth/a.py", OPENING + LONG),
    "stale exemption": (
        "function_lengths",
        EXEMPT,
        '[long_functions]\n"a.py::gone" = "it reads better whole"\n',
    ),
    "bare noqa": ("reasons", "src/troth/a.py", OPENING + "x = 1  # noqa: E501\n"),
    "bare type: ignore": ("reasons", "tests/a.py", OPENING + "x = 1  # type: ignore[assignment]\n"),
    "bare no cover": ("reasons", "src/troth/a.py", OPENING + "x = 1  # pragma: no cover\n"),
    "two marks, no reason": (
        "reasons",
        "src/troth/a.py",
        OPENING + "x = 1  # type: ignore[misc] # noqa: S603, S607\n",
    ),
    "eleven no cover marks": (
        "few_no_cover_marks",
        "src/troth/a.py",
        OPENING + "x = 1  # pragma: no cover - never runs here\n" * 11,
    ),
    "import email.utils": ("own_mail", "src/troth/a.py", OPENING + "import email.utils\n"),
    "from email import utils": ("own_mail", "src/troth/a.py", OPENING + "from email import utils\n"),
    "from email.utils import x": (
        "own_mail",
        "src/troth/a.py",
        OPENING + "from email.utils import parseaddr\n",
    ),
    "unfinished": ("finished", "docs/a.md", f"{TASK}: the rest\n"),
    "machine path": ("no_machine_paths", "docs/a.md", f"see {WORK}main\n"),
    "registry": ("no_registries", "Makefile", "pip install -i https://py" + "pi.org/simple\n"),
    "address in requirements": (
        "pinned",
        "requirements/run.txt",
        "a==1 --hash=sha256:0\nb @ https://x/b.whl\n",
    ),
    "option in requirements": ("pinned", "requirements/run.txt", "--index-url x\na==1 --hash=sha256:0\n"),
    "no hash": ("pinned", "requirements/run.txt", "a==1 \\\n    --hash=sha256:0\nb==2\n"),
    "no version": ("pinned", "requirements/run.txt", "a>=1 --hash=sha256:0\n"),
    "lock with addresses": ("pinned", "tests/node/package-lock.json", "{}"),
    "fragment's name": ("fragments", "changelog.d/news.txt", "News.\n"),
}


def tree_with(root: Path, **files: str) -> house.Tree:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return house.tree_of(root)


def test_this_tree_keeps_the_house_rules():
    assert house.violations(ROOT) == []


def test_every_rule_is_broken_below():
    assert {rule.__name__ for rule in house.RULES} == {rule for rule, _, _ in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_named_with_its_place(case, tmp_path):
    rule, path, text = BROKEN[case]
    tree = tree_with(tmp_path, **{path: text})
    found = list(getattr(house, rule)(tree))
    assert len(found) >= 1
    assert all(sentence.startswith(path) for sentence in found)


def test_no_fragment_and_no_changelog_is_a_violation(tmp_path):
    assert list(house.fragments(tree_with(tmp_path))) == ["changelog.d:1: no fragment tells what this change brings"]
    assert list(house.fragments(tree_with(tmp_path, **{"CHANGELOG.md": "# 0.1\n"}))) == []


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: S603 - our own words only",
        "x = 1  # type: ignore[misc]  # the library has no types",
        "# The library has no types.\nx = 1  # type: ignore[misc]",
        "x = 'a # noqa in a string'",
    ],
)
def test_a_mark_with_its_reason_is_accepted(line, tmp_path):
    assert list(house.reasons(tree_with(tmp_path, **{"src/a.py": OPENING + line + "\n"}))) == []


def test_a_long_function_with_a_reason_is_accepted(tmp_path):
    listed = '[long_functions]\n"src/a.py::long" = "one table, read from top to bottom"\n'
    tree = tree_with(tmp_path, **{"src/a.py": OPENING + LONG, EXEMPT: listed})
    assert list(house.function_lengths(tree)) == []


def test_a_long_function_without_a_real_reason_is_not(tmp_path):
    listed = '[long_functions]\n"src/a.py::long" = "long"\n'
    tree = tree_with(tmp_path, **{"src/a.py": OPENING + LONG, EXEMPT: listed})
    assert list(house.function_lengths(tree)) == [f"{EXEMPT}:1: src/a.py::long has no reason"]


def test_without_git_the_tree_is_what_lies_there(tmp_path):
    tree = tree_with(tmp_path, **{"src/a.py": OPENING, ".venv/b.py": "", "src/__pycache__/c.pyc": ""})
    assert tree.files == ("src/a.py",)
