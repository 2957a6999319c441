"""The gate's numbers, unshown: what a policy may not say because no control could show whether it is so.

Of the sections that only sentences are made of (rules/policy_promises.py), a field whose claims have no working control
stays as the profile ships it, at every level: a stricter number would be a promise that nobody can hold us to. What the
software itself carries out needs no such witness.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from troth.rules.policy import FIELDS, Document, Policy, value_of
from troth.rules.policy_words import CLAIMS, listed, sentence
from troth.rules.strictness import freeze

SECTIONS = ("response", "schedule", "targets", "hosting")


@dataclass(frozen=True, slots=True)
class Unshown:
    """A field that says something else than its profile, the claims that it is for, and why that is refused."""

    path: str
    claims: tuple[str, ...]
    hint: str


def unshown(document: Document, profile: Policy, shown: Collection[str]) -> Iterator[Unshown]:
    """Each field of a level's document that may not say what it says; `shown`: the claims that have a control."""
    for field in FIELDS:
        claims = CLAIMS.get(field.path, ())
        if field.section not in SECTIONS or not claims or any(claim in shown for claim in claims):
            continue
        given, shipped = _said(document, field.section, field.name), value_of(profile, field.path)
        if given is not None and freeze(given) != shipped:
            yield Unshown(field.path, claims, _hint(field.path, claims, shipped))


def _said(document: Mapping[str, Mapping[str, Any]], section: str, name: str) -> Any:
    body = document.get(section, {})
    return body.get(name) if isinstance(body, Mapping) else None


def _hint(path: str, claims: tuple[str, ...], shipped: Any) -> str:
    have = "has" if len(claims) == 1 else "have"
    return (
        f"cannot say anything but what the profile ships (“{sentence(path, shipped)}”): {listed([*claims])} {have} no "
        "control yet, so nothing could show whether it is kept. What is missing is a control of that claim."
    )
