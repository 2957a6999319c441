"""Control of EML-11: the share of mail that bounces, beside its target."""

from fractions import Fraction

from troth.control.trust import deliveries
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    deliveries.stands(findings, look, programme)
    found = deliveries.counted(look, programme)
    findings.seen |= {"days": deliveries.WINDOW.days, "sent_or_refused": found.tried, "bounced": found.bounced}
    if found.tried < deliveries.SAMPLE:
        running = f"{found.bounced:,} of {found.tried:,} messages of {deliveries.WINDOW.days} days bounced"
        findings.missing.append(f"{running}; a share of fewer than {deliveries.SAMPLE:,} says nothing")
    else:
        share = Fraction(found.bounced, found.tried)
        findings.seen["share"] = deliveries.percent(share)
        said = deliveries.targets(findings, look, programme)
        claimed, target = deliveries.below(said.bounce_ppm), deliveries.below(said.bounce_target_ppm)
        deliveries.weigh(findings, share, claimed, target, "bounces")
    return findings.done()


CONTROL = Control(
    "EML-11",
    "eml_11",
    HOUR,
    "Of the last 30 days' messages that a next hop took or refused, at least 1,000, those are counted that bounced, at "
    "once or by a later notice; the share is compared with the one that is claimed, and with the target.",
    check,
)
