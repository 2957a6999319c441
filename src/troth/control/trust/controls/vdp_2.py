"""Control of VDP-2: weaknesses are mended in time, by how severe they were judged."""

from troth.control.trust import desks
from troth.control.trust.control import HOUR, Control
from troth.control.trust.desks import Clock
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

_FIELDS = {"critical": "patch_critical", "high": "patch_high"}
_NOTHING = ("invalid", "duplicate")  # outcomes of which nothing is to be mended


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    desks.stands(findings, look)
    desks.sound(findings, look, "disclosure")
    policy = desks.promise(programme)
    patches = [each for each in desks.clocks(look, programme, "disclosure") if each.name == "patch"]
    for severity, span in desks.promised(policy, _FIELDS).items():
        of_it = [each for each in patches if each.severity == severity]
        desks.in_time(findings, look, of_it, "patch", span, desks.calendars(look, programme))
        for name in ("over", "in_time"):
            findings.seen[f"{severity}_{name}"] = findings.seen.pop(f"patch_{name}")
        _judged(findings, look, programme, severity)
    if not _over(patches, look):
        findings.missing.append("no weakness that was judged critical or high was mended in 90 days")
    return findings.done()


def _judged(findings: Findings, look: Look, programme: Programme, severity: str) -> None:
    """Whatever was judged so has its clock, unless nothing was to be mended."""
    for each in desks.reported(look, programme, "disclosure"):
        if each.severity == severity and each.outcome not in _NOTHING:
            findings.need(
                "patch" in each.clocks, f"{each.reference} was judged {severity} and has no clock of its patch"
            )


def _over(patches: list[Clock], look: Look) -> int:
    return sum(each.met_at is not None or each.due_at < look.now for each in patches)


CONTROL = Control(
    "VDP-2",
    "vdp_2",
    HOUR,
    "Each weakness of the last 90 days that was judged critical or high has a clock that began when it was judged, no "
    "longer than promised, and that no later word of its severity moves; only what is fixed meets it; those that are "
    "over are counted, and each one that was missed is a failure; and cases and the ledger tell the same.",
    check,
)
