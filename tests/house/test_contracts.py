"""Each import contract is broken on purpose in a copy of the tree, and seen to fail under its own name."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")

# contract -> the modules that break it: path under src/troth -> the line that is added to it.
BREAKS = {
    "house": [
        {"mail/__init__.py": "import troth.rules"},
        {"flow/__init__.py": "import troth.control"},
        {"store/__init__.py": "import troth.cli"},
        {"utils/__init__.py": '"""A stray room."""'},
    ],
    "pure": [
        {"mail/__init__.py": "import socket"},
        {"rules/__init__.py": "import asyncio"},
        {"ledger/__init__.py": "import psycopg"},
    ],
    "hot": [{"flow/__init__.py": "import django"}, {"store/__init__.py": "from django.db import models"}],
    "hotsql": [{"control/__init__.py": "import troth.store"}],
    "stages": [
        {"flow/submission/__init__.py": "import troth.flow.delivery"},
        {"flow/feedback/__init__.py": "import troth.flow.submission"},
        {"flow/helpers.py": '"""A stray stage."""'},
    ],
    "checks": [
        {
            "rules/checks/one_check.py": "import troth.rules.checks.other_check",
            "rules/checks/other_check.py": '"""Another check."""',
        },
    ],
    "control": [
        {"control/audit/__init__.py": "import troth.control.tenants"},
        {"control/helpers/__init__.py": '"""A stray feature."""'},
    ],
}


def contracts() -> dict[str, str]:
    """Each contract's id and name, from .importlinter itself."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {one.removeprefix(prefix): parser[one]["name"] for one in parser.sections() if one.startswith(prefix)}


@pytest.fixture
def copy(tmp_path) -> Path:
    kept = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "troth", tmp_path / "troth", ignore=kept)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The copy goes before the installed tree on the path; without the cache nothing is remembered of either.
    env = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    command = [sys.executable, str(LINT), "--no-cache", "--no-logo", *arguments]
    return subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, timeout=120)


def add(folder: Path, lines: dict[str, str]) -> None:
    for path, line in lines.items():
        module = folder / "troth" / path
        module.parent.mkdir(parents=True, exist_ok=True)
        with module.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")


def test_the_tree_as_it_is_keeps_every_contract(copy):
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(contracts())} kept, 0 broken" in result.stdout


def test_every_contract_is_broken_below_and_named_by_a_sentence():
    assert set(BREAKS) == set(contracts())
    assert all(len(name.split()) >= 5 for name in contracts().values())


@pytest.mark.parametrize(
    ("contract", "lines"),
    [pytest.param(one, lines, id=f"{one}-{next(iter(lines))}") for one in BREAKS for lines in BREAKS[one]],
)
def test_a_broken_contract_fails_under_its_name(copy, contract, lines):
    add(copy, lines)
    result = lint(copy, "--contract", contract)
    assert result.returncode != 0
    assert f"{contracts()[contract]} BROKEN" in result.stdout, result.stdout + result.stderr
