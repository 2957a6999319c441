"""Control of ACC-8: stale or unused accounts lose access by themselves."""

from troth.control.trust import access, fences
from troth.control.trust.access import KEPT, NO_SESSION
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh

_PROMISED = {"construction": ("leaver_hours", 24), "retail": ("unused_days", 90)}


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    access.rights_stand(findings, look, "leaver:mark")
    findings.take(fences.functions(look.schema, "access_duty_v1", "unused_duty", "unused_ends", "account_close",
                                   "account_closes", "leaver_mark_v1"))  # fmt: skip
    for each in (programme,) if programme else look.programmes:
        field, most = _PROMISED.get(each.profile, ("leaver_hours", 24))
        for value in access.least(look, each, field):
            findings.need(value <= most, f"a policy has {field} {value}, not {most}")
    access.tried(findings, look, {"account-closed": NO_SESSION, "account-unused": KEPT, "account-left": KEPT})
    there = access.facts(look, "stale", programme)
    if not weigh(
        findings, look, there, "accounts", "accounts are open though unused for too long, or though they left"
    ):
        findings.missing.append("there is nobody yet")
    return findings.done()


CONTROL = Control(
    "ACC-8",
    "acc_8",
    HOUR,
    "Somebody unused for a year and somebody who left yesterday are made for the attempt, and the duty must close "
    "both; every open account's last use and leaving are compared with the policy in force.",
    check,
)
