"""Claims: what most controls share: an attempt that must be refused, and a count in which nothing is wrong."""

from troth.control.trust.found import Findings
from troth.control.trust.look import Fact, Look, Programme

NOTHING = "nothing there"
DENIED, BROKEN, EMPTY = "42501", "23514", "23502"


def refused(findings: Findings, look: Look, attempts: dict[str, str]) -> None:
    """Attempts by name, each with the SQLSTATE that must answer it; what there is nothing to try on is passed over."""
    answers = {name: look.attempt(name) for name in attempts}
    for name, answer in answers.items():
        findings.need(answer in (attempts[name], NOTHING), f"the attempt {name} met {answer}, not {attempts[name]}")
    findings.seen["attempts_refused"] = sum(answer == attempts[name] for name, answer in answers.items())


def count(findings: Findings, look: Look, fact: str, programme: Programme | None, what: str) -> int:
    """How many of a fact there are. Each wrong one is a finding (`what`), and each client that nobody approved."""
    return weigh(findings, look, look.facts(fact, programme), fact.replace("-", "_"), what)


def weigh(findings: Findings, look: Look, rows: tuple[Fact, ...], name: str, what: str) -> int:
    """The same of what was counted already; `name`: in what was seen."""
    known = {tenant.id for tenant in look.tenants}
    strange = [row for row in rows if row.tenant is not None and row.tenant not in known]
    findings.take(f"there are rows of {row.tenant}, a client that no approval knows" for row in strange)
    for row in rows:
        findings.need(not row.wrong, f"{row.wrong} of {row.n} {what}, such as {row.example}")
    total = sum(row.n for row in rows)
    findings.seen[name.replace("-", "_").replace(" ", "_")] = total
    return total
