"""Control of EML-12: how much is sent a day, as counted."""

from fractions import Fraction

from troth.control.trust import deliveries
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    deliveries.stands(findings, look, programme)
    days, sent = deliveries.days(look, programme)
    number = deliveries.targets(findings, look, programme).daily_volume
    mean = Fraction(sent, days or 1)
    findings.seen |= {"whole_days": days, "sent": sent, "a_day": f"{round(mean):,}"}
    told = f"{round(mean):,} messages a day were sent in {days} whole days"
    if days < deliveries.DAYS:
        findings.missing.append(f"{told}; a mean of fewer than {deliveries.DAYS} says nothing")
    else:
        near = abs(mean - number) <= number * deliveries.ABOUT
        findings.need(near, f"{told}, which is not about {number:,}: it is off by more than a quarter")
    return findings.done()


CONTROL = Control(
    "EML-12",
    "eml_12",
    HOUR,
    "Messages that a next hop took are counted by the day (UTC): the mean of up to 30 whole days, at least 28, lies "
    "within a quarter of the number that the policy in force tells.",
    check,
)
