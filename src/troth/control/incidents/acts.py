"""Cases: what a person does with one: a step, in words that are sealed, with the clocks that it starts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from troth.control.audit.refusals import Refused, refusals
from troth.control.incidents import promises, reading
from troth.control.incidents.reading import Case
from troth.control.people.actor import Actor, raw
from troth.keys import ids, places
from troth.rules import cases
from troth.rules.cases import Clock
from troth.rules.policy import Policy

LONGEST = 8000  # characters of what somebody writes
_STEP = "SELECT troth.case_step_v1(%s, %s, %s, %s, %s, %s::text[], %s::timestamptz[], %s)"
_PAPER = "SELECT troth.case_paper_v1(%s, %s)"


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that somebody takes. `value`: an account of "assign", a severity, an outcome; `words` "": nothing said;
    `once`: its form's, so that the form sent twice is one step.
    """

    step: str
    value: str = ""
    words: str = ""
    once: UUID | None = None


def take(actor: Actor, case: Case, asked: Asked) -> str:
    """The state after it. Raise Refused for a step, a value or a right that there is not."""
    if len(asked.words) > LONGEST:
        raise Refused(f"That is {len(asked.words):,} characters; {LONGEST:,} are the most.")
    at = reading.now()
    entry = asked.once or ids.uuid7(at)
    said = asked.words.strip()
    sealed = settings.TROTH_KEYS().operator.seal(said.encode(), places.case_words(entry)) if said else None
    found = started(actor, case, asked, at)
    names, dues = [each.name for each in found], [each.due_at for each in found]
    given = case.id, asked.step, asked.value, entry, sealed, names, dues, actor.secret
    with refusals(), raw().transaction():
        done = raw().execute(_STEP, given).fetchone()
    assert done is not None
    state: str = done[0]
    return state


def started(actor: Actor, case: Case, asked: Asked, at: datetime) -> tuple[Clock, ...]:
    """The clocks that a step starts, by the policies that count for the case."""
    reckoned = {
        "assess": lambda policy: cases.patch_clock(asked.value, policy, at),
        "severity": lambda policy: cases.patch_clock(asked.value, policy, at) if case.outcome is None else (),
        "update": lambda policy: cases.update_clock(policy, at) if case.outcome is None else (),
        "reopen": lambda policy: cases.reopened(case.kind, case.cause, policy, at),
    }
    way = reckoned.get(asked.step)
    if way is None or (case.kind != cases.DISCLOSURE and asked.step != "reopen"):
        return ()
    return promises.reckon(policies(actor, case), way)


def once(given: str) -> UUID:
    """What a form has that makes it one step however often it is sent: its own word, else a new one."""
    try:
        return UUID(given)
    except ValueError:
        return ids.uuid7(reading.now())


def policies(actor: Actor, case: Case) -> list[Policy]:
    """Those whose promises a case is under."""
    tenant = case.tenant if case.kind != cases.DISCLOSURE else None
    return promises.policies(tenant, case.programme_id, actor.scope)


def paper(actor: Actor, paper: UUID) -> bytes:
    """Its octets, in an entry of the ledger. Raise Refused for no right, or no such paper; Undecryptable."""
    with refusals(), raw().transaction():
        found = raw().execute(_PAPER, (paper, actor.secret)).fetchone()
    assert found is not None
    opened: bytes = settings.TROTH_KEYS().operator.open(bytes(found[0]), places.case_paper(paper))
    return opened
