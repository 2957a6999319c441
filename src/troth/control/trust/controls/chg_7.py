"""Control of CHG-7: only designated operators create or change templates and sending rules."""

from troth.control.people.permissions import permissions
from troth.control.trust import fences, governance
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh

_KINDS = ("template", "category", "policy")
_WRITERS = 4  # roles of a client, of those that there are, that may write at most


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    governance.four_eyes(findings, look, programme, *_KINDS)
    findings.take(fences.tables(look.schema, "designation"))
    findings.take(fences.functions(look.schema, "apply_designation"))
    findings.take(fences.keys(look.schema, "designation", "PRIMARY KEY (tenant_id, place)"))
    findings.take(fences.checks(look.schema, "designation", "place IN (1, 2)"))
    findings.need(
        governance.attempt(look, "template", "unnamed") == "42501", "somebody who is not designated may write"
    )
    named = any(cell.named for cell in permissions().values() if programme and cell.profile == programme.profile)
    findings.seen["individuals_named"] = named
    if named:
        _individuals(findings, look, programme)
    return findings.done()


def _individuals(findings: Findings, look: Look, programme: Programme | None) -> None:
    """Two people at most, by name: who they are was approved, and nobody else has proposed since."""
    there = governance.facts(look, "unnamed", programme)
    if not weigh(findings, look, there, "clients", "clients have other named individuals than were approved, or none"):
        findings.missing.append("there is no client yet")
    others = governance.facts(look, "named", programme)
    weigh(findings, look, others, "proposals", "proposals were made by somebody who was not named")


CONTROL = Control(
    "CHG-7",
    "chg_7",
    HOUR,
    "Somebody without the right to write tries to propose and must be refused; where individuals are named, each "
    "proposal since is compared with who was named then, and who is named with what two people approved.",
    check,
)
