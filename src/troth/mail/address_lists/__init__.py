"""Submission's lists about addresses: role names, disposable domains with the list's day, providers people mistype."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

_HEAD = "# as of "


@dataclass(frozen=True, slots=True)
class Disposable:
    """The list of disposable domains. as_of: the day it was made; names: in lower case, A-labels."""

    as_of: date
    names: frozenset[str]

    def has(self, domain: str) -> bool:
        """Tell whether the domain, or one above it, is on the list."""
        labels = domain.lower().split(".")
        return any(".".join(labels[n:]) in self.names for n in range(len(labels) - 1))

    def age(self, today: date) -> int:
        """Days since the list was made; never below 0, whatever the clock says."""
        return max((today - self.as_of).days, 0)


@cache
def disposable() -> Disposable:
    lines = files(__package__).joinpath("disposable.txt").read_text("ascii").splitlines()
    names = frozenset(line for line in lines if line and not line.startswith("#"))
    return Disposable(date.fromisoformat(lines[0].removeprefix(_HEAD)), names)


@cache
def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text("utf-8"))


@cache
def _roles() -> frozenset[str]:
    lists = _toml("roles")
    return frozenset((*lists["rfc2142"], *lists["machines"], *lists["desks"]))


def is_role(local: str) -> bool:
    """Whether the part before the @ names a task or a list, not a person (RFC 2142 and the like)."""
    name = local.strip('"').casefold().partition("+")[0]
    lists = _toml("roles")
    return name in _roles() or name.endswith(tuple(lists["ends"])) or name.startswith(tuple(lists["starts"]))


@cache
def providers() -> frozenset[str]:
    return frozenset(_toml("providers")["providers"])


@cache
def near_misses() -> frozenset[str]:
    """Real domains that are a slip away from a provider's."""
    return frozenset(_toml("providers")["near"])


def ends() -> dict[str, str]:
    """Top-level domains that do not exist, and what was meant."""
    found: dict[str, str] = _toml("providers")["ends"]
    return found
