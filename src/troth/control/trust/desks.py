"""Claims: what the controls of the desks share: the clocks of what was reported, held to what the profile promises.

A clock counts once it is over: met, or missed. Of a case that nobody can place, every programme's promise counts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from troth.control.trust import fences
from troth.control.trust.found import Findings
from troth.control.trust.look import LOG, Look, Programme
from troth.rules import cases
from troth.rules.business_time import Calendar, due, parse_span
from troth.rules.policy import Policy
from troth.rules.profile import load_profile
from troth.rules.strictness import NONE

MOST = 20_000
ATTEMPT: LiteralString = "SELECT abuse_attempt_v1(%s, %s)"
FACT: LiteralString = "SELECT * FROM abuse_fact_v1(%s, %s)"
_CLOCKS: LiteralString = "SELECT * FROM desk_clocks_v1(%s, %s, %s)"
_CASES: LiteralString = "SELECT programme, reference, severity, state, outcome, clocks FROM desk_cases_v1(%s, %s, %s)"
_UNSOUND: LiteralString = "SELECT said FROM desk_unsound_v1(%s, %s, %s)"
_SAID = 20  # sentences
_ASIDE: LiteralString = """
SELECT at, done_at FROM inbound_letter
WHERE desk = %s AND at >= %s AND (done_at IS NULL OR done_at > at + interval '1 hour')
ORDER BY at, id LIMIT %s
"""
_LETTERS = 2_000
_TABLES = ("case_file", "case_clock", "case_entry", "case_client", "pause")
_EYES = ("desk_clocks_v1", "desk_cases_v1", "desk_unsound_v1", "abuse_fact_v1", "abuse_attempt_v1")
_RULES = (
    "case_open_v1",
    "case_noted",
    "case_note_v1",
    "case_enter",
    "case_step_v1",
    "case_start",
    "case_file_guard",
    "case_clock_guard",
    "case_next",
)
_DESKS = {"abuse": "abuse", "disclosure": "security"}
_MOMENT = timedelta(minutes=1)  # a case's opening and its clocks are two readings


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one case."""

    programme: UUID | None
    tenant: UUID | None
    reference: str
    severity: str
    name: str
    opened_at: datetime
    started_at: datetime
    due_at: datetime
    met_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reported:
    """One case, and the names of the clocks that it has or had."""

    programme: UUID | None
    reference: str
    severity: str
    state: str
    outcome: str
    clocks: tuple[str, ...]


def stands(findings: Findings, look: Look, *functions: str) -> None:
    """What every one of these claims rests on is as it was shipped."""
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(fences.functions(look.schema, *_EYES, *_RULES, *functions))


def promise(programme: Programme) -> Policy:
    """What the profile promises: whatever is in force is only stricter."""
    return load_profile(programme.profile).policy


def clocks(look: Look, programme: Programme, kind: str) -> list[Clock]:
    """Of the last 90 days, this programme's and those that nobody can place."""

    def read() -> tuple[Clock, ...]:
        with look.of(None) as connection:
            return tuple(Clock(*each) for each in connection.execute(_CLOCKS, (kind, look.now - LOG, MOST)).fetchall())

    return [each for each in look.once(("clocks", kind), read) if each.programme in (None, programme.id)]


def reported(look: Look, programme: Programme, kind: str) -> list[Reported]:
    def read() -> tuple[Reported, ...]:
        with look.of(None) as connection:
            rows = connection.execute(_CASES, (kind, look.now - LOG, MOST)).fetchall()
        return tuple(Reported(*(*rest, tuple(names))) for *rest, names in rows)

    return [each for each in look.once(("cases", kind), read) if each.programme in (None, programme.id)]


def calendars(look: Look, programme: Programme) -> set[Calendar]:
    """The business time of the promise, and of what is in force for a client."""
    found = [promise(programme), *(look.policy(tenant) for tenant in look.of_programme(programme))]
    return {cases.calendar(policy) for policy in found if policy is not None}


def in_time(
    findings: Findings, look: Look, found: list[Clock], name: str, span: str, business: Collection[Calendar]
) -> None:
    """Each clock of this name: started with no more time than is promised, and met within it."""
    over, late = 0, 0
    for each in (clock for clock in found if clock.name == name):
        latest = max(due(each.started_at, parse_span(span), calendar) for calendar in business) + _MOMENT
        findings.need(each.due_at <= latest, f"{name} of {each.reference} is due at {each.due_at}, promised in {span}")
        missed = (each.met_at or look.now) > each.due_at
        over, late = over + (each.met_at is not None or missed), late + missed
        findings.need(not missed, f"{name} of {each.reference} was due at {each.due_at}, and was met {each.met_at}")
    findings.seen[f"{name}_over"] = over
    findings.seen[f"{name}_in_time"] = over - late


def each_has(findings: Findings, found: list[Reported], name: str) -> None:
    for each in found:
        findings.need(name in each.clocks, f"{each.reference} has no clock of {name}")


def sound(findings: Findings, look: Look, kind: str) -> None:
    """The cases are those of the ledger, entry by entry, and their clocks ran when it says so."""

    def read() -> tuple[str, ...]:
        with look.of(None) as connection:
            rows = connection.execute(_UNSOUND, (kind, look.now - LOG, _SAID)).fetchall()
        return tuple(said for (said,) in rows)

    for said in look.once(("unsound", kind), read):
        findings.need(False, said)


def aside(findings: Findings, look: Look, kind: str, spans: dict[str, str], business: Collection[Calendar]) -> None:
    """Letters to the desk that no case was made of, since there was no room: a person does each within the promise."""
    desk = _DESKS[kind]

    def read() -> list[tuple[datetime, datetime | None]]:
        with look.of(None) as connection:
            return connection.execute(_ASIDE, (desk, look.now - LOG, _LETTERS)).fetchall()

    found, span = look.once(("aside", desk), read), spans.get("acknowledge")
    findings.seen["letters_put_aside"] = len(found)
    if span is None:
        return
    hours = {at.replace(minute=0, second=0, microsecond=0) for at, _ in found}  # a flood comes within a few
    latest = {hour: max(due(hour, parse_span(span), calendar) for calendar in business) for hour in hours}
    over = timedelta(hours=1)
    late = sum((done or look.now) > latest[at.replace(minute=0, second=0, microsecond=0)] + over for at, done in found)
    findings.need(not late, f"{late} letters to {desk}@ were put aside, and nobody did them within {span}")


def promised(policy: Policy, fields: dict[str, str]) -> dict[str, str]:
    """Clock -> span, of those that a profile promises."""
    spans = {name: str(getattr(policy.cases, field)) for name, field in fields.items()}
    return {name: span for name, span in spans.items() if span != NONE}


def measure(findings: Findings, look: Look, programme: Programme, kind: str, fields: dict[str, str]) -> None:
    """All of a kind's cases: their clocks are there, as long as promised, and met."""
    policy, business = promise(programme), calendars(look, programme)
    found, there = clocks(look, programme, kind), reported(look, programme, kind)
    sound(findings, look, kind)
    aside(findings, look, kind, promised(policy, fields), business)
    for name, span in promised(policy, fields).items():
        in_time(findings, look, found, name, span, business)
        each_has(findings, there, name)
    findings.seen["cases"] = len(there)
