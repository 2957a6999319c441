"""Four eyes, kind `override`: a suppressed address that one client may write to for a while; no complaint."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.approvals.standing import standing
from troth.control.audit.refusals import Problem
from troth.rules.policy import PolicyError, resolve

_INDEX = re.compile(r"[0-9a-f]{64}\Z")


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    blind_index: str
    expires_at: datetime


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Override)
    problems = []
    if not _INDEX.match(given.blind_index):
        problems.append(Problem("blind_index", "value", "This is an address's blind index in lower-case hex."))
    if given.expires_at.tzinfo is None or given.expires_at <= asked.now:
        problems.append(Problem("expires_at", "value", "Give a time to come, with its time zone."))
        return problems
    return problems + _policy_problems(asked, given.expires_at)


def _policy_problems(asked: Asked, expires: datetime) -> list[Problem]:
    here = replace(standing(asked.connection, asked.tenant), categories={}, keys={})
    levels = [("promise", here.promise), ("operator", here.operator), ("tenant", here.policy)]
    try:
        policy = resolve([(name, document) for name, document in levels if document])
    except PolicyError:
        return [Problem("override", "no-policy", "The programme has no policy in force, so nothing can be overridden.")]
    if not policy.recipients.overrides:
        return [Problem("override", "forbidden", "The policy permits no overrides.")]
    hours = policy.installation.override_hours
    if expires > asked.now + timedelta(hours=hours):
        return [Problem("expires_at", "late", f"An override ends within {hours} hours.")]
    return []
