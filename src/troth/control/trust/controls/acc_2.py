"""Control of ACC-2: least privilege for every role, service and API key."""

from collections.abc import Iterator

from troth.control.ownership import FUNCTIONS, TABLES
from troth.control.trust import access, fences, powers, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import BROKEN, count, refused


def check(look: Look, programme: Programme | None) -> Found:
    """Every table and every function of the database, for every role, against the one file that grants."""
    findings = Findings()
    access.rights_stand(findings, look)
    findings.take(fences.tables(look.schema, *(table.name for table in TABLES if table.name in look.schema.relations)))
    findings.take(f"{table.name} is gone" for table in TABLES if table.name not in look.schema.relations)
    called = {name.partition("(")[0] for name in FUNCTIONS}
    findings.take(fences.functions(look.schema, *sorted(called)))
    strange = {
        name for name, each in look.schema.functions.items() for one in each if one.callers and name not in called
    }
    findings.take(f"the function {name} may be called, which nobody granted" for name in sorted(strange))
    findings.take(_undeclared(look))
    with look.of(None) as connection:
        findings.take(list(powers.wide(connection)))
    refused(findings, look, {"key-unscoped": "23502", "rate-over": BROKEN})
    keys = count(findings, look, "api-keys", programme, "API keys are not what was approved")
    told_rows.as_told(findings, look, programme, "keys")
    findings.seen |= {"tables": len(TABLES), "functions": len(called), "keys": keys}
    return findings.done()


def _undeclared(look: Look) -> Iterator[str]:
    """Tables and views that somebody made, and gave to others."""
    declared = {table.name for table in TABLES}
    for name, each in look.schema.relations.items():
        if name not in declared and each.parent is None and look.schema.grants.get(name):
            who = sorted({role for role, _, _ in look.schema.grants[name]})
            yield f"{name} is open to {', '.join(who)}, which nobody granted"


CONTROL = Control(
    "ACC-2",
    "acc_2",
    HOUR,
    "What each database role may do with every table and function is compared with the one file that grants; nobody "
    "else may be a superuser, act as a role of ours, or have rights to what is yet to be made; what each person's "
    "role may do is compared with the shipped table; each API key with the scope that two people approved.",
    check,
)
