"""Gate check: the recipient is on no suppression list and has not opted out of this category (claim SUP-1).

Never a refusal: the message is stored as `suppressed`. Suppression wins over every hold; that another tenant's mail
led to it, and why, is not told.
Way out: an approved, expiring override of what was on the list when it was approved, which no complaint or opt-out
knows; a notice that the law demands is served otherwise.
"""

from troth.rules.decision import Saw, Verdict, accept, suppress, unknown
from troth.rules.facts import Category, Facts, Suppression

CHECK = "not_suppressed"
CODES = ("suppressed", "opted-out", "store-unavailable")
_FOR_GOOD = ("", "complaint", "opt_out")  # their owner's own word, or nobody knows whose


def check(facts: Facts) -> Verdict:
    listed, opted_out = facts.suppression, facts.opted_out
    if listed is None or opted_out is None or facts.policy is None:
        return unknown(CHECK, "the suppression list")
    overridden = listed.override and facts.policy.recipients.overrides and listed.reason not in _FOR_GOOD
    if listed.listed and not overridden:
        return _listed(listed, facts.category)
    if opted_out:
        sentence = "The recipient has opted out of this kind of message; nothing is sent."
        return suppress(CHECK, "opted-out", sentence, _duty(facts.category))
    sentence = "An approved override is in force." if listed.listed else "The recipient is on no suppression list."
    return accept(CHECK, sentence, {"override": listed.listed})


def _listed(listed: Suppression, category: Category | None) -> Verdict:
    if not listed.own:
        sentence = "The recipient's address is suppressed; nothing is sent."
        return suppress(CHECK, "suppressed", sentence, _duty(category))
    sentence = f"The recipient's address is suppressed ({listed.reason}); nothing is sent."
    saw: Saw = {"reason": listed.reason, "source": listed.source}
    return suppress(CHECK, "suppressed", sentence, {**saw, **_duty(category)})


def _duty(category: Category | None) -> Saw:
    """A notice that the law demands must reach the person in some other way: the task that this opens."""
    return {"serve_otherwise": category is not None and category.legal_class == "required"}
