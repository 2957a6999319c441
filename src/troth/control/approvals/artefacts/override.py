"""Four eyes, kind `override`: a suppressed address that one client may write to for a while; no complaint."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.approvals.standing import standing
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import Connection, within
from troth.rules.policy import PolicyError, resolve

_INDEX = re.compile(r"[0-9a-f]{64}\Z")
# what this client's own mail met; another client's complaint is told to nobody here, and refused by the database
_COMPLAINED = "SELECT FROM troth.suppression WHERE blind_index = %s AND reason IN (2, 4) LIMIT 1"


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    blind_index: str
    expires_at: datetime


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Override)
    problems = []
    if not _INDEX.match(given.blind_index):
        problems.append(Problem("blind_index", "value", "This is an address's blind index in lower-case hex."))
    elif _complained(asked, bytes.fromhex(given.blind_index)):
        problems.append(
            Problem("blind_index", "complaint", "Its owner complained, and a complaint is never overridden.")
        )
    if given.expires_at.tzinfo is None or given.expires_at <= asked.now:
        problems.append(Problem("expires_at", "value", "Give a time to come, with its time zone."))
        return problems
    longest = hours(asked.connection, asked.tenant)
    if isinstance(longest, Problem):
        return [*problems, longest]
    if given.expires_at > asked.now + timedelta(hours=longest):
        problems.append(Problem("expires_at", "late", f"An override ends within {longest} hours."))
    return problems


def _complained(asked: Asked, index: bytes) -> bool:
    with within(asked.connection, asked.tenant):
        return asked.connection.execute(_COMPLAINED, (index,)).fetchone() is not None


def hours(connection: Connection, tenant: UUID | None) -> int | Problem:
    """How long an override of this client's may last at the most; or why there can be none."""
    here = replace(standing(connection, tenant), categories={}, keys={})
    levels = [("promise", here.promise), ("operator", here.operator), ("tenant", here.policy)]
    try:
        policy = resolve([(name, document) for name, document in levels if document])
    except PolicyError:
        return Problem("override", "no-policy", "The programme has no policy in force, so nothing can be overridden.")
    if not policy.recipients.overrides:
        return Problem("override", "forbidden", "The policy permits no overrides.")
    return policy.installation.override_hours
