"""The same 200 messages under each of the three profiles differ exactly as the claims say: `make profiles` prints it."""

import subprocess
import sys
from pathlib import Path

from tests.profiles.__main__ import PROFILES, SAYS, told
from tests.profiles.script import SCRIPT

ROOT = Path(__file__).parents[2]


def test_the_profiles_differ_exactly_as_the_claims_say():
    command = [sys.executable, "-m", "tests.profiles"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "200 messages under each of 3 profiles: 0 cells are not what the claims say." in said.stdout


def test_the_script_is_200_messages_and_only_claims_make_a_difference():
    assert sum(part.messages for part in SCRIPT) == 200
    for part in SCRIPT:
        assert (len(set(SAYS[part.name])) > 1) == bool(part.claims), part.name


def test_a_cell_that_is_otherwise_is_told():
    found = {name: dict(zip(PROFILES, says, strict=True)) for name, says in SAYS.items()}
    assert told(found)[1] == 0
    found["plain mail"]["retail"] = "20 held"
    lines, wrong = told(found)
    assert wrong == 1
    assert any(line.startswith("  ! retail") for line in lines)
