"""Control of LOG-7: client administrators get the change log of their own tenant on request."""

from troth.control.people.permissions import permissions
from troth.control.trust import fences, governance
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

_TABLES = ("change", "snapshot", "approval", "change_comment", "ledger_leaf")


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(governance.rights(look, "change-log:read"))
    findings.need(
        (programme.profile, "change-log:read", "own", "admin") in permissions(),
        "an administrator may not see the change log",
    )
    for table in _TABLES:
        for tenant, n in governance.strangers(look, table).items():
            findings.need(not n, f"{n} rows of {table} of others are seen by {tenant}")
    seen = governance.own(look, "change")
    for fact in governance.facts(look, "changes", programme):
        findings.need(
            fact.tenant is None or seen.get(fact.tenant) == fact.n, f"changes of {fact.tenant} are hidden from it"
        )
    if not any(seen.values()):
        findings.missing.append("no client has changed anything yet")
    return findings.done()


CONTROL = Control(
    "LOG-7",
    "log_7",
    HOUR,
    "Working for each client in turn, the pages' role is asked for its changes: none may be missing of what the "
    "owner of the tables sees, and none may be another's; an administrator's right to the page is compared with "
    "what was shipped.",
    check,
)
