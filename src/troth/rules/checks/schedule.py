"""Gate check: a scheduled time lies ahead, and not too far.

A minute in the past is a client's slow clock: such mail is due at once.
Way out: a time from now to the policy's number of days ahead, or none for now.
"""

from datetime import timedelta

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "schedule"
CODES = ("schedule-in-past", "schedule-too-far", "store-unavailable")
_SLOW_CLOCK = timedelta(minutes=1)


def check(facts: Facts) -> Verdict:
    due = facts.email.scheduled_at
    if due is None:
        return accept(CHECK, "Due at once.", {"scheduled": False})
    if facts.policy is None:
        return unknown(CHECK, "the policy on schedules")
    if due < facts.now - _SLOW_CLOCK:
        sentence = "`scheduled_at` lies in the past. Give a time ahead, or leave it out to send at once."
        return refuse(CHECK, "schedule-in-past", sentence, at="scheduled_at")
    days = facts.policy.content.schedule_days
    if due > facts.now + timedelta(days=days):
        sentence = f"`scheduled_at` is more than {days} days ahead. Send it later, or give an earlier time."
        return refuse(CHECK, "schedule-too-far", sentence, {"days": days}, at="scheduled_at")
    return accept(CHECK, "The scheduled time lies within the permitted days.", {"scheduled": True})
