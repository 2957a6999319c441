"""Four eyes, kind `tenant`: a client firm of a programme, or (kind 2) the programme's own system tenant.

Proposed without a tenant; the subject is the new tenant's id.
"""

import base64
import zoneinfo
from dataclasses import replace
from uuid import UUID

import msgspec

from troth.control.approvals.artefacts.programme import code_problems
from troth.control.approvals.asked import Asked
from troth.control.approvals.spent import below_spent
from troth.control.approvals.standing import standing
from troth.control.audit.refusals import Problem
from troth.rules.profile import load_profile


class Tenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keyset`: Tink's, wrapped by the KMS, in base64."""

    programme: UUID
    name: str
    kind: int
    timezone: str
    plan: str
    postal_address: str
    keyset: str


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Tenant)
    problems = code_problems(asked.code)
    for name in ("name", "postal_address"):
        if not getattr(given, name).strip():
            problems.append(Problem(name, "empty", "This is printed in every message: fill it in."))
    if given.kind not in (1, 2):
        problems.append(Problem("kind", "value", "1 is a client firm, 2 the programme's system tenant."))
    if given.timezone not in zoneinfo.available_timezones():
        problems.append(Problem("timezone", "unknown", "Give an IANA name such as Europe/Berlin."))
    if not _is_keyset(given.keyset):
        problems.append(Problem("keyset", "value", "This is no wrapped keyset: `troth tenant add` makes one."))
    return problems or _programme_problems(asked, given) or _plan_problems(asked, given)


def _is_keyset(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) > 28
    except ValueError:
        return False


def _plan_problems(asked: Asked, given: Tenant) -> list[Problem]:
    """A smaller plan's limits, for a client that sends already."""
    here = standing(asked.connection, asked.subject)
    if here.plan is None or here.plan == given.plan:
        return []
    found = below_spent(asked.connection, [(here, replace(here, plan=given.plan))])
    return [replace(problem, field="plan") for problem in found]


def _programme_problems(asked: Asked, given: Tenant) -> list[Problem]:
    profile = standing(asked.connection, None, given.programme).profile
    if profile is None:
        return [Problem("programme", "unknown", "There is no programme of this id: have it approved first.")]
    plans = load_profile(profile).plans
    if plans and given.plan not in plans:
        return [Problem("plan", "unknown", f"The plans of the profile {profile} are {', '.join(plans)}.")]
    return []
