"""Gate check: one template's messages to one recipient a day, so that no notification type floods anybody.

Way out: wait for the window's end, send fewer, or have the limit raised by an approved policy, up to the level above.
"""

from troth.rules.decision import Verdict
from troth.rules.facts import Facts
from troth.rules.rates import judge

CHECK = "rate_recipient"
CODES = ("recipient-limit-reached", "store-unavailable")


def check(facts: Facts) -> Verdict:
    return judge(facts, CHECK, "recipient-limit-reached", "recipient", "day")
