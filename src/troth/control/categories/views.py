"""Categories, for people: the list, one of them, the form in which the next version is written and proposed."""

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
from troth.control.approvals.standing import resolved, standing
from troth.control.audit.refusals import Invalid, Refused
from troth.control.categories import form, reading
from troth.control.categories.form import Typed
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "categories", "what": "Categories", "labels": form.LABELS}
_LONGEST = 2_000  # characters of a reason


@needs("category:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /categories?q="""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _SECTION)
    part = request.GET.get("q", "").replace("\0", "")[:63]
    context = {
        "categories": [(each, form.of_artefact(each.code, each.artefact)) for each in
                       reading.categories(actor.scope, part)],
        "q": part,
        "waiting": reading.waiting(actor.scope),
        "drafts": reading.drafts(actor.scope),
    }  # fmt: skip
    return render(request, "categories/list.html", {**_SECTION, **context})


@needs("category:read")
@require_safe
def detail(request: HttpRequest, subject: UUID) -> HttpResponse:
    """GET /categories/<subject>"""
    actor = actor_of(request)
    category = reading.access_category(actor, subject)
    classes = {value: label for value, label, _ in form.CLASSES}
    context = {
        "category": category,
        "said": form.of_artefact(category.code, category.artefact),
        "legal_class": classes.get(category.artefact["legal_class"], ""),
        "basis": dict(form.BASES).get(category.artefact.get("lawful_basis", ""), ""),
        "above": _above(actor),
        "templates": reading.templates(actor.scope, category.code),
        "versions": reading.versions(actor, subject),
        "waiting": reading.waiting(actor.scope, subject),
        "drafts": reading.drafts(actor.scope, subject),
        "retire_to": f"/categories/{subject}/retire",
    }
    return render(request, "categories/one.html", {**_SECTION, **context})


@needs("category:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /categories/new"""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _SECTION)
    if request.method != "POST":
        return _form(request, {"typed": form.fresh(), "draft": None})
    return _saved(request, actor, None, None)


