"""Control of LOG-5: the API request log in the client dashboard."""

from troth.control.people.permissions import permissions
from troth.control.trust import fences, governance, retention
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, NOTHING, weigh


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "api_request"))
    findings.take(fences.functions(schema, "insert_only"))
    findings.take(governance.rights(look, "request-log:read"))
    findings.need(
        (programme.profile, "request-log:read", "own", "admin") in permissions(), "a client may not see its requests"
    )
    findings.take(retention.kept(look, programme, "LOG-5", "request_days"))
    findings.take(retention.weeks(look, "api_request"))
    for tenant, n in governance.strangers(look, "api_request").items():
        findings.need(not n, f"{n} requests of others are seen by {tenant}")
    for how in ("request-update", "request-delete"):
        findings.need(governance.record(look, how) in (DENIED, NOTHING), f"the attempt {how} was not refused")
    asked = governance.facts(look, "requests", programme)
    if not weigh(findings, look, asked, "emails", "emails have no request in the log"):
        findings.missing.append("no program has asked for anything yet")
    return findings.done()


CONTROL = Control(
    "LOG-5",
    "log_5",
    HOUR,
    "Each email of the last 90 days is looked for in the log of requests; each client's view is counted for rows of"
    " others; changing and deleting an entry are tried as the tables' owner; the retention in force is compared "
    "with the promise.",
    check,
)
