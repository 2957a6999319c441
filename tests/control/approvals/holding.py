"""What the database holds of a sequence, asked in one round trip, with triggers, functions and the model out of it."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

import psycopg

# a version in force that nobody but its author said yes to, or to other words than these
_ALONE = """
SELECT count(*) FROM governed g JOIN snapshot s ON s.id = g.snapshot_id JOIN change c ON c.id = s.change_id
WHERE s.digest <> sha256(convert_to(s.artefact, 'UTF8')) OR NOT EXISTS (
    SELECT FROM approval a
    WHERE a.change_id = c.id AND a.digest = s.digest AND a.human_id <> c.proposer_human
      AND NOT EXISTS (SELECT FROM draft_author d WHERE d.draft_id = c.draft_id AND d.human_id = a.human_id))
"""
# rows of this transaction alone: xmin of a savepoint is not that of its transaction, so by the entry that proposed them
_HELD = f"""
WITH entry AS (SELECT kind, leaf::jsonb AS leaf FROM ledger_pending WHERE id > %(base)s),
     mine AS (SELECT c.id, c.state FROM change c
              WHERE c.id IN (SELECT (leaf ->> 'change')::uuid FROM entry WHERE kind = 'governance:change:propose')
                 OR c.proposed_at > (SELECT max(at) FROM ledger_pending WHERE id = %(base)s))
SELECT (SELECT coalesce(json_object_agg(id, state), '{{}}') FROM mine),
       (SELECT coalesce(json_agg(json_build_array(id, change_id, subject, encode(digest, 'hex'))), '[]') FROM snapshot
        WHERE approved_at > (SELECT max(at) FROM ledger_pending WHERE id = %(base)s)),
       (SELECT json_object_agg(subject, snapshot_id) FROM governed),
       (SELECT coalesce(json_agg(json_build_array(change_id, human_id)), '[]') FROM approval
        WHERE change_id IN (SELECT id FROM mine)),
       (SELECT coalesce(json_object_agg(kind, n), '{{}}')
        FROM (SELECT split_part(kind, ':', 3) AS kind, count(*) AS n FROM entry WHERE kind LIKE 'governance:%%' GROUP BY 1) AS x),
       ({_ALONE})
"""


@dataclass(frozen=True)
class Held:
    """`versions`: id -> (change, subject, digest); `entries`: steps in the ledger; `alone`: live without four eyes."""

    states: dict[UUID, int]
    versions: dict[UUID, tuple[UUID, UUID, bytes]]
    governed: dict[UUID, UUID]
    approvals: dict[UUID, set[UUID]]
    entries: Counter
    alone: int


def held(sql: psycopg.Connection, base: int) -> Held:
    states, versions, governed, approvals, entries, alone = sql.execute(_HELD, {"base": base}).fetchone()
    said: dict[UUID, set[UUID]] = {}
    for change, human in approvals:
        said.setdefault(UUID(change), set()).add(UUID(human))
    return Held(
        {UUID(one): state for one, state in states.items()},
        {UUID(v): (UUID(change), UUID(subject), bytes.fromhex(digest)) for v, change, subject, digest in versions},
        {UUID(subject): UUID(version) for subject, version in governed.items()},
        said,
        Counter(entries),
        alone,
    )
