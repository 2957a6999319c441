"""Four eyes, kind `programme`: a named instance of a profile, with the domain of its pages and system mail."""

import re

import msgspec

from troth.control.approvals.artefacts.domain import name_problem
from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.rules.profile import PROFILES

CODE = re.compile(r"[a-z][a-z0-9-]{1,30}\Z")


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    profile: str
    domain: str


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Programme)
    problems = code_problems(asked.code) + name_problem("domain", given.domain)
    if not given.name.strip():
        problems.append(Problem("name", "empty", "Give the programme a name."))
    if given.profile not in PROFILES:
        problems.append(Problem("profile", "unknown", f"The profiles are {', '.join(PROFILES)}."))
    return problems


def code_problems(code: str) -> list[Problem]:
    """What the table's CHECK says, in words."""
    if CODE.match(code):
        return []
    return [Problem("code", "grammar", "A code is 2 to 31 of a-z, 0-9 and -, the first one a letter.")]
