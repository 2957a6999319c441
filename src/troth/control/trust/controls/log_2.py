"""Control of LOG-2: the access and authentication log: login attempts, session length, address, role-based actions."""

from troth.control.trust import fences, governance, retention, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, NOTHING, weigh


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "access_log", "session"))
    findings.take(
        fences.functions(
            schema,
            "access_entry",
            "access_log_v1",
            "access_act_v1",
            "page_session_open_v1",
            "session_end",
            "insert_only",
        )
    )
    findings.take(fences.not_null(schema, "access_log", "id", "at", "kind", "what"))
    findings.take(retention.kept(look, programme, "LOG-2", "access_days"))
    findings.take(retention.weeks(look, "access_log"))
    for how in ("access-update", "access-delete"):
        findings.need(governance.record(look, how) in (DENIED, NOTHING), f"the attempt {how} was not refused")
    begun = governance.facts(look, "sign-ins", programme)
    told = governance.facts(look, "sign-ins told", programme)
    if not weigh(findings, look, begun, "sign_ins", "sessions lack the entry of their beginning or end"):
        findings.missing.append("nobody has signed in yet")
    weigh(findings, look, told, "sign_ins_told", "sessions that the ledger tells of are not in the log")
    told_rows.as_told(findings, look, programme, "sessions told")
    return findings.done()


CONTROL = Control(
    "LOG-2",
    "log_2",
    HOUR,
    "Every session of the pages is looked for in the log with its address, and its end; every beginning that the "
    "ledger tells of, too; changing and deleting an entry are tried as the tables' owner; the retention in force is"
    " compared with the promise.",
    check,
)
