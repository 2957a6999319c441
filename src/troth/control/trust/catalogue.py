"""Claims: the catalogue of what may be promised, read from claims.toml; a profile promises those that name it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from troth.control.trust.wording import filled, problem
from troth.rules.policy import Policy
from troth.rules.profile import PROFILES, load_profile

SCOPES = ("installation", "programme", "tenant")
KINDS = ("enforced", "measured", "probed", "attested")
CHAPTERS = (
    "practices", "infrastructure", "incident-response", "logging", "compliance", "email", "disclosure", "contact",
)  # fmt: skip
AUDIENCES = ("public", "client")
_NAMED = ("id", "section", "scope", "kind", "chapter", "owner", "audience", "frameworks", "profiles", "says")


@dataclass(frozen=True, slots=True)
class Claim:
    """`says`: profile -> the template of its sentence (wording.py), of those that promise it; `owner`: the role that
    answers for it; `audience`: whom it concerns first, anybody or a client firm; `frameworks`: what it is asked for by.
    """

    id: str
    section: str
    scope: str
    kind: str
    says: Mapping[str, str]
    chapter: str
    owner: str
    audience: str
    frameworks: tuple[str, ...] = field(default=())

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(self.says)

    def promised_by(self, profile: str) -> bool:
        return profile in self.says

    def sentence(self, policy: Policy, profile: str) -> str:
        """What a programme of this profile promises by it while that policy is in force; KeyError: it does not."""
        return filled(self.says[profile], policy)[0]

    def shipped(self, profile: str) -> str:
        """The same as the profile comes, before anybody tightened anything."""
        return self.sentence(load_profile(profile).policy, profile)


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim, in the order of the file."""
    return parse(files("troth.control.trust").joinpath("claims.toml").read_text(encoding="utf-8"))


def claim(claim_id: str) -> Claim | None:
    return next((each for each in claims() if each.id == claim_id), None)


def shipped(claim_id: str, profile: str) -> str:
    """A claim's sentence as a profile comes; ValueError where it does not promise it."""
    found = claim(claim_id)
    if found is None or not found.promised_by(profile):
        raise ValueError(f"{claim_id} is not promised by {profile}")
    return found.shipped(profile)


def parse(source: str) -> tuple[Claim, ...]:
    """Build the catalogue; ValueError where a row is wrong or an id comes twice."""
    made = tuple(_claim(row) for row in tomllib.loads(source)["claim"])
    ids = [each.id for each in made]
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise ValueError(f"The claims {', '.join(sorted(twice))} are there twice.")
    return made


def _claim(row: Mapping[str, Any]) -> Claim:
    name = row.get("id", "a row without id")
    if wrong := _wrong(row):
        raise ValueError(f"{name}: {wrong}.")
    says = MappingProxyType({each: row.get(each, row["says"]) for each in PROFILES if each in row["profiles"]})
    if hint := next((hint for each in says.values() if (hint := problem(each))), None):
        raise ValueError(f"{name}: {hint}.")
    return Claim(
        row["id"], row["section"], row["scope"], row["kind"], says,
        row["chapter"], row["owner"], row["audience"], tuple(row["frameworks"]),
    )  # fmt: skip


def _wrong(row: Mapping[str, Any]) -> str | None:
    if unknown := row.keys() - {*_NAMED, *PROFILES}:
        return f"{', '.join(sorted(unknown))} is no field of a claim"
    if missing := [each for each in _NAMED if each not in row]:
        return f"it has no {missing[0]}"
    if row["scope"] not in SCOPES or row["kind"] not in KINDS or not row["says"]:
        return "a claim has a scope, a kind and a sentence"
    if row["chapter"] not in CHAPTERS or row["audience"] not in AUDIENCES:
        return "a claim has a chapter of the page and an audience"
    if not row["profiles"] or not {*row["profiles"]} <= {*PROFILES}:
        return "no profile promises it, or one that there is not"
    strange = [each for each in PROFILES if each in row and each not in row["profiles"]]
    return f"{strange[0]} has a sentence and does not promise it" if strange else None