@needs("category:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, subject: UUID) -> HttpResponse:
    """GET and POST /categories/<subject>/edit: the next version; its draft begins when it is saved."""
    actor = actor_of(request)
    category = reading.access_category(actor, subject)
    if request.method == "POST":
        return _saved(request, actor, None, category)
    there = next(iter(reading.drafts(actor.scope, subject)), None)
    if there is not None:
        return HttpResponseRedirect(f"/categories/drafts/{there.id}")
    return _form(request, {"typed": form.of_artefact(category.code, category.artefact), "category": category})


@needs("category:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, draft: UUID) -> HttpResponse:
    """GET and POST /categories/drafts/<draft>"""
    actor = actor_of(request)
    found = access_draft(actor, draft)
    category = reading.in_force(actor, found.subject)
    if request.method == "POST":
        return _saved(request, actor, found, category)
    return _form(request, {"typed": typed_of(found), "draft": found, "category": category})


@needs("category:propose")
@require_POST
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """POST /categories/drafts/<draft>/discard"""
    actor = actor_of(request)
    found = access_draft(actor, draft)
    try:
        drafts.discard(raw(), actor.secret, found)
        messages.success(request, "The draft is thrown away; what is in force stays as it is.", "withdrawn")
    except Refused as refused:
        messages.error(request, refused.sentence)
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect("/categories")


@needs("category:propose")
@require_POST
def retire(request: HttpRequest, subject: UUID) -> HttpResponse:
    """POST /categories/<subject>/retire: proposed to a second person."""
    actor = actor_of(request)
    category = reading.access_category(actor, subject)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST]
    made = _propose(actor, Proposal("category", category.code, {**category.artefact, "retired": True}, reason,
                                    actor.scope, subject))  # fmt: skip
    if isinstance(made, dict):
        messages.error(request, " ".join(made.values()))
        return HttpResponseRedirect(f"/categories/{subject}")
    messages.success(request, "Proposed: it is retired when a second person has approved that.", "proposed")
    return HttpResponseRedirect(f"/changes/{made}")


def access_draft(actor: Actor, draft: UUID) -> Draft:
    """Raise Http404 for what is not there, is another client's, or is no category's."""
    found = drafts.find(raw(), actor.scope, draft) if actor.scope else None
    scoped(actor.scope)
    if found is None or found.kind != "category":
        raise Http404
    return found


def typed_of(found: Draft) -> Typed:
    kept = found.content.get("typed")
    return {**form.fresh(), **(kept if isinstance(kept, dict) else {})}


def _saved(request: HttpRequest, actor: Actor, found: Draft | None, category: reading.Category | None) -> HttpResponse:
    typed = form.typed_in(request.POST)
    if category or (found and found.subject):
        typed["code"] = category.code if category else found.code if found else ""
    context: dict[str, Any] = {"typed": typed, "draft": found, "category": category}
    try:
        made, revision = _save(actor, found, category, typed, request.POST.get("revision", ""))
    except Stale as stale:
        context |= {"draft": stale.theirs, "both": _both(typed_of(stale.theirs), typed)}
        return _form(request, {**context, "faults": {"": stale.sentence}}, HTTPStatus.CONFLICT)
    except Refused as refused:
        return _form(request, {**context, "faults": {"": refused.sentence}})
    if request.POST.get("do") != "propose":
        messages.success(request, f"Saved as revision {revision}. Nothing changes until it is approved.", "none")
        return HttpResponseRedirect(f"/categories/drafts/{made}")
    context["draft"] = access_draft(actor, made)
    return _proposed(request, actor, context)


def _save(actor: Actor, found: Draft | None, category: reading.Category | None, typed: Typed,
          revision: str) -> tuple[UUID, int]:  # fmt: skip
    looked = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0
    subject = found.subject if found else category.subject if category else None
    kept = {name: value for name, value in typed.items() if name != "reason"}
    edited = Edit("category", actor.scope, typed["code"] or "category", {"typed": kept}, subject,
                  found.id if found else None, looked)  # fmt: skip
    try:
        return drafts.save(raw(), actor.secret, edited)
    finally:
        scoped(actor.scope)


def _both(theirs: Typed, ours: Typed) -> list[tuple[str, str, str]]:
    names = [name for name in form.LABELS if name != "reason" and theirs[name] != ours[name]]
    return [(form.LABELS[name], _shown(theirs[name]), _shown(ours[name])) for name in names]


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _proposed(request: HttpRequest, actor: Actor, context: dict[str, Any]) -> HttpResponse:
    typed, saved, category = context["typed"], context["draft"], context["category"]
    found = form.read(typed, category.artefact if category else None)
    if not typed["reason"]:
        found.faults["reason"] = "Say why, for the person who approves."
    if not found.faults:
        proposal = Proposal(
            "category", typed["code"], found.artefact, typed["reason"], actor.scope, saved.subject, saved.id
        )
        made = _propose(actor, proposal)
        if isinstance(made, UUID):
            messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
            return HttpResponseRedirect(f"/changes/{made}")
        found.faults = made
    return _form(request, {**context, "faults": found.faults})


def _propose(actor: Actor, proposal: Proposal) -> UUID | dict[str, str]:
    """The change's id, or what is wrong by field."""
    try:
        return changes.propose(raw(), actor.secret, proposal).id
    except Invalid as invalid:
        return form.faults_of(invalid.problems)
    except Refused as refused:
        return {"": refused.sentence}
    finally:
        scoped(actor.scope)


def _above(actor: Actor) -> dict[str, str]:
    """What holds above a category, in words."""
    here = standing(raw(), actor.scope)
    scoped(actor.scope)
    return form.hints(resolved(here))


def _form(request: HttpRequest, context: dict[str, Any], status: int | None = None) -> HttpResponse:
    faults = context.get("faults") or {}
    given = {"hints": _above(actor_of(request)), "classes": form.CLASSES, "bases": [("", "Choose one"), *form.BASES],
             "ways": form.WAYS, **context, "faults": faults}  # fmt: skip
    fine = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "categories/edit.html", {**_SECTION, **given}, status=status or fine)
