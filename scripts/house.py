"""The house rules that no linter knows: `python scripts/house.py [ROOT]` prints each violation, and 1 if any.

A rule takes the tree and yields sentences that begin with path:line. RULES is the list; tests/house breaks
each one.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
MARKS = re.compile(
    r"(?:ruff:\s*)?noqa(?::\s*[A-Z]+[0-9]+(?:[, ]+[A-Z]+[0-9]+)*)?"
    r"|type:\s*ignore(?:\[[\w, -]*\])?"
    r"|pragma:\s*no\s*(?:cover|branch)"
)
NO_COVER = re.compile(r"pragma:\s*no\s*(?:cover|branch)")
WORDS = re.compile(r"[A-Za-z]{2,}")
NOT_OURS = re.compile(r"(?:^|/)(?:\.|__pycache__/|node_modules/|var/)")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~$}-])/(?:work|root|farm)/")
REGISTRIES = re.compile(r"(?:pypi|pythonhosted|npmjs|yarnpkg|crates)\.(?:org|io|com)|deb\.debian\.org")
FRAGMENT = re.compile(r"(?:\d+|\+[\w-]+)\.(?:feature|bugfix|doc|removal|misc)(?:\.\d+)?\.md")
NOT_FOR_MAIL = ("email.utils", "email.mime", "email.headerregistry", "email.generator")
DOWNLOAD_LOCKS = (
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "uv.lock",
    "poetry.lock",
    "Pipfile.lock",
)


@dataclass(frozen=True, slots=True)
class Tree:
    """A source tree: its root and its files, as paths from the root, sorted; ignored files are not of it."""

    root: Path
    files: tuple[str, ...]

    def python(self, *tops: str) -> Iterator[str]:
        return (path for path in self.files if path.endswith(".py") and path.startswith(tops))

    def text(self, path: str) -> str:
        return _read(self.root / path)


@cache
def _read(path: Path) -> str:
    """The file's text; "" for what is not text (a vector, a picture)."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def tree_of(root: Path) -> Tree:
    """What git tracks or would track; without git (an unpacked archive) every file that is not hidden."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, cwd=root, check=True, capture_output=True).stdout  # noqa: S603 - our own words
        names = listed.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(root).as_posix() for path in root.rglob("*")]
        names = [name for name in names if not NOT_OURS.search(name)]
    return Tree(root, tuple(sorted({name for name in names if name and (root / name).is_file()})))


def openings(tree: Tree) -> Iterator[str]:
    """Every module opens by saying where it stands."""
    for path in tree.python("src/", "scripts/", "tests/"):
        if path.startswith("src/") or tree.text(path).strip():
            opening = ast.get_docstring(ast.parse(tree.text(path))) or ""
            if len(WORDS.findall(opening)) < 3:
                yield f"{path}:1: opens without a sentence that says where it stands"


def file_lengths(tree: Tree) -> Iterator[str]:
    for path in tree.python("src/", "scripts/", "tests/"):
        if (length := tree.text(path).count("\n")) > LONGEST_FILE:
            yield f"{path}:{LONGEST_FILE}: {length} lines, over {LONGEST_FILE}: cut it where two things meet"


def function_lengths(tree: Tree) -> Iterator[str]:
    """No function over 40 lines but those in exemptions.toml, each with its reason; a stale one fails too."""
    exempt, modules = exemptions(tree), tree.python("src/", "scripts/")
    found = {name: place for path in modules for name, place in long_functions(tree, path)}
    for name, place in found.items():
        if name not in exempt:
            yield f"{place}, over {LONGEST_FUNCTION}: cut it, or give its reason in exemptions.toml"
    for name, reason in exempt.items():
        if name not in found:
            yield f"tests/house/exemptions.toml:1: {name} is not over {LONGEST_FUNCTION} lines (any more)"
        elif len(WORDS.findall(reason)) < 4:
            yield f"tests/house/exemptions.toml:1: {name} has no reason"


def exemptions(tree: Tree) -> dict[str, str]:
    path = "tests/house/exemptions.toml"
    if path not in tree.files:
        return {}
    functions: dict[str, str] = tomllib.loads(tree.text(path)).get("long_functions", {})
    return functions


def long_functions(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    """Name ("path::function") and place of each function over the bar, first line to last."""
    for node in ast.walk(ast.parse(tree.text(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{path}::{node.name}", f"{path}:{node.lineno}: {node.name} has {length} lines"


def comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def reasons(tree: Tree) -> Iterator[str]:
    """A mark that silences a check has its reason in the same comment, or in the comment line right above."""
    for path in tree.python("src/", "scripts/", "tests/"):
        lines = tree.text(path).splitlines()
        for number, comment in comments(tree.text(path)):
            above = lines[number - 2].strip() if number > 1 else ""
            said = comment + (above if above.startswith("#") else "")
            if MARKS.search(comment) and not WORDS.search(MARKS.sub("", said)):
                yield f"{path}:{number}: {comment} has no reason beside it"


def no_cover_marks(tree: Tree) -> list[str]:
    return [
        f"{path}:{number}"
        for path in tree.python("src/")
        for number, comment in comments(tree.text(path))
        if NO_COVER.search(comment)
    ]


def few_no_cover_marks(tree: Tree) -> Iterator[str]:
    marks = no_cover_marks(tree)
    if len(marks) > 10:
        yield f"{marks[0]}: {len(marks)} `no cover` marks; 10 is the most: {', '.join(marks)}"


def own_mail(tree: Tree) -> Iterator[str]:
    """The standard library neither reads addresses nor writes mail here: its traps are known."""
    for path in tree.python("src/"):
        for node in ast.walk(ast.parse(tree.text(path))):
            for name in imported(node):
                if name.startswith(NOT_FOR_MAIL):
                    yield f"{path}:{node.lineno}: imports {name}; troth.mail reads addresses and writes mail"  # type: ignore[attr-defined]  # imports have lines


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def finished(tree: Tree) -> Iterator[str]:
    yield from grep(tree, UNFINISHED, "an unfinished place goes to an issue")


def no_machine_paths(tree: Tree) -> Iterator[str]:
    yield from grep(tree, MACHINE_PATHS, "a path of one machine")


def no_registries(tree: Tree) -> Iterator[str]:
    yield from grep(tree, REGISTRIES, "a registry's host: packages are named, not where they come from")


def grep(tree: Tree, what: re.Pattern[str], sentence: str) -> Iterator[str]:
    for path in tree.files:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if found := what.search(line):
                yield f"{path}:{number}: {found.group()}: {sentence}"


def pinned(tree: Tree) -> Iterator[str]:
    """Requirements name a version and its hashes, never an address; no lock records download addresses."""
    for path in tree.files:
        if path.rsplit("/", 1)[-1] in DOWNLOAD_LOCKS:
            yield f"{path}:1: a lock that records download addresses"
        if path.startswith("requirements/") and path.endswith(".txt"):
            yield from unpinned(path, tree.text(path))


def unpinned(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if "://" in line or line.startswith("-"):
            yield f"{path}:{number}: {line.strip()}: only versions and hashes stand here"
    for entry in re.split(r"\n(?=\S)", text.strip()):
        if "==" not in entry.split("\n")[0] or "--hash=sha256:" not in entry:
            yield f"{path}:1: {entry.split()[0]} has no version or no hash"


def fragments(tree: Tree) -> Iterator[str]:
    """What a user sees of a change is told in changelog.d until a release gathers it."""
    names = [path for path in tree.files if path.startswith("changelog.d/")]
    for path in names:
        if not FRAGMENT.fullmatch(path.removeprefix("changelog.d/")):
            yield f"{path}:1: a fragment is named ISSUE.(feature|bugfix|doc|removal|misc).md"
    if not names and "CHANGELOG.md" not in tree.files:
        yield "changelog.d:1: no fragment tells what this change brings"


RULES: tuple[Callable[[Tree], Iterator[str]], ...] = (
    openings,
    file_lengths,
    function_lengths,
    reasons,
    few_no_cover_marks,
    own_mail,
    finished,
    no_machine_paths,
    no_registries,
    pinned,
    fragments,
)


def violations(root: Path) -> list[str]:
    tree = tree_of(root)
    return [sentence for rule in RULES for sentence in rule(tree)]


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    found = violations(root)
    print("\n".join(found) if found else f"house: {len(RULES)} rules hold")
    tree = tree_of(root)
    lengths = ((path, tree.text(path).count("\n")) for path in tree.python("src/"))
    if long := [f"{path} {length}" for path, length in lengths if length > 150]:
        print(f"house: over 150 lines, question each: {', '.join(long)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
