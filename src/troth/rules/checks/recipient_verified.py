"""Gate check: the address was verified through an accepted pathway and the person not erased (claim RCP-1).

Way out: register the recipient (POST /recipients) and have the mail that it gets confirmed.
"""

from types import MappingProxyType

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts, Recipient
from troth.rules.policy import Policy

CHECK = "recipient_verified"
CODES = ("recipient-unverified", "recipient-erased", "pathway-not-accepted", "store-unavailable")
_NOT_YET = MappingProxyType(
    {
        "unknown": (
            "This recipient is not registered. Register the address with POST /recipients; send again when the "
            "recipient has confirmed by the mail that this sends."
        ),
        "pending": (
            "This recipient has not confirmed the address yet. Send again when that is done; POST /recipients with the "
            "same address sends the confirmation anew."
        ),
        "expired": (
            "This recipient's verification has expired. Register the address again with POST /recipients; send again "
            "when the recipient has confirmed."
        ),
    }
)


def check(facts: Facts) -> Verdict:
    person = facts.recipient
    if person is None or facts.policy is None:
        return unknown(CHECK, "the recipient")
    if person.status == "erased":
        sentence = "This recipient's data was erased at their request; nothing can be sent to them."
        return refuse(CHECK, "recipient-erased", sentence, {"status": "erased"}, at=person.field)
    if person.status in _NOT_YET:
        sentence = _NOT_YET[person.status]
        return refuse(
            CHECK,
            "recipient-unverified",
            sentence,
            {"status": person.status, "accepted": facts.policy.recipients.pathways},
            at=person.field,
        )
    if person.status != "verified" or person.verified_at is None or person.verified_at > facts.now:
        return unknown(CHECK, "the recipient's verification")
    return _pathway(person, facts.policy)


def _pathway(person: Recipient, policy: Policy) -> Verdict:
    accepted = policy.recipients.pathways
    if person.pathway in accepted:
        return accept(CHECK, f"Verified by {person.pathway}.", {"status": "verified", "pathway": person.pathway})
    shown = ", ".join(accepted) or "none"
    sentence = (
        f"The way this recipient was verified is not accepted here; accepted: {shown}. Register the address again with "
        "POST /recipients."
    )
    return refuse(
        CHECK, "pathway-not-accepted", sentence, {"pathway": person.pathway, "accepted": accepted}, at=person.field
    )
