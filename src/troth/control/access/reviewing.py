"""People with access, an access review: everybody and every key as they stood when it began, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.access.reading import UNNAMED, names
from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import refusals
from troth.control.audit.scope import within
from troth.control.people.actor import Actor, raw
from troth.keys.ids import uuid7

PAGE = 20
ITEMS = 200  # of one review on a page; the export has all
PERSON, KEY = "person", "key"
# the last decision of an item stands: one that was confirmed may be revoked afterwards
_ITEMS = """
SELECT i.kind, i.subject, i.human_id, i.role, i.since, i.last_used_at, d.outcome, d.note, d.account_id, d.at, k.name
FROM troth.review_item i
LEFT JOIN LATERAL (SELECT * FROM troth.review_decision x
    WHERE (x.review_id, x.kind, x.subject) = (i.review_id, i.kind, i.subject)
    ORDER BY x.at DESC, x.outcome DESC LIMIT 1) AS d ON true
LEFT JOIN troth.api_key k ON k.id = i.subject AND i.kind = 'key'
WHERE i.review_id = %s AND (i.kind, i.subject) {than} (%s, %s) ORDER BY i.kind, i.subject LIMIT %s
"""
FIRST = ("", UUID(int=0))
_REVIEW = """
SELECT r.id, r.tenant_id, r.opened_at, r.opened_by, r.due_at, r.closed_at,
       (SELECT count(*) FROM troth.review_item i WHERE i.review_id = r.id),
       (SELECT count(DISTINCT (d.kind, d.subject)) FROM troth.review_decision d WHERE d.review_id = r.id),
       (SELECT count(DISTINCT (d.kind, d.subject)) FROM troth.review_decision d
        WHERE d.review_id = r.id AND d.outcome IN ('revoked', 'lapsed')),
       (SELECT count(*) FROM troth.review_decision d WHERE d.review_id = r.id AND d.outcome = 'kept')
FROM troth.review r
"""
_LIST = f"""{_REVIEW}
WHERE r.tenant_id IS NOT DISTINCT FROM %s AND (%s::timestamptz IS NULL OR r.opened_at < %s)
ORDER BY r.opened_at DESC LIMIT %s
"""
_ONE = f"{_REVIEW} WHERE r.id = %s AND r.tenant_id IS NOT DISTINCT FROM %s"
_NEXT = """
SELECT greatest((SELECT max(r.opened_at) FROM troth.review r WHERE r.tenant_id IS NOT DISTINCT FROM w.id),
                coalesce((SELECT t.created_at FROM troth.tenant t WHERE t.id = w.id), i.created_at))
       + make_interval(days => coalesce(troth.policy_number(w.id, 'access', 'review_days', false), 92))
FROM (SELECT %s::uuid AS id) AS w, troth.installation i
"""


@dataclass(frozen=True, slots=True)
class Review:
    """`ended`: items whose access it ended; `kept`: a last owner whom nobody confirmed."""

    id: UUID
    tenant: UUID | None
    opened_at: datetime
    opened_by: UUID | None
    due_at: datetime
    closed_at: datetime | None
    items: int
    decided: int
    ended: int
    kept: int

    @property
    def left(self) -> int:
        return self.items - self.decided


@dataclass(frozen=True, slots=True)
class Item:
    """`role`: of a key, what it may send. `outcome` None: to be decided; `by` None: a date decided."""

    kind: str
    subject: UUID
    human: UUID | None
    name: str
    role: str
    since: datetime
    last_used_at: datetime | None
    outcome: str | None
    note: str
    by: str | None
    at: datetime | None


def listed(actor: Actor, before: datetime | None) -> list[Review]:
    """PAGE of them, the newest first, and one more if there are more."""
    return [Review(*each) for each in rows(_LIST, actor.scope, before, before, PAGE + 1)]


def access_review(actor: Actor, review: UUID) -> Review:
    """Raise Http404 for what is not there, and for another client's."""
    found = row(_ONE, review, actor.scope)
    if found is None:
        raise Http404
    return Review(*found)


def items(review: UUID, most: int, after: tuple[str, UUID] = FIRST) -> list[Item]:
    """By kind and id, so that a list is taken up where it ended. Reads as whose the transaction is."""
    return _items(rows(_ITEMS.replace("{than}", ">"), review, *after, most))


def access_item(review: Review, kind: str, subject: UUID) -> Item:
    """Raise Http404 for what is not in it."""
    found = _items(rows(_ITEMS.replace("{than}", "="), review.id, kind, subject, 1))
    if not found:
        raise Http404
    return found[0]


def _items(found: list[tuple[Any, ...]]) -> list[Item]:
    known = names([each[1] for each in found if each[0] == PERSON] + [each[8] for each in found if each[8]])
    return [_item(each, known) for each in found]


def _item(each: tuple[Any, ...], known: dict[UUID, str]) -> Item:
    kind, subject, human, role, since, used, outcome, note, by, at, key_name = each
    name = known.get(subject, UNNAMED) if kind == PERSON else key_name or UNNAMED
    decided_by = known.get(by, UNNAMED) if by else None
    return Item(kind, subject, human, name, role, since, used, outcome, note or "", decided_by, at)


def next_due(actor: Actor) -> datetime:
    """When the next one begins by itself."""
    found = row(_NEXT, actor.scope)
    assert found is not None
    due: datetime = found[0]
    return due


def begin(actor: Actor) -> UUID:
    """One of those who are looked at now; raise Refused while one is open."""
    made = uuid7(actor.session.now)
    with refusals(), within(raw(), actor.scope) as connection:
        connection.execute("SELECT troth.review_open_v1(%s, %s, %s)", (actor.secret, made, actor.scope))
    return made


def decide(actor: Actor, review: Review, chosen: Sequence[tuple[str, UUID]], outcome: str, note: str) -> int:
    """All of them or, with Refused, none; how many."""
    query = "SELECT troth.review_decide_v1(%s, %s, %s, %s, %s, %s)"
    with refusals(), within(raw(), actor.scope) as connection:
        for kind in (PERSON, KEY):
            subjects = [subject for each, subject in chosen if each == kind]
            if subjects:
                connection.execute(query, (actor.secret, review.id, kind, subjects, outcome, note))
    return len(chosen)
