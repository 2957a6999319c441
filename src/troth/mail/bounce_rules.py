"""Feedback: the data that bounces are read by: bounce_classes.toml, with wording shared with reply_classes.toml."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Klass:
    """bad: a permanent failure says that the address is bad; passing: never permanent. failure: a kind of reply.py."""

    name: str
    failure: str
    do: str
    bad: bool = False
    passing: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """sure: whatever phase and code; vague: the text is asked first; bare: a text may even say that it is bad."""

    klass: str
    pattern: re.Pattern[str] | None = None
    sure: bool = False
    vague: bool = False
    bare: bool = False


def load(name: str) -> dict[str, Any]:
    """A TOML file of this package: data that is part of the code."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def pattern(sources: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in sources))


_DATA = load("bounce_classes.toml")
_SHARED = {entry["name"]: entry["any"] for entry in load("reply_classes.toml")["text"]}


def _said(entry: Mapping[str, Any]) -> Rule:
    shared = [one for name in entry.get("of", ()) for one in _SHARED[name]]
    return Rule(entry["class"], pattern([*shared, *entry.get("any", ())]), sure=entry.get("sure", False))


CLASSES = {name: Klass(name, **fields) for name, fields in _DATA["class"].items()}
KNOWN = tuple(_said(entry) for entry in _DATA["known"])
TEXTS = tuple(_said(entry) for entry in _DATA["text"])
STATUSES = {
    code: Rule(entry["class"], vague=entry.get("vague", False), bare=entry.get("bare", False))
    for entry in _DATA["status"]
    for code in entry["codes"]
}
REPLIES = {code: Rule(entry["class"]) for entry in _DATA["reply"] for code in entry["codes"]}
