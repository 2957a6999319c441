"""Control of ABU-2: where abuse is confirmed the account is suspended at once."""

from troth.control.trust import desks
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import NOTHING, weigh

_WANTED = {"confirm": "stopped", "nobody": "55000"}


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    desks.stands(findings, look, "abuse_confirmed", "abuse_suspends", "desk_policies_v1", "pause_v1", "case_client_v1")
    for name, wanted in _WANTED.items():
        answer = look.attempt(name, programme.code, query=desks.ATTEMPT)
        findings.need(answer in (wanted, NOTHING), f"the attempt {name} met {answer}, not {wanted}")
        findings.seen[f"attempt_{name}"] = answer
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        stops = policy is not None and policy.cases.abuse_suspends
        findings.need(stops, f"the policy of {tenant.id} suspends nobody for confirmed abuse")
    desks.sound(findings, look, "abuse")
    rows = look.counted("confirmed", desks.FACT, programme)
    weigh(findings, look, rows, "confirmed", "confirmed cases of abuse did not stop their client in the same moment")
    if findings.seen["attempt_confirm"] == NOTHING:
        findings.missing.append("there is no client that could be suspended")
    return findings.done()


CONTROL = Control(
    "ABU-2",
    "abu_2",
    HOUR,
    "A case of abuse of a client is confirmed and undone each time, and the stop of all its mail must be there in the "
    "same transaction; one that no client is known of cannot be confirmed; and each confirmed case of the last 90 days "
    "stopped its client in the same moment.",
    check,
)
