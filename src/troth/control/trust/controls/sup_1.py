"""Control of SUP-1: one global suppression list, consulted synchronously before every send."""

from typing import Any

from troth.control.trust import fences, rehearsal, suppressions, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, count, refused
from troth.rules import facts as f
from troth.rules.chain import decide
from troth.rules.checks import not_suppressed
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.states import State


def check(look: Look, _: Programme | None) -> Found:
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "suppression", "suppression_feed", "opt_out", "suppression_override", "spool"))
    findings.take(fences.keys(schema, "suppression", "PRIMARY KEY (blind_index, reason, source)"))
    findings.take(fences.checks(schema, "suppression", "octet_length(blind_index) = 32"))
    findings.take(
        fences.functions(schema, "suppress_v1", "opt_out_v1", "apply_override", "overridden_v1", "overrides_count_v1")
    )
    refused(findings, look, {"suppression-delete": DENIED, "opt-out-delete": DENIED})
    _rules(findings, look)
    count(findings, look, "sent-suppressed", None, "sent messages went to somebody who had been suppressed")
    told_rows.as_told(findings, look, None, "overrides", "opt-ins told")
    suppressions.kept(findings, look, "SUP-1")
    return findings.done()


def _rules(findings: Findings, look: Look) -> None:
    """The gate's rule is asked for every message that nothing refused, and the mark never sends what is suppressed."""
    findings.need(
        rehearsal.position(not_suppressed.check) >= 0, "the gate's chain does not look at the suppression list"
    )
    mark = MARK_OUTCOME[MarkVerdict.SUPPRESSED]
    findings.need(mark.target is State.SUPPRESSED, "the mark does not stop what is suppressed")
    for tenant in look.tenants:
        policy = look.policy(tenant)
        if policy is not None:
            listed: dict[str, Any] = {"suppression": f.Suppression(listed=True, reason="complaint", override=True)}
            cases = {"suppressed": listed, "opted-out": {"opted_out": True}, "store-unavailable": {"suppression": None}}
            findings.take(rehearsal.rehearse(policy, look.now, cases))
            stopped = decide(rehearsal.good(policy, look.now))
            asked = {verdict.check for verdict in stopped.verdicts}
            findings.need(not_suppressed.CHECK in asked, "the suppression list was not asked")
            return
    findings.missing.append("there is no client yet")


CONTROL = Control(
    "SUP-1",
    "sup_1",
    HOUR,
    "The list, its functions and who may touch it are compared with what was shipped; removing an entry is tried; "
    "the gate's rule is shown suppressed people; and no message of the last 90 days was sent to somebody "
    "suppressed before.",
    check,
)
