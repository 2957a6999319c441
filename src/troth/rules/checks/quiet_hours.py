"""Gate check: a message that is due in its recipient's quiet hours is held until they end, and counted in that hour.

The hours are the category's (rules/quiet.py); a category without any, such as one for codes, is never held for them.
Way out: none is needed, the message goes by itself; a category that must not wait has no quiet hours.
"""

from datetime import datetime

from troth.rules import quiet
from troth.rules.decision import Saw, Verdict, accept, hold, unknown
from troth.rules.facts import Facts

CHECK = "quiet_hours"
CODES = ("quiet-hours", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.policy is None or facts.tenant is None or facts.recipient is None:
        return unknown(CHECK, "the recipient's quiet hours")
    hours = facts.policy.quiet.hours
    if not hours:
        return accept(CHECK, "The category has no quiet hours.")
    zone = quiet.zone_of(facts.recipient.timezone, facts.tenant.timezone)
    until = quiet.ends(_due(facts), zone, hours)
    whose = "recipient" if zone == facts.recipient.timezone else "client"
    if until is None:
        return accept(CHECK, "It is due outside the recipient's quiet hours.", {"clock": whose})
    saw: Saw = {"clock": whose, "hours": hours, "until": until.isoformat()}
    return hold(
        CHECK, "quiet-hours", f"Held until the recipient's quiet hours end, at {_utc(until)}.", saw, until=until
    )


def _due(facts: Facts) -> datetime:
    return max(facts.email.scheduled_at or facts.now, facts.now)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
