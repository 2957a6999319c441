"""The house of policy: the three profiles, base policies that ship with the package as profiles/*.toml.

A profile's policy is the promise, the level that every other one may only tighten. Its plans are documents for the
level `plan`, between the operator's and the tenant's, each shown to be stricter than the promise.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from troth.rules.policy import Document, Policy, PolicyError, resolve

PROFILES = ("property", "construction", "retail")


@dataclass(frozen=True, slots=True)
class Profile:
    """document: the complete promise; plans: tier -> document of the level `plan`, empty without tiers."""

    name: str
    title: str
    document: Document
    policy: Policy
    plans: Mapping[str, Document]


@cache
def load_profile(name: str) -> Profile:
    """Read a profile by name; PolicyError when there is none of that name or it is wrong in itself."""
    if name not in PROFILES:
        raise PolicyError(f"There is no profile {name!r}; the profiles are {', '.join(PROFILES)}.")
    source = files("troth.rules").joinpath("profiles", f"{name}.toml").read_text(encoding="utf-8")
    return parse_profile(name, source)


def parse_profile(name: str, source: str) -> Profile:
    """Build a profile from TOML text: title, [policy.*], [plans.<tier>.*]; PolicyInvalid, PolicyLoosened."""
    raw: dict[str, Any] = tomllib.loads(source)
    document: Document = raw["policy"]
    plans: Mapping[str, Document] = MappingProxyType(raw.get("plans", {}))
    for plan in plans.values():
        resolve([("promise", document), ("tenant", plan)])  # as a tenant's: one that would loosen does not load
    return Profile(name, raw["title"], document, resolve([("promise", document)]), plans)
