"""People with access, a review's evidence as a file: every item, its decisions, and where the ledger tells of each."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from troth.control.access import exporting, proving, reviewing
from troth.control.access.proving import Checkpoint, Proofs
from troth.control.access.reviewing import Item, Review
from troth.control.audit.accesses import looked
from troth.control.audit.asking import rows
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed

_HEADER = (
    "kind",
    "id",
    "name",
    "role",
    "since",
    "last_used",
    "outcome",
    "note",
    "decided_by",
    "decided_at",
    "ledger_entry",
)
_BATCH = 200
_ENTRIES = "SELECT item, index FROM troth.review_entries_v1(%s, %s)"


@needs("review:read")
@require_safe
def export(request: HttpRequest, review: UUID, form: str, proofs: Proofs) -> StreamingHttpResponse:
    """GET /reviews/<review>/export.csv, .json: JSON has each ledger entry whole, with its proof."""
    actor = actor_of(request)
    if form not in exporting.FORMATS or not allowed(actor, "review:read"):
        raise Http404
    found = reviewing.access_review(actor, review)
    looked("access:review:export", actor.scope, actor.account_id, review=found.id, format=form)
    at = proving.checkpoint(proofs) if form == "json" else None
    about = {**_about(found), "checkpoint": at.note if at else None, "verifier_key": at.vkey if at else None}
    pages = exporting.batches(actor, _pages(found, proofs if form == "json" else None, at))
    return exporting.answer(f"access-review-{found.opened_at:%Y-%m-%d}", form, _HEADER, pages, **about)


def _about(review: Review) -> dict[str, Any]:
    return {"review": review.id, "tenant": review.tenant, "opened_at": review.opened_at.isoformat(),
            "due_at": review.due_at.isoformat(), "closed_at": str(review.closed_at or ""),
            "items": review.items, "decided": review.decided, "ended": review.ended}  # fmt: skip


def _pages(review: Review, proofs: Proofs | None, at: Checkpoint | None) -> Iterator[list[dict[str, Any]]]:
    place = reviewing.FIRST
    while found := reviewing.items(review.id, _BATCH, place):
        place = (found[-1].kind, found[-1].subject)
        entries = dict(rows(_ENTRIES, review.id, [each.subject for each in found]))
        told = {}
        if proofs is not None:
            told = {one["index"]: one for one in proving.proved(proofs, at, list(entries.values()))}
        yield [_row(each, entries.get(each.subject), told) for each in found]


def _row(item: Item, index: int | None, told: dict[int, dict[str, Any]]) -> dict[str, Any]:
    decided_by = item.by or ("the date" if item.outcome else None)
    found = {
        "kind": item.kind,
        "id": str(item.subject),
        "name": item.name,
        "role": item.role,
        "since": item.since.isoformat(),
        "last_used": item.last_used_at.isoformat() if item.last_used_at else None,
        "outcome": item.outcome or "open",
        "note": item.note,
        "decided_by": decided_by,
        "decided_at": item.at.isoformat() if item.at else None,
        "ledger_entry": index,
    }
    return found | ({"proof": told[index]} if index in told else {})
