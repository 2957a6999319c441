"""Generated pages are fresh, and a stale, missing or writerless one is found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import gen_docs  # noqa: E402 - found only through the line above
import gen_tree  # noqa: E402 - found only through the line above

OURS = {"docs/a.md": "house_writer:markdown"}


@pytest.mark.parametrize("page", gen_docs.PAGES)
def test_a_generated_page_is_fresh(page):
    assert gen_docs.stale(ROOT, page, gen_docs.PAGES[page]) == []


def test_the_tree_in_architecture_is_the_tree():
    assert gen_tree.main(["--check"]) == 0, "run make docs"


@pytest.fixture
def writer(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "house_writer.py").write_text("def markdown():\n    return '# A page'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "house_writer", raising=False)
    return tmp_path


def test_a_page_is_missing_then_fresh_then_stale(writer):
    page, name = "docs/a.md", "house_writer:markdown"
    assert gen_docs.stale(writer, page, name) == ["docs/a.md is missing: run make docs"]
    (writer / page).write_text(gen_docs.page(name))
    assert gen_docs.stale(writer, page, name) == []
    (writer / page).write_text("# Edited by hand\n")
    assert gen_docs.stale(writer, page, name)[-1] == "docs/a.md is stale: run make docs"


@pytest.mark.parametrize("name", ["troth.no_such_room:markdown", "troth:no_such_function"])
def test_a_page_without_a_writer_is_an_error(writer, name):
    assert "its writer" in gen_docs.stale(writer, "docs/a.md", name)[0]


@pytest.fixture
def copy(tmp_path) -> Path:
    shutil.copytree(ROOT / "src" / "troth" / "ledger", tmp_path / "src" / "troth" / "ledger")
    shutil.copy(ROOT / "src" / "troth" / "__init__.py", tmp_path / "src" / "troth")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "ARCHITECTURE.md", tmp_path / "docs")
    return tmp_path


def draw(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "gen_tree.py", "--root", folder, *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=60)


def test_a_new_module_makes_the_tree_stale_until_it_is_drawn(copy):
    assert draw(copy).returncode == 0
    assert draw(copy, "--check").returncode == 0
    (copy / "src/troth/ledger/witness.py").write_text('"""Who else holds a checkpoint. More follows."""\n')
    stale = draw(copy, "--check")
    assert stale.returncode == 1
    assert "is stale: run make docs" in stale.stderr
    assert draw(copy).returncode == 0
    assert "    witness.py               Who else holds a checkpoint\n" in (copy / gen_tree.PAGE).read_text()
