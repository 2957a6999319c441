"""Claims: the catalogue of what may be promised, read from claims.toml; a profile promises those that name it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from troth.rules.profile import PROFILES

SCOPES = ("installation", "programme", "tenant")
KINDS = ("enforced", "measured", "probed", "attested")
_FIELDS = {"id", "section", "scope", "kind", "says", *PROFILES}


@dataclass(frozen=True, slots=True)
class Claim:
    """`says` may hold {value}; `values`: profile -> its own parameter, "yes" where it promises without one."""

    id: str
    section: str
    scope: str
    kind: str
    says: str
    values: Mapping[str, str] = field(default_factory=dict)

    def promised_by(self, profile: str) -> bool:
        return profile in self.values

    def sentence(self, profile: str | None = None) -> str:
        """The sentence with a profile's value, or with every profile's."""
        named = {profile: self.values[profile]} if profile and profile in self.values else self.values
        value = " | ".join(dict.fromkeys(named.values())) if len(named) > 1 else "".join(named.values())
        return self.says.format(value=value)


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim, in the order of the file."""
    return parse(files("troth.control.trust").joinpath("claims.toml").read_text(encoding="utf-8"))


def claim(claim_id: str) -> Claim | None:
    return next((each for each in claims() if each.id == claim_id), None)


def parse(source: str) -> tuple[Claim, ...]:
    """Build the catalogue; ValueError where a row is wrong or an id comes twice."""
    made = tuple(_claim(row) for row in tomllib.loads(source)["claim"])
    ids = [each.id for each in made]
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise ValueError(f"The claims {', '.join(sorted(twice))} are there twice.")
    return made


def _claim(row: Mapping[str, Any]) -> Claim:
    name = row.get("id", "a row without id")
    if unknown := row.keys() - _FIELDS:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is no field of a claim.")
    if row.get("scope") not in SCOPES or row.get("kind") not in KINDS or not row.get("says"):
        raise ValueError(f"{name}: a claim has a scope, a kind and a sentence.")
    values = MappingProxyType({profile: row[profile] for profile in PROFILES if profile in row})
    if not values:
        raise ValueError(f"{name}: no profile promises it.")
    return Claim(row["id"], row["section"], row["scope"], row["kind"], row["says"], values)
