"""Claims: what the controls of limits share: how a counter is tried, counted, and shown to the gate's own rules."""

from collections.abc import Iterator
from typing import Any, LiteralString

import msgspec

from troth.control.trust import fences, rehearsal
from troth.control.trust.found import Findings
from troth.control.trust.look import LOG, Fact, Look, Programme, Tenant
from troth.control.trust.measures import BROKEN, NOTHING, weigh
from troth.rules.rates import limit_for

FACT: LiteralString = "SELECT * FROM limit_fact_v1(%s, %s)"
ATTEMPT: LiteralString = "SELECT limit_attempt_v1(%s)"


def stands(findings: Findings, look: Look, checks: dict[str, Any], attempts: tuple[str, ...]) -> None:
    """The counters' own fences, the checks in the gate's chain, and attempts that the database must refuse."""
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "rate_counter", "email", "message", "snapshot", "governed"))
    findings.take(fences.checks(schema, "rate_counter", "used <= cap", "used >= 0"))
    findings.take(fences.keys(schema, "rate_counter", "PRIMARY KEY (tenant_id, scope, subject, window_start)"))
    findings.take(fences.functions(schema, "limit_fact_v1", "limit_attempt_v1"))
    for name, check in checks.items():
        findings.need(rehearsal.position(check) >= 0, f"the gate's chain leaves out {name}")
    tried(findings, look, attempts)


def tried(findings: Findings, look: Look, attempts: tuple[str, ...]) -> None:
    answers = {name: look.attempt(name, query=ATTEMPT) for name in attempts}
    for name, answer in answers.items():
        findings.need(answer in (BROKEN, NOTHING), f"the attempt {name} met {answer}, not {BROKEN}")
    findings.seen["attempts_refused"] = sum(answer == BROKEN for answer in answers.values())


def counted(findings: Findings, look: Look, fact: str, programme: Programme | None, what: str) -> int:
    rows: tuple[Fact, ...] = look.counted(fact, FACT, programme, LOG)
    return weigh(findings, look, rows, fact, what)


def spent(look: Look, tenant: Tenant, counters: dict[tuple[str, str], str]) -> Iterator[str]:
    """The gate's rules, shown each counter full: by (scope, window) the code that must answer."""
    policy = look.policy(tenant)
    if policy is None:
        yield f"no policy is in force for {tenant.id}"
        return
    taken = rehearsal.good(policy, look.now)
    for place, code in counters.items():
        limit = limit_for(policy, *place)
        full = tuple(
            msgspec.structs.replace(rate, limit=limit, used=limit) if (rate.scope, rate.window) == place else rate
            for rate in taken.rates
        )
        yield from rehearsal.rehearse(policy, look.now, {code: {"rates": full}})
