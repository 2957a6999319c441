"""Claims: what the controls of complaints share: their attempts, their counts, and what stands around them."""

from collections.abc import Iterator
from typing import LiteralString

from troth.control.trust import fences
from troth.control.trust.found import Findings
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import DENIED, NOTHING, weigh
from troth.rules.policy import Policy
from troth.rules.profile import load_profile

_ATTEMPT: LiteralString = "SELECT complaint_attempt_v1(%s)"
_FACT: LiteralString = "SELECT * FROM complaint_fact_v1(%s, %s)"
_EYES = (
    "complaint_attempt_v1",
    "complaint_fact_v1",
    "complaint_v1",
    "complaint_guard",
    "complaint_flags",
    "suppress_v1",
)
_TABLES = ("complaint", "template_flag", "suppression", "event", "case_file", "case_clock", "pause")
DONE = "carried out"


def stands(findings: Findings, look: Look, *functions: str) -> None:
    """What every one of these claims rests on is as it was shipped."""
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(fences.functions(look.schema, *_EYES, *functions))


def attempted(findings: Findings, look: Look, wanted: dict[str, str]) -> None:
    """Attempts by name, each with its answer; what there is nothing to try on is passed over."""
    answers = {name: look.attempt(name, query=_ATTEMPT) for name in wanted}
    for name, answer in answers.items():
        findings.need(answer in (wanted[name], NOTHING), f"the attempt {name} met {answer}, not {wanted[name]}")
    findings.seen["attempts"] = sum(answer == wanted[name] for name, answer in answers.items())


def unchanging(findings: Findings, look: Look) -> None:
    attempted(findings, look, {"change-complaint": DENIED, "change-delete": DENIED, "change-mark": DENIED})


def counted(findings: Findings, look: Look, programme: Programme, facts: dict[str, str]) -> None:
    for fact, what in facts.items():
        weigh(findings, look, look.counted(fact, _FACT, programme), fact.replace("-", " "), what)


def clients(look: Look, programme: Programme) -> Iterator[tuple[Tenant, Policy | None]]:
    """The programme's clients with the policy in force."""
    for tenant in look.of_programme(programme):
        if not tenant.system:
            yield tenant, look.policy(tenant)


def promise(programme: Programme) -> Policy:
    """What the profile promises: whatever is in force is only stricter."""
    return load_profile(programme.profile).policy
