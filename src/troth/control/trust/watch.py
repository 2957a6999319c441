"""Claims: the watch: what is due for a look, and what follows from what was found: mail to those who answer for a claim
whose state turned, and a case where the policy says so.

due    never looked at; older than a third of its control's interval, where it fails or is stale than a twelfth; looked
       at by another version of Troth; told for a time that is to come; or asked for by a person
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection
from troth.control.trust import promised, running
from troth.control.trust.catalogue import claim, claims
from troth.control.trust.control import Control
from troth.control.trust.found import State
from troth.control.trust.look import Look, Programme
from troth.control.trust.standing import Key, programmes
from troth.control.trust.version import version
from troth.keys import ids, places
from troth.rules import cases
from troth.rules.policy import Policy

SHARE = 3  # looks within a control's interval: one that fails to end leaves time for another
AGAIN = 12  # of what fails or is stale: who mends it is not left waiting
_LEADS = "SELECT pg_try_advisory_lock(7427)"
_LEFT = "SELECT pg_advisory_unlock(7427)"
_LOOKED = """
SELECT k.claim, k.programme_id, k.checked_at, k.state, k.claim = ANY (SELECT a.claim FROM claim_ask a),
       (SELECT h.version FROM claim_history h WHERE h.claim = k.claim
        AND h.programme_id IS NOT DISTINCT FROM k.programme_id ORDER BY h.id DESC LIMIT 1)
FROM claim_state k
"""
_TELL = "SELECT claim_tell_v1(%s, %s)"
_TURNED = """
SELECT t.claim, t.programme_id, k.evidence FROM claim_turned_v1() AS t
JOIN claim_state k ON k.claim = t.claim AND k.programme_id IS NOT DISTINCT FROM t.programme_id ORDER BY 1, 2
"""
_OPEN = "SELECT claim_case_v1(%s, %s, %s, %s, %s::text[], %s::timestamptz[], %s)"
_TITLE = 200  # characters of a case's


@contextmanager
def leading(connection: Connection) -> Iterator[bool]:
    """Whether this is the one watch that looks now: two would tell the same twice."""
    (leads,) = connection.execute(_LEADS).fetchone() or (False,)
    try:
        yield leads
    finally:
        if leads and not connection.closed:
            connection.execute(_LEFT)


def due(connection: Connection) -> tuple[Key, ...]:
    """What to look at now: what was never looked at, then the oldest: one that hangs keeps no other from its turn."""
    with refusals():
        rows = connection.execute(_LOOKED).fetchall()
        clock = connection.execute("SELECT now_v1()").fetchone()
    assert clock is not None
    now: datetime = clock[0]
    seen = {(claim, programme): (at, *rest) for claim, programme, at, *rest in rows}
    found = [
        (control, running.key((control, whose))) for control, whose in running.jobs([*claims()], programmes(connection))
    ]
    wanting = [key for control, key in found if _is_due(control, seen.get(key), now)]
    return tuple(sorted(wanting, key=lambda key: (key in seen and seen[key][0] <= now, seen.get(key, (now,))[0])))


def _is_due(control: Control, seen: tuple[datetime, str, bool, str | None] | None, now: datetime) -> bool:
    if seen is None:
        return True
    at, state, asked, looked_with = seen
    looks = AGAIN if state in (State.FAILS, State.STALE) else SHARE
    return asked or at > now or now - at >= control.interval / looks or looked_with != version()


def follow(look: Look) -> None:
    """Everything that follows from what is kept by now; done again it does nothing more."""
    owners = [each.owner for each in claims()]
    with refusals():
        look.connection.execute(_TELL, ([each.id for each in claims()], owners))
        turned = look.connection.execute(_TURNED).fetchall()
    for name, programme, evidence in turned:
        _case(look, name, programme, json.loads(evidence))


def _case(look: Look, name: str, programme: UUID | None, evidence: dict[str, Any]) -> None:
    """An incident, where a policy of those that promise it says so; by when it is reviewed, they say, too."""
    wanting = [each for each in _promising(look, name, programme) if each[1].trust.fails_opens_incident]
    if not wanting:
        return
    made = ids.uuid7(look.now)
    clocks = cases.strictest(cases.clocks("incident", "claim", policy, look.now) for _, policy in wanting)
    said = "\n".join(evidence.get("why") or ["its control says nothing more"])
    words = look.operator.seal(said.encode(), places.case_words(made))
    names, dues = [each.name for each in clocks], [each.due_at for each in clocks]
    title = _title(name, None if programme is None else wanting[0][0], *wanting[0])
    with refusals():
        look.connection.execute(_OPEN, (made, name, programme, title, names, dues, words))


def _promising(look: Look, name: str, programme: UUID | None) -> list[tuple[Programme, Policy]]:
    """Those that promise it, each with its policy in force."""
    of = claim(name)
    there = [each for each in look.programmes if programme in (None, each.id) and of and of.promised_by(each.profile)]
    found = ((each, promised.in_force(look.connection, each)) for each in there)
    return [(each, policy) for each, policy in found if policy is not None]


def _title(name: str, of: Programme | None, said_by: Programme, policy: Policy) -> str:
    found = claim(name)
    assert found is not None
    whose = f" of {of.code}" if of else ""
    return f"{name}{whose} does not hold: {found.sentence(policy, said_by.profile)}"[:_TITLE]
