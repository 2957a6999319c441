"""Messages: the evidence that the ledger has of one, looked at for a page.

`messages` and `ledger` are neighbours; urls.py, where the rooms meet, hands the ledger's functions in.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from troth.ledger.leaf import leaf_hash
from troth.ledger.proofs import BadProof, verify_inclusion


@dataclass(frozen=True, slots=True)
class Evidence:
    """The ledger's side: the newest checkpoint, a message's events with their proofs, a receipt as a file,
    and what it raises where there is none yet.
    """

    newest: Callable[[Any], Any]
    event_proofs: Callable[[Any, UUID, Any], list[Any]]
    receipt: Callable[[Any, "Asked"], bytes]
    not_yet: type[Exception]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose receipt, with what opens and signs it, and what its taker may see: `content`, to whom and what was said;
    `house`, why the house approved its own versions. `message` None: of the whole email.
    """

    tenant: UUID
    email: UUID | None
    message: UUID | None
    keys: Any
    content: bool
    house: bool


@dataclass(frozen=True, slots=True)
class Proved:
    """How far a message's events are sealed. `leaves`: the sealing leaves, with the number of its events and of hashes
    on the way. `holds`: every way was walked here, just now, and ends at the signed root.
    """

    events: int
    sealed: int
    size: int
    signed_at: datetime | None
    root: bytes
    leaves: list[tuple[int, int, int]]
    holds: bool

    @property
    def whole(self) -> bool:
        return self.events > 0 and self.sealed == self.events


def prove(evidence: Evidence, message: UUID) -> Proved:
    with connection.cursor() as cursor:
        checkpoint = evidence.newest(cursor)
        proofs = evidence.event_proofs(cursor, message, checkpoint)
    sealed = [each for each in proofs if each.sealed is not None]
    leaves = {each.sealed.index: (each.sealed.index, each.sealed.events, len(each.sealed.proof)) for each in sealed}
    if checkpoint is None:
        return Proved(len(proofs), 0, 0, None, b"", [], holds=False)
    holds = all(_walks(each, checkpoint) for each in sealed)
    return Proved(
        len(proofs), len(sealed), checkpoint.size, checkpoint.at, checkpoint.root, sorted(leaves.values()), holds=holds
    )


def _walks(event: Any, checkpoint: Any) -> bool:
    """From the event's own hash to the root of its batch, and from that batch's leaf to the checkpoint's root."""
    at = event.sealed
    try:
        root = bytes.fromhex(json.loads(at.leaf)["root"])
        verify_inclusion(at.position, at.events, event.leaf_hash, at.batch_proof, root)
        verify_inclusion(at.index, checkpoint.size, leaf_hash(at.leaf.encode()), at.proof, checkpoint.root)
    except (BadProof, ValueError, KeyError):
        return False
    return True
