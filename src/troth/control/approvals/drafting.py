"""Four eyes, the page of drafts: what somebody works on, of every kind that this person may propose; and discarding."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from troth.control.approvals import drafts, names
from troth.control.approvals.reading import looking
from troth.control.approvals.wording import KINDS, kind
from troth.control.audit.asking import rows
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of, raw
from troth.control.people.guard import needs
from troth.control.people.permissions import actions, allowed

MOST = 200
_LIST = """
SELECT d.id, d.kind, d.subject, d.code, d.revision, d.updated_at, d.updated_by, c.id
FROM troth.draft d LEFT JOIN troth.change c ON c.id = d.change_id AND c.state = 1 AND c.expires_at > troth.now_v1()
WHERE d.tenant_id IS NOT DISTINCT FROM %s AND d.kind = ANY(%s) ORDER BY d.updated_at DESC LIMIT %s
"""
# where each kind is written; what is not here is written elsewhere, and only discarded from this page
_EDITORS = {"template": "/templates/drafts/{id}", "category": "/categories/drafts/{id}"}


@dataclass(frozen=True, slots=True)
class Drafted:
    """`change`: as it is proposed now, if it is; `href`: its editor."""

    id: UUID
    what: str
    code: str
    revision: int
    updated_at: datetime
    by: str
    change: UUID | None
    href: str


def kinds(actor: Actor) -> list[str]:
    """What this person may propose where they look now."""
    return [name for name in KINDS if f"{name}:propose" in actions() and allowed(actor, f"{name}:propose")]


@needs("draft:write")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /drafts"""
    actor = actor_of(request)
    found = rows(_LIST, actor.scope, kinds(actor), MOST)
    who = names.of_accounts(by for *_, by, _ in found)
    shown = [
        Drafted(one, kind(what), code, revision, at, who.get(by, names.NOBODY), change, _editor(what, one))
        for one, what, _, code, revision, at, by, change in found
    ]
    return render(request, "approvals/drafts.html", {"section": "changes", "drafts": shown, "most": MOST})


def _editor(what: str, draft: UUID) -> str:
    return _EDITORS.get(what, "").format(id=draft)


@needs("draft:write")
@require_POST
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """POST /drafts/<draft>/discard: the draft goes, and what was proposed of it is withdrawn."""
    actor = actor_of(request)
    with looking(actor, actor.scope):
        found = drafts.find(raw(), actor.scope, draft)
    if found is None or found.kind not in kinds(actor):
        raise Http404
    try:
        with looking(actor, actor.scope):
            drafts.discard(raw(), actor.secret, found)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"The draft “{found.code}” is gone; what is in force stays as it is.", "withdrawn")
    return HttpResponseRedirect("/drafts")
