"""What a person's evidence may be: its kinds, the claims that each serves, and how long one is good for at most.

The database knows the same kinds and the same fields of the policy's schedule (control/evidence/sql); a test compares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """`schedule`: the field of the policy's schedule that says how often; `publishes`: of use only when public."""

    code: str
    name: str
    schedule: str
    publishes: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a claim rests on, all of it, unless a profile promises less (`by_profile`). `house`: the whole
    installation's, so that no single programme can have it.
    """

    claim: str
    kinds: tuple[str, ...]
    house: bool
    by_profile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, profiles: Iterable[str]) -> tuple[str, ...]:
        """What it rests on where these profiles promise it."""
        asked = {kind for profile in profiles for kind in self.by_profile.get(profile, self.kinds)}
        return tuple(kind for kind in self.kinds if kind in asked)


KINDS: tuple[Kind, ...] = (
    Kind("penetration-test", "Penetration test", "penetration_test"),
    Kind("training", "Training", "training"),
    Kind("policy-review", "Review of the policies", "policy_review"),
    Kind("code-review", "Code review", "code_review"),
    Kind("static-scan", "Static scan of the code", "code_scan"),
    Kind("dynamic-scan", "Scan of the running service", "running_scan"),
    Kind("restore-drill", "Restore drill", "restore_drill"),
    Kind("incident-exercise", "Incident exercise", "incident_exercise"),
    Kind("isolation-exercise", "Isolation exercise", "isolation_exercise"),
    Kind("acceptable-use-policy", "Acceptable use policy", "policy_review", publishes=True),
    Kind("privacy-policy", "Privacy policy", "policy_review", publishes=True),
    Kind("safe-harbour", "Safe harbour statement", "policy_review", publishes=True),
    Kind("enrolment", "Enrolment with a provider", "enrolment"),
)
WANTED: tuple[Wanted, ...] = (
    Wanted("APP-1", ("code-review", "static-scan", "dynamic-scan", "training"), house=True, by_profile={
        "property": ("code-review", "static-scan", "dynamic-scan"), "construction": ("code-review",),
        "retail": ("code-review", "static-scan", "training"),
    }),
    Wanted("APP-6", ("penetration-test",), house=True),
    Wanted("INC-1", ("incident-exercise",), house=False),
    Wanted("INC-6", ("isolation-exercise",), house=False),
    Wanted("INF-9", ("restore-drill",), house=False),
    Wanted("FBL-1", ("enrolment",), house=False),
    Wanted("CPL-5", ("policy-review", "training"), house=False),
    Wanted("CPL-7", ("acceptable-use-policy", "privacy-policy"), house=False, by_profile={
        "property": ("acceptable-use-policy",),
    }),
    Wanted("VDP-3", ("safe-harbour",), house=False),
)  # fmt: skip
BY_CODE: Mapping[str, Kind] = {each.code: each for each in KINDS}
BY_CLAIM: Mapping[str, Wanted] = {each.claim: each for each in WANTED}


def pairs() -> tuple[tuple[str, str], ...]:
    """Every claim with each kind that serves it, in order: what a form offers."""
    return tuple((wanted.claim, kind) for wanted in WANTED for kind in wanted.kinds)
