"""Templates, written: the editor. A draft is saved, looked at, proposed with a reason or thrown away.

Whoever saves over somebody else's words is shown both.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.approvals import changes, drafts
from troth.control.approvals.changes import Proposal
from troth.control.approvals.drafts import Draft, Edit, Stale
from troth.control.audit.refusals import Invalid, Refused
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.templates import editing, reading
from troth.control.templates.editing import Typed
from troth.control.templates.looking import WAYS, looked_at
from troth.rules.policy import PATHWAYS

_SECTION = {"section": "templates", "labels": editing.LABELS, "kinds": editing.KINDS}
_FIELDS = ("category", "subject", "preheader", "kind", "source", "text", "schema", "samples", "layout")


@needs("template:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /templates/new"""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", {"section": "templates", "what": "Templates"})
    if request.method != "POST":
        layout = reading.layout(actor.scope)
        return _editor(request, {"typed": editing.fresh(layout[0] if layout else ""), "draft": None})
    return _saved(request, actor, None)


@needs("template:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, draft: UUID) -> HttpResponse:
    """GET and POST /templates/drafts/<draft>"""
    actor = actor_of(request)
    found = access_draft(actor, draft)
    if request.method == "POST":
        return _saved(request, actor, found)
    return _editor(request, {"typed": typed_of(found), "draft": found})


@needs("template:propose")
@require_POST
def restore(request: HttpRequest, subject: UUID, number: int) -> HttpResponse:
    """POST /templates/<subject>/versions/<number>/draft: a new draft that says what this version says."""
    actor = actor_of(request)
    template = reading.access_template(actor, subject)
    version = reading.access_version(actor, subject, number)
    typed = editing.of_version(template.code, version.artefact)
    edit = Edit("template", actor.scope, template.code, {"typed": typed, "from": number}, subject)
    made, _ = _save(actor, edit)
    return HttpResponseRedirect(f"/templates/drafts/{made}")


@needs("template:propose")
@require_POST
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """POST /templates/drafts/<draft>/discard"""
    actor = actor_of(request)
    found = access_draft(actor, draft)
    try:
        drafts.discard(raw(), actor.secret, found)
        messages.success(request, "The draft is thrown away; what is in force stays as it is.", "withdrawn")
    except Refused as refused:
        messages.error(request, refused.sentence)
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect("/templates")


@needs("template:propose")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /templates/drafts"""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", {"section": "templates", "what": "Templates"})
    return render(request, "templates/drafts.html", {**_SECTION, "drafts": reading.drafts(actor.scope)})


def access_draft(actor: Actor, draft: UUID) -> Draft:
    """Raise Http404 for what is not there, is another client's, or is no template's."""
    found = drafts.find(raw(), actor.scope, draft) if actor.scope else None
    scoped(actor.scope)
    if found is None or found.kind != "template":
        raise Http404
    return found


def typed_of(found: Draft) -> Typed:
    kept = found.content.get("typed")
    return {**editing.fresh(), **(kept if isinstance(kept, dict) else {})}


def _saved(request: HttpRequest, actor: Actor, found: Draft | None) -> HttpResponse:
    typed = editing.typed_in(request.POST)
    if found and found.subject:
        typed["code"] = found.code
    context: dict[str, Any] = {
        "typed": typed,
        "draft": found,
        "reason": request.POST.get("reason", "").replace("\0", "")[:2000],
    }
    try:
        made, revision = _save(actor, _edit(actor, found, typed, request.POST.get("revision", "")))
    except Stale as stale:
        context |= {"draft": stale.theirs, "both": _both(typed_of(stale.theirs), typed)}
        return _editor(request, {**context, "faults": {"": stale.sentence}}, HTTPStatus.CONFLICT)
    except Refused as refused:
        return _editor(request, {**context, "faults": {"": refused.sentence}})
    if request.POST.get("do") != "propose":
        messages.success(request, f"Saved as revision {revision}. Nothing is sent from a draft.", "none")
        return HttpResponseRedirect(f"/templates/drafts/{made}")
    return _proposed(request, actor, made, context)


def _edit(actor: Actor, found: Draft | None, typed: Typed, revision: str) -> Edit:
    looked = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0
    code = typed["code"] or "template"
    content = {**(found.content if found else {}), "typed": typed}
    return Edit("template", actor.scope, code, content, found.subject if found else None, found.id if found else None,
                looked)  # fmt: skip


def _save(actor: Actor, edit: Edit) -> tuple[UUID, int]:
    try:
        return drafts.save(raw(), actor.secret, edit)
    finally:
        scoped(actor.scope)


def _both(theirs: Typed, ours: Typed) -> list[tuple[str, str, str]]:
    """The fields in which two people differ: name, theirs, ours."""
    return [(editing.LABELS[name], theirs[name], ours[name]) for name in _FIELDS if theirs[name] != ours[name]]


def _proposed(request: HttpRequest, actor: Actor, made: UUID, context: dict[str, Any]) -> HttpResponse:
    typed, saved = context["typed"], access_draft(actor, made)
    found = editing.read(typed)
    context["draft"], faults = saved, found.faults
    if not typed["code"]:
        faults["code"] = "Give it a code, such as rent-reminder: programs send it by that."
    if not context["reason"].strip():
        faults["reason"] = "Say why, for the person who approves."
    if not faults and found.artefact is not None:
        proposal = Proposal(
            "template", typed["code"], found.artefact, context["reason"], actor.scope, saved.subject, made
        )
        try:
            done = changes.propose(raw(), actor.secret, proposal)
        except Invalid as invalid:
            faults = editing.faults_of(invalid.problems)
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, "Proposed: it is sent when a second person has approved it.", "proposed")
            return HttpResponseRedirect(f"/changes/{done.id}")
        finally:
            scoped(actor.scope)
    return _editor(request, {**context, "faults": faults})


def _other_layout(actor: Actor, own: str) -> str:
    """Which version has the client's layout, where this draft has another one."""
    found = reading.layout(actor.scope) if actor.scope else None
    return f"{found[1]}@{found[2]}" if found and found[0] != own else ""


def _editor(request: HttpRequest, context: dict[str, Any], status: int | None = None) -> HttpResponse:
    actor = actor_of(request)
    typed, found = context["typed"], context["draft"]
    faults = context.get("faults") or {}
    subject = found.subject if found else None
    template = reading.access_template(actor, subject) if subject and reading.exists(actor, subject) else None
    context |= {
        "template": template,
        "category_choices": [("", "Choose one"), *reading.categories(actor)],
        "ways": WAYS,
        "other_layout": _other_layout(actor, typed["layout"]),
        "discard": f"/templates/drafts/{found.id}/discard" if found else "",
        "pathways": [(each, each.replace("-", " ").capitalize()) for each in PATHWAYS],
        "look": looked_at(actor, typed) if request.method == "POST" else None,
        "typed": {**typed, "reason": context.get("reason", ""), "as": request.POST.get("as", "desktop")},
        "faults": faults,
    }
    fine = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "templates/edit.html", {**_SECTION, **context}, status=status or fine)
