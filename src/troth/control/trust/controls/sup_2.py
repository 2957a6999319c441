"""Control of SUP-2: bounces, complaints, opt-outs, feedback loops and administrators put addresses on the list."""

from typing import LiteralString

from troth.control.people.permissions import permissions
from troth.control.trust import fences, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, NOTHING, weigh

_ATTEMPT: LiteralString = "SELECT suppression_attempt_v1(%s)"
_FACT: LiteralString = "SELECT * FROM suppression_fact_v1(%s, %s)"
_WAYS = (
    "hard-bounce", "complaint", "opt-out", "feedback-loop", "administrative", "soft-bounces-spent", "category-opt-out",
)  # fmt: skip
_REFUSED = {
    "no-reason": "23514",
    "by-nobody": "28000",
    "override-of-a-complaint": DENIED,
    "override-of-an-opt-out": DENIED,
    "override-of-what-came-later": DENIED,
    "override-for-good": DENIED,
}
_FACTS = {
    "complaints": "complaints left no entry on the list",
    "opt-outs": "opt-outs left no entry on the list",
    "by-hand": "entries by hand are not on the list",
}
_EYES = (
    "suppress_v1", "suppress_by_hand_v1", "suppress_import_v1", "opt_out_import_v1", "opt_out_v1", "opted_out",
    "house_alone", "approvers_of", "override_bounded", "overridden_v1", "apply_override", "suppression_attempt_v1",
    "suppression_fact_v1", "allowed", "policy_number",
)  # fmt: skip
_ROLES = "SELECT profile, scope, role, second, named FROM permission WHERE action = 'suppression:add'"


def check(look: Look, _: Programme | None) -> Found:
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "suppression", "suppression_feed", "opt_out", "suppression_act",
                                "suppression_override", "permission"))  # fmt: skip
    findings.take(fences.checks(schema, "suppression", "reason >= 1 AND reason <= 6"))
    findings.take(fences.functions(schema, *_EYES))
    _ways(findings, look)
    _people(findings, look)
    for fact, what in _FACTS.items():
        weigh(findings, look, look.counted(fact, _FACT), fact, what)
    told_rows.as_told(findings, look, None, "overrides")
    return findings.done()


def _ways(findings: Findings, look: Look) -> None:
    """Each way leads onto the list, and nothing else does."""
    answers = {way: look.attempt(way, query=_ATTEMPT) for way in _WAYS}
    for way, answer in answers.items():
        findings.need(answer in ("listed", NOTHING), f"the way “{way}” does not lead onto the list: {answer}")
    for name, wanted in _REFUSED.items():
        answer = look.attempt(name, query=_ATTEMPT)
        findings.need(answer in (wanted, NOTHING), f"the attempt {name} met {answer}, not {wanted}")
    findings.seen["ways_tried"] = sum(answer == "listed" for answer in answers.values())


def _people(findings: Findings, look: Look) -> None:
    """Who may do it by hand is who was shipped."""
    with look.of(None) as connection:
        found = set(connection.execute(_ROLES).fetchall())
    shipped = {(p.profile, p.scope, p.role, p.second, p.named) for p in permissions().values()
               if p.action == "suppression:add"}  # fmt: skip
    findings.need(found == shipped, "other people may put addresses on the list by hand than was shipped")


CONTROL = Control(
    "SUP-2",
    "sup_2",
    HOUR,
    "Each way onto the list is tried, and undone, and must lead there; a reason that is none, an entry by nobody, "
    "and an override of a complaint, of an opt-out or of what came after it, must be refused; and every complaint, "
    "opt-out and entry by hand of the last 90 days stands on it.",
    check,
)
