"""Policies, for people: what is in force; a level worked on in a draft; the draft looked at and proposed; plans."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.approvals import changes, drafts
from troth.control.approvals.changes import Proposal
from troth.control.approvals.drafts import Draft, Edit, Stale
from troth.control.approvals.standing import conflicts
from troth.control.audit.refusals import Invalid, Refused
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.policies import form, levels
from troth.control.policies.form import Sentence, Typed
from troth.control.policies.targets import Target, target
from troth.control.simulator import asking as simulations
from troth.control.simulator import views as simulator
from troth.control.simulator.candidate import Candidate
from troth.control.tenants.clients import clients, programmes
from troth.rules import policy_words as words
from troth.rules.policy import value_of

_SECTION = {"section": "policies"}
_LONGEST = 2000  # characters of a reason


@needs("policy:read")
@require_safe
def shown(request: HttpRequest, says: Sentence) -> HttpResponse:
    """GET /policies: a client's, level by level; without a client the promises, the operator's own, and plans."""
    actor = actor_of(request)
    if actor.scope is None:
        return _house(request)
    here = levels.here_of(actor.scope)
    found = levels.levels(here)
    context = {
        "levels": found,
        "groups": [
            (each.title, _lines(each.lines, here.profile or "", says)) for each in levels.groups(here, found)
        ],
        "waiting": levels.waiting(actor.scope),
        "draft": _draft(actor, "tenant"),
        "stopped": [each.title for each in found if each.stopped],
    }  # fmt: skip
    return render(request, "policies/client.html", {**_SECTION, **context})


def _lines(
    lines: tuple[levels.Line, ...], profile: str, says: Sentence
) -> list[tuple[levels.Line, list[tuple[str, str]]]]:
    """Each with the claims behind it; a claim's sentence stands once in a group."""
    told: set[str] = set()
    found = []
    for line in lines:
        claims = [(claim, said) for claim in line.claims if (said := says(claim, profile))]
        found.append((line, [(claim, "" if claim in told else said) for claim, said in claims]))
        told |= {claim for claim, _ in claims}
    return found


