"""Four eyes: one person proposes, another approves what they were shown; the database makes the version in force.

Who acts is never said by the caller: the database derives the person from the session's secret.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from troth.control.approvals.asked import Asked
from troth.control.approvals.kinds import problems
from troth.control.audit.refusals import Invalid, Problem, Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.keys.ids import uuid7
from troth.ledger.canonical import NotCanonical, canonical_document

STATES = {1: "proposed", 2: "approved", 3: "rejected", 4: "withdrawn", 5: "expired"}
_CHANGE = """
SELECT c.id, c.kind, c.tenant_id, c.subject, c.code, c.artefact, c.digest, c.reason, c.proposer_human, c.proposed_at,
       c.expires_at, c.state, c.decided_at, c.decider_human, c.decision_note, c.draft_id,
       c.expires_at <= troth.now_v1() AS expired
FROM troth.change c
"""
_PROPOSE = "SELECT troth.propose_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_BEFORE = """
SELECT s.artefact FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.subject = %s AND g.kind = %s
"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody wants: `subject` None makes a new thing. `reason` is read by the person who approves; `draft`: what
    it was written on, whose open proposal this one replaces.
    """

    kind: str
    code: str
    artefact: Mapping[str, Any]
    reason: str
    tenant: UUID | None = None
    subject: UUID | None = None
    draft: UUID | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    id: UUID
    subject: UUID
    digest: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """A row of `change`; `artefact` is canonical JSON, `state` as in STATES."""

    id: UUID
    kind: str
    tenant_id: UUID | None
    subject: UUID
    code: str
    artefact: str
    digest: bytes
    reason: str
    proposer_human: UUID
    proposed_at: datetime
    expires_at: datetime
    state: int
    decided_at: datetime | None
    decider_human: UUID | None
    decision_note: str | None
    draft_id: UUID | None
    expired: bool


def propose(connection: Connection, session: bytes, proposal: Proposal) -> Proposed:
    """Check the artefact and propose it; raise Invalid (nothing proposed) or Refused."""
    now = clock(connection)
    subject = _subject(connection, proposal) or uuid7(now)
    artefact = dict(proposal.artefact)
    found = problems(proposal.kind, Asked(connection, proposal.tenant, subject, proposal.code, artefact, now))
    if not proposal.reason.strip():
        found.append(Problem("reason", "empty", "Say why, for the person who approves."))
    if found:
        raise Invalid(found)
    change = uuid7(now)
    text = _text(artefact)
    values = (change, proposal.kind, proposal.tenant, subject, proposal.code, text, proposal.reason, session)
    with refusals(), within(connection, proposal.tenant):
        row = connection.execute(_PROPOSE, (*values, proposal.draft)).fetchone()
    return Proposed(change, subject, bytes(_one(row)))


def _subject(connection: Connection, proposal: Proposal) -> UUID | None:
    """A code that is taken keeps its subject. A policy's subject is its own, whatever it is about: two governed
    things never share one.
    """
    there = subject_of(connection, proposal.kind, proposal.code, proposal.tenant)
    return there if there or proposal.kind == "policy" else proposal.subject


def subject_of(connection: Connection, kind: str, code: str, tenant: UUID | None) -> UUID | None:
    """The thing that has this code already: a proposal for it is its next version."""
    query = "SELECT subject FROM troth.governed WHERE kind = %s AND code = %s AND tenant_id IS NOT DISTINCT FROM %s"
    with refusals(), within(connection, tenant):
        row = connection.execute(query, (kind, code, tenant)).fetchone()
    return row[0] if row else None


def _text(artefact: dict[str, Any]) -> str:
    try:
        return canonical_document(artefact).decode()
    except NotCanonical as wrong:
        raise Invalid([Problem("artefact", "canonical", str(wrong))]) from wrong


def approve(connection: Connection, session: bytes, change: Change, digest: bytes | None = None) -> UUID | None:
    """Say yes to it; `digest` is that of what the approver was shown. Gives the snapshot's id when it is now the
    version in force; None when policy wants more approvals than this one.
    """
    with refusals(), within(connection, change.tenant_id):
        row = connection.execute(
            "SELECT troth.approve_v1(%s, %s, %s)", (change.id, digest or change.digest, session)
        ).fetchone()
    made: UUID | None = _one(row)
    return made


def comment(connection: Connection, session: bytes, change: Change, words: str) -> None:
    with refusals(), within(connection, change.tenant_id):
        connection.execute(
            "SELECT troth.comment_v1(%s, %s, %s, %s)", (uuid7(clock(connection)), change.id, words, session)
        )


def assign(connection: Connection, session: bytes, change: Change, accounts: Sequence[UUID]) -> int:
    """Ask these people to look; how many of them could approve it, and were not asked before."""
    with refusals(), within(connection, change.tenant_id):
        row = connection.execute("SELECT troth.assign_v1(%s, %s, %s)", (change.id, list(accounts), session)).fetchone()
    return int(_one(row))


def close(connection: Connection, session: bytes, change: Change, note: str) -> str:
    """'withdrawn' by its proposer, 'rejected' by another."""
    with refusals(), within(connection, change.tenant_id):
        row = connection.execute("SELECT troth.close_v1(%s, %s, %s)", (change.id, note, session)).fetchone()
    return str(_one(row))


def revoke(connection: Connection, session: bytes, snapshot: UUID, reason: str, tenant: UUID | None) -> None:
    """Stop one version at once: one person's act, never undone."""
    with refusals(), within(connection, tenant):
        connection.execute("SELECT troth.revoke_v1(%s, %s, %s)", (snapshot, reason, session))


def find(connection: Connection, change: UUID, tenants: tuple[UUID | None, ...]) -> Change:
    """The change, in whichever of these tenants it is; missing and hidden read the same."""
    for tenant in tenants:
        with refusals(), within(connection, tenant), connection.cursor(row_factory=class_row(Change)) as cursor:
            found = cursor.execute(f"{_CHANGE} WHERE c.id = %s", (change,)).fetchone()
        if found:
            return found
    raise Refused(f"There is no change {change} here.")


def listed(connection: Connection, tenant: UUID | None, *, all_states: bool = False) -> list[Change]:
    """Changes of one tenant (None: of none), newest first; only those still open unless all are wanted."""
    query = f"{_CHANGE} WHERE c.tenant_id IS NOT DISTINCT FROM %s AND (%s OR c.state = 1) ORDER BY c.proposed_at DESC"
    with refusals(), within(connection, tenant), connection.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(query, (tenant, all_states)).fetchall()


def before(connection: Connection, change: Change) -> dict[str, Any] | None:
    """The artefact in force that this change would replace; None: it makes a new thing."""
    with refusals(), within(connection, change.tenant_id):
        row = connection.execute(_BEFORE, (change.subject, change.kind)).fetchone()
    return json.loads(row[0]) if row else None


def clock(connection: Connection) -> datetime:
    """The database's clock, the only one."""
    with refusals():
        now: datetime | None = _one(connection.execute("SELECT troth.now_v1()").fetchone())
    if now is None:
        raise Refused("This database has no installation yet: run `troth init` first.")
    return now


def _one(row: tuple[Any, ...] | None) -> Any:
    if row is None:
        raise Refused("The database gave no answer.")
    return row[0]
