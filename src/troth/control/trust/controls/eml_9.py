"""Control of EML-9: the share of mail that is delivered."""

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
    findings.seen |= {"days": deliveries.WINDOW.days, "sent_or_refused": found.tried, "delivered": found.delivered}
    share = Fraction(found.delivered, found.tried or 1)
    running = f"{found.delivered:,} of {found.tried:,} messages of {deliveries.WINDOW.days} days are known as delivered"
    if found.tried < deliveries.SAMPLE:
        findings.missing.append(f"{running}; a share of fewer than {deliveries.SAMPLE:,} says nothing")
    elif not found.delivered:
        findings.missing.append(f"{running}: nobody tells of deliveries; see the relay's webhooks")
    else:
        findings.seen["share"] = deliveries.percent(share)
        said = deliveries.above(deliveries.targets(findings, look, programme).delivered_permille * 1_000)
        deliveries.weigh(findings, share, said, None, "is delivered")
    return findings.done()


CONTROL = Control(
    "EML-9",
    "eml_9",
    HOUR,
    "Of the last 30 days' messages that a next hop took or refused, at least 1,000, those are counted whose delivery "
    "the relay's signed webhook or a receiver's notice told; what nobody told of counts as not delivered.",
    check,
)
