"""Gate check: where the category is sent on consent, the recipient's is on record and has not run out (claim CPL-4).

It must hold when the message is due. Implied consent (CASL section 10) has an end, and a scheduled message may lie
behind it. A withdrawal is the recipient's word: the message is stored as `suppressed`, as after an opt-out.
Way out: record the recipient's consent with its wording (POST /recipients), or send on another lawful basis.
"""

from datetime import datetime

from troth.rules.consent import NEEDED
from troth.rules.decision import Decision, Saw, Verdict, accept, refuse, suppress, unknown
from troth.rules.facts import Consent, Facts, Recipient

CHECK = "consent_held"
CODES = ("consent-missing", "consent-expired", "consent-withdrawn", "store-unavailable")


def until(decision: Decision) -> datetime | None:
    """When the consent that it was accepted on runs out; None: not by itself, or it needs none."""
    seen = next((v.saw.get("until") for v in decision.verdicts if v.check == CHECK), None)
    return datetime.fromisoformat(seen) if isinstance(seen, str) else None


def check(facts: Facts) -> Verdict:
    category, person, consent = facts.category, facts.recipient, facts.consent
    if category is None or person is None or consent is None:
        return unknown(CHECK, "the recipient's consent")
    if category.lawful_basis != NEEDED:
        return accept(CHECK, "This category is not sent on consent.", {"lawful_basis": category.lawful_basis})
    return _weighed(consent, person)


def _weighed(consent: Consent, person: Recipient) -> Verdict:
    saw: Saw = {
        "standing": consent.state, "kind": consent.kind, "basis": consent.basis,
        "until": consent.until.isoformat() if consent.until else None,
    }  # fmt: skip
    match consent.state:
        case "held":
            return accept(CHECK, f"Consent is on record ({consent.kind}: {consent.basis}).", saw)
        case "withdrawn":
            sentence = "The recipient has withdrawn consent to this kind of message; nothing is sent."
            return suppress(CHECK, "consent-withdrawn", sentence, saw)
        case "expired":
            sentence = (
                f"The recipient's {consent.kind} consent has run out by then. Ask the recipient for consent anew."
            )
            return refuse(CHECK, "consent-expired", sentence, saw, at=person.field)
        case "none":
            sentence = "This category is sent on consent, and none of this recipient is on record. Record it first."
            return refuse(CHECK, "consent-missing", sentence, saw, at=person.field)
    return unknown(CHECK, "the recipient's consent")
