"""Control of EML-6: the sending address is warmed up; one that is not yet keeps to its schedule."""

from troth.control.trust import fences, limits
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.states import State

_SCHEDULES = """
SELECT g.code, g.retired, route_cap_v1(g.code, now_v1()) FROM governed g WHERE g.kind = 'route' AND g.tenant_id IS NULL
ORDER BY g.code
"""


def check(look: Look, _: Programme | None) -> Found:
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "route_day", "spool", "snapshot", "governed", "revocation"))
    findings.take(fences.checks(schema, "route_day", "used <= cap", "used >= 0"))
    findings.take(fences.keys(schema, "route_day", "PRIMARY KEY (route, day)"))
    findings.take(fences.functions(schema, "route_cap_v1", "limit_fact_v1", "limit_attempt_v1"))
    held = MARK_OUTCOME[MarkVerdict.WARM_UP].target is State.HELD
    findings.need(held, "what is more than a day's number is not held")
    limits.tried(findings, look, ("route-over", "route-raised"))
    with look.of(None) as connection:
        schedules = connection.execute(_SCHEDULES).fetchall()
    if not schedules:
        findings.missing.append("no route has a warm-up schedule yet")
    findings.seen["warming_up"] = sum(cap is not None for _, _, cap in schedules)
    limits.counted(findings, look, "route-days", None, "days of a route are above its schedule")
    limits.counted(findings, look, "route-sent", None, "days sent more than was counted against the schedule")
    return findings.done()


CONTROL = Control(
    "EML-6",
    "eml_6",
    HOUR,
    "The database takes no day of a route above its number (tried each time); each day of the last 90 is compared with "
    "every schedule that two people approved, and with the messages that went on it.",
    check,
)
