"""`make setup` finds an interpreter by running the candidates, and says what to install when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIND = ROOT / "scripts" / "find-python.sh"


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def real(path: Path) -> Path:
    return program(path, f'exec "{sys.executable}" "$@"')


def broken(path: Path) -> Path:
    return program(path, 'echo "pyenv: command not found" >&2; exit 127')


@pytest.fixture
def find(tmp_path):
    """Runs find-python.sh with nothing on the path but a folder of our own, in a home with a space."""
    home, path = tmp_path / "a home", tmp_path / "bin"
    path.mkdir()
    (path / "cat").symlink_to(shutil.which("cat"))

    def run(**env: str) -> subprocess.CompletedProcess[str]:
        env = {"HOME": str(home), "PATH": str(path), **env}
        return subprocess.run(["/bin/sh", FIND], env=env, text=True, capture_output=True, timeout=60)

    run.home, run.path = home, path
    return run


def test_a_shim_that_exists_and_fails_is_passed_over(find):
    broken(find.path / "python3.14")
    broken(find.path / "python3.13")
    real(find.path / "python3.12")
    assert find().stdout == "python3.12\n"


def test_a_python_of_pyenv_is_found_by_its_path_with_a_space(find):
    broken(find.path / "python3")
    found = real(find.home / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3")
    assert find().stdout == f"{found}\n"


def test_an_old_python_is_not_good_enough(find):
    program(find.path / "python3", "exit 1")
    result = find(PYTHON=str(find.path / "python3"))
    assert result.returncode == 1
    assert "is not a Python 3.12 or newer" in result.stderr


def test_a_named_python_is_taken(find):
    named = real(find.path / "my python")
    assert find(PYTHON=str(named)).stdout == f"{named}\n"


@pytest.mark.skipif(
    "any(__import__('glob').glob(p) for p in ('/opt/homebrew/bin/python3.1[2-9]',"
    " '/usr/local/bin/python3.1[2-9]', '/Library/Frameworks/Python.framework/Versions/3.1[2-9]'))",
    reason="this machine has one where the script looks beyond the path",
)
def test_without_any_it_says_what_to_install(find):
    broken(find.path / "python3")
    result = find()
    assert (result.returncode, result.stdout) == (1, "")
    assert "apt install python3 python3-venv" in result.stderr
    assert "make setup PYTHON=" in result.stderr


def test_plain_make_lists_every_target_that_it_promises():
    listed = subprocess.run(["make"], cwd=ROOT, text=True, capture_output=True, check=True, env=clean()).stdout
    for target in ("setup", "run", "test", "check", "bench", "fuzz", "docs", "lock", "clean"):
        assert f"make {target} " in listed


@pytest.mark.parametrize(("once", "ends"), [("1", True), ("yes", True), ("", False), ("0", False)])
def test_once_ends_the_demo(once, ends):
    dry = ["make", "-n", "run", f"ONCE={once}"]
    printed = subprocess.run(dry, cwd=ROOT, text=True, capture_output=True, check=True, env=clean()).stdout
    assert printed.rstrip().endswith("troth demo --once" if ends else "troth demo")


def clean() -> dict[str, str]:
    """The environment less what an outer make hands down."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
