"""Control of ACC-5: a session ends after inactivity."""

from troth.control.trust import access, fences
from troth.control.trust.access import KEPT, NO_SESSION
from troth.control.trust.catalogue import claim
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh
from troth.rules.profile import load_profile


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    access.rights_stand(findings, look, "self:read")
    promised = _promised()
    for minutes in access.least(look, programme, "idle_minutes"):
        findings.need(minutes <= promised, f"a policy lets a session idle for {minutes} minutes, not {promised}")
    findings.take(
        fences.checks(look.schema, "session", "kind = 'device' OR (ends_at IS NOT NULL AND expires_at <= ends_at)")
    )
    access.tried(findings, look, {"session-idle": NO_SESSION, "session-ended": NO_SESSION, "session-lengthened": KEPT})
    if not weigh(
        findings,
        look,
        access.facts(look, "open", programme),
        "sessions",
        "sessions may idle for longer than policy says",
    ):
        findings.missing.append("nobody has signed in yet")
    findings.seen["minutes"] = promised
    return findings.done()


def _promised() -> int:
    promising = claim("ACC-5")
    profiles = promising.profiles if promising else ()
    return min((load_profile(each).policy.access.idle_minutes for each in profiles), default=0)


CONTROL = Control(
    "ACC-5",
    "acc_5",
    HOUR,
    "A session that idled too long, one that has ended and one that is looked at are tried in the database; every "
    "open session's end is compared with its last use and the policy in force.",
    check,
)
