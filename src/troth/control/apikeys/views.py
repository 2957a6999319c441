"""API keys, for people: the list; one key; making, rotating and changing it under four eyes; ending it at once."""

import re
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.apikeys import form, reading
from troth.control.apikeys.form import Bounds, Scope
from troth.control.apikeys.reading import Key
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal, Proposed
from troth.control.approvals.standing import Standing, standing
from troth.control.audit.refusals import Invalid, Refused
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.keys.api_keys import ApiKey, make_key

_SECTION: dict[str, Any] = {"section": "keys", "what": "API keys"}
_LONGEST = 2000  # characters of a reason
_NO_POLICY = "No policy is in force for this client, so no key can be made: the operator approves the promise first."


@needs("api-key:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /keys"""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _SECTION)
    here = _here(actor)
    context = {"keys": reading.keys(actor), "waiting": reading.waiting(actor), "bounds": form.bounds(here)}
    return render(request, "apikeys/list.html", {**_SECTION, **context})


@needs("api-key:read")
@require_safe
def detail(request: HttpRequest, subject: UUID) -> HttpResponse:
    """GET /keys/<key>"""
    return _detail(request, actor_of(request), subject, {})


def _detail(request: HttpRequest, actor: Actor, subject: UUID, more: dict[str, Any]) -> HttpResponse:
    key = reading.access_key(actor, subject)
    context = {
        "key": key,
        "secrets": reading.secrets(actor, key),
        "versions": reading.versions(actor, key),
        "waiting": [each for each in reading.waiting(actor) if each["subject"] == subject],
        "bounds": form.bounds(_here(actor)),
        "revoke_at": f"/keys/{subject}/revoke",
        **more,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if more.get("faults") else HTTPStatus.OK
    return render(request, "apikeys/one.html", {**_SECTION, **context}, status=status)


@needs("api-key:propose", fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /keys/new: a key, shown this once, that works when a second person has approved it."""
    actor = actor_of(request)
    here = _here(actor)
    given = form.bounds(here)
    if given is None:
        return render(request, "apikeys/none.html", {**_SECTION, "why": _NO_POLICY}, status=HTTPStatus.CONFLICT)
    if request.method != "POST":
        return _form(request, here, given, {"typed": form.empty(given)})
    typed = form.read(dict(request.POST.lists()))
    scope, faults = form.scope(typed, given)
    if not faults:
        made = make_key(reading.cell())
        artefact = scope.artefact(made.prefix, made.hash.hex(), form.ends(changes.clock(raw()), scope.days))
        answer = _propose(actor, f"{_slug(scope.name)}-{made.hash.hex()[:8]}", artefact, scope.reason)
        if isinstance(answer, Proposed):
            return _shown(request, made, answer, scope.name, rotated=None)
        faults = answer
    return _form(request, here, given, {"typed": typed, "faults": faults})


@needs("api-key:propose", fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, subject: UUID) -> HttpResponse:
    """GET and POST /keys/<key>/rotate: a new secret for the same scope; the old one works on for the policy's hours."""
    actor = actor_of(request)
    key, given = _usable(actor, subject)
    if key is None or given is None:
        return HttpResponseRedirect(f"/keys/{subject}")
    typed = {"days": str(given.days), "reason": ""}
    what = f"A new secret; the old one works on for {given.overlap} h beside it, so that the program can change over."
    context: dict[str, Any] = {"key": key, "typed": typed, "what": what, "days_hint": _days_hint(given)}
    if request.method == "POST":
        typed |= {name: request.POST.get(name, "")[:_LONGEST] for name in typed}
        scope, found = form.scope({**form.of_artefact(key.artefact, key.now), **typed}, given)
        faults: dict[str, str] = {name: found[name] for name in ("days", "reason") if name in found}
        if not faults:
            made = make_key(reading.cell())
            ends = form.ends(key.now, scope.days).isoformat()
            artefact = {**key.artefact, "prefix": made.prefix, "hash": made.hash.hex(), "expires_at": ends}
            answer = _propose(actor, key.code, artefact, scope.reason)
            if isinstance(answer, Proposed):
                return _shown(request, made, answer, key.name, rotated=key)
            faults = answer
        context["faults"] = faults
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context.get("faults") else HTTPStatus.OK
    return render(request, "apikeys/rotate.html", {**_SECTION, **context}, status=status)


@needs("api-key:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, subject: UUID) -> HttpResponse:
    """GET and POST /keys/<key>/edit: another scope for the same secret, which becomes no younger by it."""
    actor = actor_of(request)
    key, given = _usable(actor, subject)
    if key is None or given is None:
        return HttpResponseRedirect(f"/keys/{subject}")
    here = _here(actor)
    if request.method != "POST":
        return _form(request, here, given, {"typed": form.of_artefact(key.artefact, key.now), "key": key})
    typed = {**form.of_artefact(key.artefact, key.now), **form.read(dict(request.POST.lists()))}
    typed["days"] = str(max((key.ends_at - key.now).days, 1))
    scope, faults = form.scope(typed, given)
    if not faults:
        answer = _propose(actor, key.code, _edited(key, scope), scope.reason)
        if isinstance(answer, Proposed):
            messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
            return HttpResponseRedirect(f"/changes/{answer.id}")
        faults = answer
    return _form(request, here, given, {"typed": typed, "faults": faults, "key": key})


def _edited(key: Key, scope: Scope) -> dict[str, Any]:
    """The secret and its end stay; so does what this form does not know."""
    made = scope.artefact(key.prefix, key.artefact["hash"], key.ends_at)
    made["expires_at"] = key.artefact["expires_at"]
    policy = {section: dict(body) for section, body in key.artefact.get("policy", {}).items()}
    policy.get("limits", {}).pop("key_hour", None)
    for section, body in made["policy"].items():
        policy[section] = {**policy.get(section, {}), **body}
    return {**made, "policy": {section: body for section, body in policy.items() if body}}


@needs("version:revoke")
@require_POST
def revoke(request: HttpRequest, subject: UUID) -> HttpResponse:
    """POST /keys/<key>/revoke: one person's act, at once and for good: the key, or a secret that was rotated out."""
    actor = actor_of(request)
    key = reading.access_key(actor, subject)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST]
    asked = request.POST.get("secret", "")
    wanted = next((each.snapshot for each in reading.secrets(actor, key) if str(each.snapshot) == asked), key.snapshot)
    if not reason:
        faults = {"reason": "Say why: it is kept for good in the change log."}
        return _detail(request, actor, subject, {"faults": faults, "typed": {"reason": ""}, "ending": str(wanted)})
    try:
        changes.revoke(raw(), actor.secret, wanted, reason, actor.scope)
    except Refused as refused:
        return _detail(request, actor, subject, {"faults": {"": refused.sentence}, "typed": {"reason": reason}})
    finally:
        scoped(actor.scope)
    what = "The key is ended" if wanted == key.snapshot else "The old secret is ended"
    messages.success(request, f"{what}: the door refuses it from now on.", "stopped")
    return HttpResponseRedirect(f"/keys/{subject}")


def _here(actor: Actor) -> Standing:
    """What is in force, over the request's own connection, which then sees what it saw before."""
    found = standing(raw(), actor.scope)
    scoped(actor.scope)
    return found


def _usable(actor: Actor, subject: UUID) -> tuple[Key | None, Bounds | None]:
    """A key that can be worked on still, and what bounds it."""
    key = reading.access_key(actor, subject)
    return (key if key.state not in ("stopped", "retired") else None), form.bounds(_here(actor))


def _propose(actor: Actor, code: str, artefact: dict[str, Any], reason: str) -> Proposed | dict[str, str]:
    try:
        return changes.propose(raw(), actor.secret, Proposal("api-key", code, artefact, reason, actor.scope))
    except Invalid as invalid:
        return form.told(invalid.problems)
    except Refused as refused:
        return {"": refused.sentence}
    finally:
        scoped(actor.scope)


def _form(request: HttpRequest, here: Standing, given: Bounds, context: dict[str, Any]) -> HttpResponse:
    categories = [(code, str(each.get("name") or code)) for code, each in sorted(here.categories.items())]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context.get("faults") else HTTPStatus.OK
    more = {
        "bounds": given,
        "categories": categories,
        "which": (("some", "Some categories"), ("all", "Every category, those to come too")),
        "modes": (
            ("live", "Live", "What passes every check is sent."),
            ("test", "Test", "Every check is made, and what passes is cancelled instead of sent."),
        ),
        "rate_hint": f"At most {given.rate:,}, as policy has it for every key; empty: as much as that.",
        "days_hint": _days_hint(given),
    }
    return render(request, "apikeys/form.html", {**_SECTION, **more, **context}, status=status)


def _shown(request: HttpRequest, made: ApiKey, answer: Proposed, name: str, rotated: Key | None) -> HttpResponse:
    """The only time that anybody sees it; nothing on the way may keep a copy."""
    context = {"text": made.text, "prefix": made.prefix, "change": answer.id, "name": name, "rotated": rotated}
    page = render(request, "apikeys/shown.html", {**_SECTION, **context})
    page["Cache-Control"] = "no-store"
    return page


def _days_hint(given: Bounds) -> str:
    return f"At most {given.days}, as policy has it: then it must be rotated."


def _slug(name: str) -> str:
    """A code's grammar from a name; the hash behind it makes it the key's own."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:40].strip("-") or "key"
