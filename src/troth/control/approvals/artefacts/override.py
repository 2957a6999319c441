"""Four eyes, kind `override`: a suppressed address that one client may write to for a while; never its owner's word."""

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
# what this client's own mail met; another client's is told to nobody here, and refused by the database
_OWN_WORD = (
    "SELECT reason FROM troth.suppression WHERE blind_index = %s AND reason IN (2, 3, 4) ORDER BY reason = 3 LIMIT 1"
)
_OPTED_OUT = 3


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    blind_index: str
    expires_at: datetime


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Override)
    problems = []
    if not _INDEX.match(given.blind_index):
        problems.append(Problem("blind_index", "value", "This is an address's blind index in lower-case hex."))
    elif said := _own_word(asked, bytes.fromhex(given.blind_index)):
        problems.append(said)
    if given.expires_at.tzinfo is None or given.expires_at <= asked.now:
        problems.append(Problem("expires_at", "value", "Give a time to come, with its time zone."))
        return problems
    longest = hours(asked.connection, asked.tenant)
    if isinstance(longest, Problem):
        return [*problems, longest]
    if given.expires_at > asked.now + timedelta(hours=longest):
        problems.append(Problem("expires_at", "late", f"An override ends within {longest} hours."))
    return problems


def _own_word(asked: Asked, index: bytes) -> Problem | None:
    with within(asked.connection, asked.tenant):
        found = asked.connection.execute(_OWN_WORD, (index,)).fetchone()
    if found is None:
        return None
    if found[0] == _OPTED_OUT:
        return Problem("blind_index", "opt-out", "Its owner opted out of all mail, and an opt-out is never overridden.")
    return Problem("blind_index", "complaint", "Its owner complained, and a complaint is never overridden.")


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