def _house(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    found = programmes(raw())
    promises = []
    for each in found:
        here = levels.here_of(None, each.id)
        promises.append((each, levels.levels(here)[0]))
    operator = levels.levels(levels.here_of(None))[1]
    scoped(None)
    context = {
        "promises": promises,
        "operator": operator,
        "rules": [(path, after) for _, _, after, path in words.changes(None, operator.document or {})],
        "plans": _plans(),
        "waiting": levels.waiting(None),
        "draft": _draft(actor, "operator"),
    }
    return render(request, "policies/house.html", {**_SECTION, **context})


def _plans() -> list[dict[str, Any]]:
    """Clients whose profile has plans, each with its own."""
    profiles = {each.id: each.profile for each in programmes(raw())}
    found = []
    for client in clients(raw()):
        tiers = levels.tiers(profiles.get(UUID(client.artefact["programme"]), ""))
        if tiers and client.artefact["kind"] == 1:
            found.append(
                {"client": client, "plan": client.artefact["plan"], "says": tiers.get(client.artefact["plan"], "")}
            )
    scoped(None)
    return found


@needs("policy:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str, says: Sentence) -> HttpResponse:
    """GET and POST /policies/<level>/edit: the form in words; saved as a draft, then looked at."""
    actor = actor_of(request)
    wanted = target(actor, slug)
    draft = _draft(actor, wanted.code)
    if request.method != "POST":
        typed = _typed(draft) if draft else form.typed_of(wanted, wanted.own)
        return _form(request, wanted, says, {"typed": typed, "draft": draft})
    typed = form.read(dict(request.POST.lists()))
    made, faults = form.document(wanted, typed)
    faults |= dict(form.loosened(wanted, made, says))
    if faults:
        return _form(request, wanted, says, {"typed": typed, "draft": draft, "faults": faults})
    try:
        _save(actor, wanted, typed, request.POST.get("revision", ""), draft)
    except Stale as stale:
        both = _differences(wanted, _typed(stale.theirs), typed)
        faults = {"": stale.sentence}
        context = {"typed": typed, "draft": stale.theirs, "faults": faults, "both": both}
        return _form(request, wanted, says, context, HTTPStatus.CONFLICT)
    except Refused as refused:
        return _form(request, wanted, says, {"typed": typed, "draft": draft, "faults": {"": refused.sentence}})
    return HttpResponseRedirect(f"/policies/{slug}/review")


def _form(request: HttpRequest, wanted: Target, says: Sentence, context: dict[str, Any],
          status: int | None = None) -> HttpResponse:  # fmt: skip
    faults = context.get("faults") or {}
    typed = context["typed"]
    context |= {
        "target": wanted,
        "parts": form.parts(wanted, typed, says),
        "typed": {form.name_of(path): value for path, value in typed.items()},
        "faults": faults,
        "labels": {form.name_of(path): lead for path, (lead, _) in words.LEADS.items()},
    }
    fine = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "policies/edit.html", {**_SECTION, **context}, status=status or fine)


def _save(actor: Actor, wanted: Target, typed: Typed, revision: str, draft: Draft | None) -> None:
    looked = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0
    subject = changes.subject_of(raw(), "policy", wanted.code, wanted.tenant)
    content = {"typed": typed}
    edited = Edit("policy", wanted.tenant, wanted.code, content, subject, draft.id if draft else None, looked)
    try:
        drafts.save(raw(), actor.secret, edited)
    finally:
        scoped(actor.scope)


def _draft(actor: Actor, code: str) -> Draft | None:
    """The level's one draft, which everybody who may propose works on."""
    found = drafts.listed(raw(), actor.scope, "policy")
    scoped(actor.scope)
    return next((each for each in found if each.code == code), None)


def _typed(draft: Draft) -> Typed:
    kept = draft.content.get("typed")
    return kept if isinstance(kept, dict) else {}


def _differences(wanted: Target, theirs: Typed, ours: Typed) -> list[tuple[str, str, str]]:
    one, other = form.document(wanted, theirs)[0], form.document(wanted, ours)[0]
    return [(group, before, after) for group, before, after, _ in words.changes(one, other)]


@needs("policy:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, slug: str, says: Sentence) -> HttpResponse:
    """GET /policies/<level>/review: what the draft changes, in words. POST: propose it, with a reason; or discard."""
    actor = actor_of(request)
    wanted = target(actor, slug)
    draft = _draft(actor, wanted.code)
    if draft is None:
        return HttpResponseRedirect(f"/policies/{slug}/edit")
    if request.method == "POST" and request.POST.get("act") == "discard":
        return _discard(request, actor, draft)
    typed = _typed(draft)
    made, faults = form.document(wanted, typed)
    faults |= dict(form.loosened(wanted, made, says))
    if faults:  # what stands above has moved since the draft was saved
        return _form(request, wanted, says, {"typed": typed, "draft": draft, "faults": faults})
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST]
    told = words.changes(wanted.before, made)
    table = [
        (group, before or _above(wanted, path), after or _above(wanted, path)) for group, before, after, path in told
    ]
    given: dict[str, Any] = {"target": wanted, "draft": draft, "rows": told, "table": table}
    given["typed"] = {"reason": reason}
    given["simulated"] = _simulated(wanted, made) if told else None
    if request.method == "POST":
        problem = _propose(actor, wanted, draft, made, reason) if told else "This draft changes nothing yet."
        if isinstance(problem, changes.Proposed):
            messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
            return HttpResponseRedirect(f"/changes/{problem.id}")
        given["faults"] = {"reason" if not reason else "": problem}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if "faults" in given else HTTPStatus.OK
    return render(request, "policies/review.html", {**_SECTION, **given, **_below(wanted, made)}, status=status)


@needs(post="policy:propose")
@require_POST
def simulate(request: HttpRequest, slug: str, says: Sentence) -> HttpResponse:
    """POST /policies/<level>/simulate: try the draft on the mail of the last days, before it is proposed."""
    actor = actor_of(request)
    wanted = target(actor, slug)
    draft = _draft(actor, wanted.code)
    if draft is None:
        return HttpResponseRedirect(f"/policies/{slug}/edit")
    made, faults = form.document(wanted, _typed(draft))
    if faults | dict(form.loosened(wanted, made, says)):
        return HttpResponseRedirect(f"/policies/{slug}/review")  # which shows what is wrong with it
    return simulator.begin(request, actor, _candidate(wanted, made), made, wanted.code, f"/policies/{slug}/review")


def _simulated(wanted: Target, made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The last simulation of exactly this draft, if there was one."""
    found = simulations.newest_of(made, [_candidate(wanted, made).level])
    return {"one": found, **(simulator.told(found) if found else {})}


def _candidate(wanted: Target, made: dict[str, dict[str, Any]]) -> Candidate:
    if wanted.tenant is not None:
        return Candidate("tenant", made, wanted.tenant)
    return Candidate("promise", made, programme=wanted.here.programme) if wanted.whole else Candidate("operator", made)


def _above(wanted: Target, path: str) -> str:
    """What holds where this level says nothing of its own."""
    return f"{words.sentence(path, value_of(wanted.bound, path), wanted.bound.anomaly.action)}, as it stands above"


def _below(wanted: Target, made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What stands below this level and contradicts it: to be tightened first."""
    if wanted.tenant is None:
        return {}
    return {"contradictions": [each.hint for each in conflicts(replace(wanted.here, policy=made))]}


def _propose(actor: Actor, wanted: Target, draft: Draft, made: dict[str, dict[str, Any]],
             reason: str) -> changes.Proposed | str:  # fmt: skip
    if not reason:
        return "Say why, for the person who approves."
    proposal = Proposal("policy", wanted.code, made, reason, wanted.tenant, draft.subject, draft.id)
    try:
        return changes.propose(raw(), actor.secret, proposal)
    except Invalid as invalid:
        return " ".join(each.hint for each in invalid.problems)
    except Refused as refused:
        return refused.sentence
    finally:
        scoped(actor.scope)


def _discard(request: HttpRequest, actor: Actor, draft: Draft) -> HttpResponse:
    try:
        drafts.discard(raw(), actor.secret, draft)
        messages.success(request, "The draft is discarded.", "withdrawn")
    except Refused as refused:
        messages.error(request, refused.sentence)
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect("/policies")


@needs("tenant:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """GET and POST /policies/plans/<client>: another plan for a client, proposed to a second person."""
    actor = actor_of(request)
    wanted = levels.plan_of(tenant)
    chosen, reason = (
        request.POST.get("plan", wanted.plan),
        request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST],
    )
    choices = [(name, name.capitalize(), said) for name, said in wanted.tiers]
    typed = {"plan": chosen, "reason": reason}
    context: dict[str, Any] = {"client": wanted, "choices": choices, "typed": typed, "faults": {}}
    if request.method == "POST":
        made = _propose_plan(actor, wanted, chosen, reason)
        if isinstance(made, changes.Proposed):
            messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
            return HttpResponseRedirect(f"/changes/{made.id}")
        context["faults"] = made
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context["faults"] else HTTPStatus.OK
    return render(request, "policies/plan.html", {**_SECTION, **context}, status=status)


def _propose_plan(actor: Actor, wanted: "levels.Plan", chosen: str, reason: str) -> changes.Proposed | dict[str, str]:
    faults = {}
    if chosen not in dict(wanted.tiers):
        faults["plan"] = f"The plans here are {words.listed([name for name, _ in wanted.tiers])}: choose one."
    elif chosen == wanted.plan:
        faults["plan"] = "This is the plan that the client has: choose another."
    if not reason:
        faults["reason"] = "Say why, for the person who approves."
    if faults:
        return faults
    artefact = {**wanted.artefact, "plan": chosen}
    try:
        return changes.propose(raw(), actor.secret, Proposal("tenant", wanted.code, artefact, reason, None, wanted.id))
    except Refused as refused:
        return {"": refused.sentence}
    finally:
        scoped(actor.scope)
