"""Control of EML-10: the share of mail that is complained about, beside its target."""

from fractions import Fraction

from troth.control.trust import complaints, deliveries, fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

_COMPLAINED = """
SELECT count(DISTINCT message_id) FROM complaint
WHERE tenant_id = %s AND at >= date_trunc('hour', %s::timestamptz - %s, 'UTC')
"""


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    deliveries.stands(findings, look, programme)
    findings.take(fences.tables(look.schema, "complaint"))
    findings.take(fences.functions(look.schema, "complaint_v1", "complaint_guard", "complaint_fact_v1"))
    complaints.counted(
        findings, look, programme, {"told": "complaints are not both an event of their message and a record"}
    )
    counted = deliveries.counted(look, programme)
    sent, complained = max(counted.sent, counted.delivered), _complained(look, programme)
    findings.seen |= {"days": deliveries.WINDOW.days, "sent": sent, "complained": complained}
    if sent < deliveries.SAMPLE:
        running = f"{complained:,} of {sent:,} messages of {deliveries.WINDOW.days} days were complained about"
        findings.missing.append(f"{running}; a share of fewer than {deliveries.SAMPLE:,} says nothing")
    else:
        share = Fraction(complained, sent)
        findings.seen["share"] = deliveries.percent(share, 3)
        said = deliveries.targets(findings, look, programme)
        claimed, target = deliveries.below(said.complaint_ppm), deliveries.below(said.complaint_target_ppm)
        deliveries.weigh(findings, share, claimed, target, "is complained about", digits=3)
    return findings.done()


def _complained(look: Look, programme: Programme) -> int:
    """Messages, each once, whoever told of it."""
    found = 0
    for tenant in look.of_programme(programme):
        with look.of(tenant.id) as connection:
            row = connection.execute(_COMPLAINED, (tenant.id, look.now, deliveries.WINDOW)).fetchone()
            assert row is not None
            found += row[0]
    return found


CONTROL = Control(
    "EML-10",
    "eml_10",
    HOUR,
    "Of the last 30 days' messages that a next hop took, at least 1,000, those are counted that a recipient complained "
    "about; the share is compared with the one that is claimed, and with the target. Each complaint must be an event.",
    check,
)
