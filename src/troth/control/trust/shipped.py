"""Claims: the functions that the package ships, read from its own SQL files: what the database is compared with.

Nothing that somebody wrote into the database can change this expectation.
"""

import re
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.resources import files

from troth.control.pipeline import transitions
from troth.control.settings import INSTALLED_APPS

_COMMENT = re.compile(r"--[^\n]*")
_DOLLAR = re.compile(r"\$(\w*)\$(.*?)\$\1\$", re.DOTALL)
_FUNCTION = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+(?:troth\.)?(\w+)\s*\(([^;$]*?)\)\s*(RETURNS[^;$]*?)AS\s+\$(\w*)\$(.*?)\$\4\$([^;]*);?",
    re.DOTALL | re.IGNORECASE,
)
_DROPPED = re.compile(r"DROP\s+FUNCTION\s+(?:IF\s+EXISTS\s+)?(?:troth\.)?(\w+)", re.IGNORECASE)
_QUOTED = re.compile(r"('(?:[^']|'')*')")

type Migration = tuple[str, str]  # (app label, name)


@dataclass(frozen=True, slots=True)
class Function:
    """`body` is pg_proc.prosrc; `definer`: SECURITY DEFINER; `language` as pg_language names it; `settings`: the names
    of what it sets.
    """

    name: str
    body: str
    language: str
    definer: bool
    search_path: bool
    settings: frozenset[str]


@cache
def functions() -> dict[str, Function]:
    """Every function by name, as the last file that speaks of it leaves it."""
    found: dict[str, Function] = {}
    for text in _texts():
        for name in _DROPPED.findall(_DOLLAR.sub("", text)):
            found.pop(name.lower(), None)
        found |= functions_of(text)
    return found


def condition(text: str) -> str:
    """A condition however it is written: in lower case, without blanks, brackets and casts, but as it is in quotes."""
    parts = _QUOTED.split(text)
    lower = "".join(part if part[:1] == "'" else part.lower() for part in parts)
    listed = re.sub(r"\bin\s*\(([^()]*)\)", r"= any (array[\1])", lower)
    found = (part if part[:1] == "'" else re.sub(r"[\s()]|::\w+(?:\[\])?", "", part) for part in _QUOTED.split(listed))
    return "".join(found)


def _function(parts: tuple[str, ...]) -> Function:
    name, _, head, _, body, tail = parts
    said = f"{head} {tail}".lower()
    language = re.search(r"language\s+(\w+)", said)
    return Function(
        name.lower(),
        body,
        language[1] if language else "",
        "security definer" in said,
        "set search_path = pg_catalog, troth, pg_temp" in re.sub(r"\s+", " ", said),
        frozenset(re.findall(r"\bset\s+(\w+)\s*(?:=|to\b)", said)),
    )


def migrations() -> dict[Migration, set[Migration]]:
    """Each migration of ours with those that it runs after."""
    found = {}
    for app, folder in _rooms().items():
        there = files(folder).joinpath("migrations")
        listed = there.iterdir() if there.is_dir() else ()
        for name in sorted(each.name.removesuffix(".py") for each in listed if each.name[0].isdigit()):
            needs = import_module(f"{folder}.migrations.{name}").Migration.dependencies
            found[app, name] = {before for before in needs if before[0] in _rooms()}
    return found


def sql_of(migration: Migration) -> str:
    """What it carries (audit/sqlfile.py), without comments; "" when it carries none."""
    app, name = migration
    file = files(_rooms()[app]).joinpath("sql", f"{name}.sql")
    return _without_comments(file.read_text(encoding="utf-8")) if file.is_file() else ""


def functions_of(text: str) -> dict[str, Function]:
    """The functions that a text creates, by name."""
    return {each[0].lower(): _function(each) for each in _FUNCTION.findall(text)}


@cache
def _rooms() -> dict[str, str]:
    """App label -> package."""
    return {app.rpartition(".")[2]: app for app in INSTALLED_APPS if app.startswith("troth.control.")}


@cache
def _texts() -> tuple[str, ...]:
    """The migrations' SQL in the order in which they run; then what every upgrade runs.

    A later room may redefine an earlier room's function, so neither names nor INSTALLED_APPS give the order.
    """
    texts = [sql_of(each) for each in TopologicalSorter(migrations()).static_order()]
    return (*texts, ";\n".join(transitions.statements()) + ";\n")


def _without_comments(text: str) -> str:
    """Comments go, but not those inside a function's body, which the database keeps."""
    kept: list[str] = []
    at = 0
    for quoted in _DOLLAR.finditer(text):
        kept += [_COMMENT.sub("", text[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    return "".join([*kept, _COMMENT.sub("", text[at:])])
