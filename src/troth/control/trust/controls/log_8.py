"""Control of LOG-8: access grants and permission changes are logged."""

from troth.control.trust import fences, governance, retention
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "account", "human", "credential", "permission", "change", "snapshot"))
    findings.take(fences.functions(schema, "apply_grant", "change_entry", "ledger_entry", "account_close"))
    findings.take(governance.rights(look))
    findings.take(retention.kept(look, programme, "LOG-8", "grant_days"))
    granted = governance.facts(look, "grants", programme)
    if not weigh(findings, look, granted, "accounts", "accounts are not what a logged grant says"):
        findings.missing.append("there is nobody yet")
    weigh(
        findings,
        look,
        governance.facts(look, "approved grant", programme),
        "grants",
        "grants are not what the ledger tells",
    )
    weigh(
        findings, look, governance.facts(look, "closed", programme), "closed", "accounts were closed without an entry"
    )
    return findings.done()


CONTROL = Control(
    "LOG-8",
    "log_8",
    HOUR,
    "Every account's role, client and state are compared with the grant and the entries that tell how it came to "
    "them; the table of rights with what was shipped; the retention in force with the promise.",
    check,
)
