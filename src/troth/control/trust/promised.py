"""Claims: what one programme promises right now: each of its claims as a sentence of the policy in force.

Nothing is kept: the levels are read by one statement, so that a change that two people approved is in the sentences
from its commit on, and never before. Controls compare with the profile, too: what was promised when it was shipped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from troth.control.audit.scope import Connection, within
from troth.control.trust.catalogue import Claim, claims
from troth.control.trust.look import Programme, level_of
from troth.control.trust.wording import filled
from troth.rules.earlier import of_profile
from troth.rules.policy import Document, Policy, PolicyError, resolve, strictest
from troth.rules.profile import PROFILES, load_profile

_LEVELS = """
SELECT g.code, p.profile, s.artefact FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.programme p ON g.code = 'programme:' || p.code
WHERE g.kind = 'policy' AND g.tenant_id IS NULL AND NOT g.retired
"""
_OPERATOR, _PROMISE = "operator", "programme:"


@dataclass(frozen=True, slots=True)
class Promised:
    """`numbers`: those of the sentence that the policy says, as they are written in it."""

    claim: Claim
    sentence: str
    numbers: tuple[str, ...]


def promised(connection: Connection, programme: Programme) -> list[Promised]:
    """Every claim that the programme promises, in the catalogue's order; none where no policy is in force."""
    policy = in_force(connection, programme)
    return said(policy, programme.profile) if policy else []


def said(policy: Policy, profile: str) -> list[Promised]:
    """The same of a policy that is at hand."""
    return [_promised(claim, policy, profile) for claim in claims() if claim.promised_by(profile)]


def _promised(claim: Claim, policy: Policy, profile: str) -> Promised:
    return Promised(claim, *filled(claim.says[profile], policy))


def in_force(connection: Connection, programme: Programme) -> Policy | None:
    """What rules the programme above its clients; what the installation shares is the strictest of all programmes'."""
    with within(connection, None):
        rows = connection.execute(_LEVELS).fetchall()
    found = {code: _read(profile, level_of(artefact)) for code, profile, artefact in rows}
    own = _resolved(found, f"{_PROMISE}{programme.code}")
    return replace(own, installation=strictest([own, *_others(found)])) if own else None


def _read(profile: str | None, level: Document | None) -> Document | None:
    """A promise that was approved before its sections of sentences existed says what its profile says."""
    if level is None or profile not in PROFILES:
        return level
    whole: Document = of_profile(level, load_profile(profile).document)
    return whole


def _others(found: Mapping[str, Document | None]) -> Iterable[Policy]:
    codes = (code for code in found if code.startswith(_PROMISE))
    return [policy for code in codes if (policy := _resolved(found, code)) is not None]


def _resolved(found: Mapping[str, Any], code: str) -> Policy | None:
    """None where there is no promise, or a level contradicts it or is none: then nothing is sent or promised."""
    levels = [("promise", found.get(code)), ("operator", found.get(_OPERATOR, {}))]
    if any(level is None for _, level in levels):
        return None
    try:
        return resolve([(name, document) for name, document in levels if document])
    except PolicyError:
        return None
