"""The gate's decision: every check in its order, and what they make together.

To add a rule, add its file and a line here.

Order: who asks, what for, from whom, with what, to whom, how much. A cheap refusal comes before a dear one;
suppression comes after everything that could refuse, but for the rates. A refusal ends it: whoever asks about a
stranger is not told whether the address is on the list, which is all clients'.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.rules.checks import (
    address_syntax,
    attachments,
    category_approved,
    consent_held,
    domain_ready,
    headers,
    key_live,
    key_scope,
    lawful_basis,
    not_suppressed,
    quiet_hours,
    rate_key,
    rate_recipient,
    rate_template,
    rate_tenant_day,
    rate_tenant_hour,
    raw_content,
    recipient_verified,
    schedule,
    sender_identified,
    sender_matches,
    size,
    template_approved,
    tenant_active,
    tenant_not_paused,
    variables_fit,
    volume_usual,
)
from troth.rules.decision import Decision, Outcome, Verdict, combine
from troth.rules.facts import Facts

Check = Callable[[Facts], Verdict]

CHAIN: tuple[Check, ...] = (
    tenant_active.check,
    tenant_not_paused.check,
    volume_usual.check,
    key_live.check,
    category_approved.check,
    lawful_basis.check,
    key_scope.check,
    sender_matches.check,
    sender_identified.check,
    template_approved.check,
    raw_content.check,
    variables_fit.check,
    size.check,
    attachments.check,
    headers.check,
    schedule.check,
    domain_ready.check,
    address_syntax.check,
    recipient_verified.check,
    consent_held.check,
    not_suppressed.check,
    quiet_hours.check,
    rate_key.check,
    rate_tenant_hour.check,
    rate_tenant_day.check,
    rate_template.check,
    rate_recipient.check,
)


def decide(facts: Facts) -> Decision:
    """Run the chain up to the first refusal."""
    verdicts: list[Verdict] = []
    for check in CHAIN:
        verdicts.append(check(facts))
        if verdicts[-1].outcome is Outcome.REFUSE:
            break
    return combine(verdicts)


@dataclass(frozen=True, slots=True)
class EmailDecision:
    """What becomes of an email. refusal: the verdict that refuses all of it; None: each message goes its own way."""

    refusal: Verdict | None
    decisions: tuple[Decision, ...]

    @property
    def refused(self) -> bool:
        return self.refusal is not None


def decide_email(decisions: Sequence[Decision]) -> EmailDecision:
    """Let any message's refusal refuse the whole email; ValueError for an email without a message."""
    if not decisions:
        raise ValueError("An email without a recipient cannot be decided.")
    refused = next((decision for decision in decisions if decision.outcome is Outcome.REFUSE), None)
    return EmailDecision(None if refused is None else refused.deciding, tuple(decisions))
