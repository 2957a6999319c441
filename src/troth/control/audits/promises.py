"""Audits: what a programme promises, as the database has it: states, what tells of them, and the policy in force."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.control.audits.ledgers import NOBODY, NoLedger, proved, rows
from troth.ledger.leaf import microseconds
from troth.ledger.receipt import Entry
from troth.ledger.trust_document import Policy, Programme

_PROGRAMME = "SELECT id::text, code, name, profile, domain FROM troth.programme WHERE id = %s"
_LEVELS = """
SELECT g.code, s.version, s.digest, s.approved_at, l.index, l.leaf
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN LATERAL troth.receipt_entry_v1(%s, s.change_id) AS l ON true
WHERE g.kind = 'policy' AND g.tenant_id IS NULL AND NOT g.retired AND g.code = ANY(%s) ORDER BY g.code DESC
"""
# the newest telling of each state, with the entry that is its own
_STATES = """
SELECT k.claim, k.programme_id, k.checked_at, k.since, h.state, h.evidence, l.index, l.leaf
FROM troth.claim_state k
LEFT JOIN LATERAL (
    SELECT h.state, h.evidence, h.entry FROM troth.claim_history h
    WHERE h.claim = k.claim AND h.programme_id IS NOT DISTINCT FROM k.programme_id ORDER BY h.id DESC LIMIT 1
) h ON true
LEFT JOIN troth.ledger_leaf l ON l.leaf_hash = h.entry AND l.log_id = 1 AND l.tenant_id IS NULL AND l.index < %s
WHERE k.programme_id IS NULL OR k.programme_id = %s
"""


@dataclass(frozen=True, slots=True)
class Stand:
    """A promise's state as kept. `told`: the entry of its newest telling; None while no checkpoint covers it, and where
    what is kept is not what was told.
    """

    checked_at: datetime
    since: datetime
    state: str | None
    evidence: str | None
    told: Entry | None


def programme(connection: Connection, which: UUID) -> Programme:
    """As its document names it."""
    found = rows(connection, _PROGRAMME, which)
    if not found:
        raise NoLedger("There is no such programme.")
    return Programme(*found[0])


def policy(connection: Connection, code: str, size: int) -> list[Policy]:
    """The levels above the programme's clients, each with the entry of its approval; raise NoLedger."""
    found = rows(connection, _LEVELS, NOBODY, [f"programme:{code}", "operator"])
    if any(index is None or index >= size for *_, index, _ in found):
        raise NoLedger("The approval of a policy in force is not sealed yet: that takes up to five seconds.")
    entries = proved(connection, [(index, leaf) for *_, index, leaf in found], size)
    return [
        Policy(level, version, bytes(digest).hex(), microseconds(at), entries[index])
        for level, version, digest, at, index, _ in found
    ]


def stands(connection: Connection, which: UUID, size: int) -> Mapping[tuple[str, bool], Stand]:
    """(claim, whether it is the installation's) -> how it stands."""
    found = rows(connection, _STATES, size, which)
    entries = proved(connection, [(index, leaf) for *_, index, leaf in found if leaf is not None], size)
    return {
        (claim, owner is None): Stand(
            checked, since, state, _seen(evidence), _told(entries.get(index), claim, owner, state, evidence)
        )
        for claim, owner, checked, since, state, evidence, index, _ in found
    }


def _told(entry: Entry | None, claim: str, owner: UUID | None, state: str, evidence: str) -> Entry | None:
    fields = json.loads(entry.leaf) if entry and entry.leaf else {}
    own = (claim, str(owner or ""), state, _seen(evidence))
    return entry if own == tuple(fields.get(name) for name in ("claim", "programme", "state", "evidence")) else None


def _seen(evidence: str | None) -> str | None:
    return None if evidence is None else sha256(evidence.encode()).hexdigest()
