"""Four eyes: a draft: what somebody works on before it is proposed, and the only thing here that is edited.

`revision` says what was looked at: who saves over somebody else's words is refused and shown both. Editing what is
proposed withdraws the proposal, and whoever wrote a word cannot approve it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import kwargs_row

from troth.control.approvals.changes import clock
from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within
from troth.keys.ids import uuid7

MOST = 200  # drafts in one list
_SAVE = "SELECT troth.draft_save_v1(%s, %s, %s, %s, %s, %s, %s, %s)"
_DRAFT = """
SELECT id, tenant_id, kind, subject, code, content, revision, created_by, created_at, updated_by,
       updated_at, change_id
FROM troth.draft
"""


class Stale(Refused):
    """Somebody has saved the draft since it was opened; `theirs` is what stands there now."""

    def __init__(self, theirs: "Draft") -> None:
        super().__init__("Somebody has saved this draft since you opened it: take what you want of both, then save.")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Draft:
    """`content` is the editor's own form; `subject` None: a new thing; `change_id`: as it was proposed last, if it was
    not edited since.
    """

    id: UUID
    tenant_id: UUID | None
    kind: str
    subject: UUID | None
    code: str
    content: dict[str, Any]
    revision: int
    created_by: UUID
    created_at: datetime
    updated_by: UUID
    updated_at: datetime
    change_id: UUID | None


def _draft(content: str, **columns: Any) -> Draft:
    """Django's connection reads no JSON by itself, a bare one would: the column is text."""
    return Draft(content=json.loads(content), **columns)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be saved; `draft` None begins one, `revision` is that of what was looked at (0 for a new one)."""

    kind: str
    tenant: UUID | None
    code: str
    content: Mapping[str, Any]
    subject: UUID | None = None
    draft: UUID | None = None
    revision: int = 0


def save(connection: Connection, session: bytes, edit: Edit) -> tuple[UUID, int]:
    """The draft's id and its new revision; raise Stale or Refused, and nothing is changed."""
    one = edit.draft or uuid7(clock(connection))
    values = (one, edit.tenant, edit.kind, edit.subject, edit.code, json.dumps(edit.content), edit.revision, session)
    try:
        with refusals(), within(connection, edit.tenant):
            row = connection.execute(_SAVE, values).fetchone()
    except Refused:
        there = find(connection, edit.tenant, one) if edit.draft else None
        if there is not None and there.revision != edit.revision:
            raise Stale(there) from None
        raise
    assert row is not None
    return one, int(row[0])


def discard(connection: Connection, session: bytes, draft: Draft) -> None:
    with refusals(), within(connection, draft.tenant_id):
        connection.execute("SELECT troth.draft_drop_v1(%s, %s, %s)", (draft.id, draft.revision, session))


def find(connection: Connection, tenant: UUID | None, draft: UUID) -> Draft | None:
    """Missing and another client's read the same: None."""
    query = f"{_DRAFT} WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s"
    with refusals(), within(connection, tenant), connection.cursor(row_factory=kwargs_row(_draft)) as cursor:
        return cursor.execute(query, (draft, tenant)).fetchone()


def listed(connection: Connection, tenant: UUID | None, kind: str) -> list[Draft]:
    """The newest MOST of a kind."""
    query = f"{_DRAFT} WHERE kind = %s AND tenant_id IS NOT DISTINCT FROM %s ORDER BY updated_at DESC LIMIT {MOST}"
    with refusals(), within(connection, tenant), connection.cursor(row_factory=kwargs_row(_draft)) as cursor:
        return cursor.execute(query, (kind, tenant)).fetchall()
