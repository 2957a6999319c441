"""Control of ACC-6: the number of concurrent sessions is limited."""

from troth.control.trust import access
from troth.control.trust.access import KEPT
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh

_MOST = 10


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    access.rights_stand(findings, look, "self:read")
    for most in access.least(look, programme, "sessions"):
        findings.need(most <= _MOST, f"a policy permits {most} sessions at once")
    access.tried(findings, look, {"session-too-many": KEPT})
    weigh(
        findings,
        look,
        access.facts(look, "concurrent", programme),
        "accounts",
        "accounts have more open sessions than policy permits",
    )
    if not sum(fact.n for fact in access.facts(look, "open", programme)):
        findings.missing.append("nobody has signed in yet")
    return findings.done()


CONTROL = Control(
    "ACC-6",
    "acc_6",
    HOUR,
    "Somebody opens two sessions more than policy permits, and the oldest must have ended; every account's open "
    "sessions are counted.",
    check,
)
