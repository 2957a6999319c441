"""What README, CONTRIBUTING and the docs tell a newcomer to type exists; what they link to is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCED = re.compile(r"```sh\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(make [^`]+|\.venv/bin/[^`]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]+)")
SHELL_NAMES = {"make", ".venv/bin/troth", "troth", ".venv/bin/python", ".venv/bin/pre-commit"}


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
        found += [(page, line.strip()) for line in [*lines, *INLINE.findall(text)] if line.strip()]
    return sorted(set(found))


def test_the_readme_has_its_two_commands():
    assert {("README.md", "make run"), ("README.md", "make test"), ("README.md", "make run ONCE=1")} <= set(commands())


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_that_a_page_names_exists(page, command):
    program = command.split()[0]
    assert program in SHELL_NAMES or program in {"curl", "cd", "export", "gpg"}, f"{page} names an unknown program"
    if program == "make":
        typed = command.replace("/path/to/", "").split("#")[0]
        subprocess.run(
            ["sh", "-c", f"{typed} -n"], cwd=ROOT, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin"}
        )
    if program == ".venv/bin/python":
        assert (ROOT / command.split()[1]).exists()
    if program.endswith("troth"):
        words = command.split()[1:]
        troth_knows(words[2] if words[0] == "--config" else words[0])


def troth_knows(subcommand: str) -> None:
    import sys

    troth = Path(sys.executable).with_name("troth")
    asked = [troth, subcommand, "--help"]
    assert subprocess.run(asked, cwd=ROOT, capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    gone = [link for link in LINK.findall(text) if not ((ROOT / page).parent / link).exists()]
    assert gone == []
