"""Evidence of what the gate decided: one digest that the event `accepted` commits to, so that a receipt's decision, its
recipient and the versions it was made by are the ledger's word, and not only their maker's.
"""

import hashlib
from dataclasses import dataclass

from troth.ledger.canonical import canonical

NAME = "decided"  # the part of the accepted event's detail that holds it


@dataclass(frozen=True, slots=True)
class Decided:
    """What is bound together; ids as text, digests in hex, `template` "" for content of its own. `decision` is the
    decision's own octets, as they were sealed.
    """

    email: str
    message: str
    recipient: str
    category: str
    template: str
    policy: str
    decision: bytes


def digest_of(decided: Decided) -> str:
    """Hex SHA-256 of the canonical form. It is sealed with the event's detail: alone, it could be guessed at."""
    leaf: dict[str, str | int] = {
        "category": decided.category,
        "decision": hashlib.sha256(decided.decision).hexdigest(),
        "email": decided.email,
        "message": decided.message,
        "policy": decided.policy,
        "recipient": decided.recipient,
        "template": decided.template,
        "type": "troth.decided.v1",
    }
    return hashlib.sha256(canonical(leaf)).hexdigest()
