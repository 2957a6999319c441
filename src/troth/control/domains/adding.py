"""Domains, for people: one is added under four eyes, with a key of its own; and a key is changed for a new one."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal, Proposed
from troth.control.audit.refusals import Invalid, Refused
from troth.control.domains import form, reading, rotating
from troth.control.domains.form import Wished
from troth.control.domains.views import SECTION
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.tenants import sending_domains
from troth.control.tenants.seeking import keys_of


@needs("domain:propose", fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /domains/new: its key is made at once, so that its records can be published while it waits."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", SECTION)
    typed = {name: request.POST.get(name, "").replace("\0", "")[: form.LONGEST] for name in ("name", "reason")}
    faults: dict[str, str] = {}
    if request.method == "POST":
        wished, faults = form.read(typed)
        faults = faults or _there(actor, wished.name)
        answer = faults or _propose(actor, wished)
        if isinstance(answer, Proposed):
            messages.success(request, "Proposed: publish its records while a second person looks at it.", "proposed")
            return HttpResponseRedirect(f"/domains/{answer.subject}")
        faults = answer
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "domains/new.html", {**SECTION, "typed": typed, "faults": faults}, status=status)


def _there(actor: Actor, name: str) -> dict[str, str]:
    """A domain that this client has already, or that waits, is not added twice."""
    assert actor.scope is not None
    if any(each.name == name and not each.retired for each in reading.domains(actor.scope)):
        return {"name": f"{name} is there already: its page says what it needs."}
    if any(each.name == name for each in reading.proposed(actor.scope)):
        return {"name": f"{name} is proposed already and waits for a second person."}
    return {}


def _propose(actor: Actor, wished: Wished) -> Proposed | dict[str, str]:
    """Both or neither: a domain without its key could never send."""
    assert actor.scope is not None
    artefact = {"name": wished.name, "selector": form.SELECTOR}
    proposal = Proposal("domain", wished.name, artefact, wished.reason, actor.scope)
    keyset = keys_of(actor.scope)
    try:
        with transaction.atomic():
            made = changes.propose(raw(), actor.secret, proposal)
            sending_domains.add_key(raw(), keyset, tenant=actor.scope, domain=made.subject, selector=form.SELECTOR)
    except Invalid as invalid:
        return {_field(problem.field): problem.hint for problem in invalid.problems}
    except Refused as refused:
        return {"": refused.sentence}
    finally:
        scoped(actor.scope)
    return made


def _field(name: str) -> str:
    return name if name in ("name", "reason") else ""


@needs("domain:rotate", fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, domain: UUID) -> HttpResponse:
    """GET and POST /domains/<domain>/rotate: a new key, which signs when its record is seen everywhere."""
    actor = actor_of(request)
    found = reading.access_domain(actor, domain)
    context: dict[str, Any] = {**SECTION, "domain": found}
    if request.method == "POST":
        assert actor.scope is not None
        try:
            rotating.begin(raw(), actor.secret, keys_of(actor.scope), actor.scope, found.id)
        except Refused as refused:
            context["faults"] = {"": refused.sentence}
        else:
            messages.success(request, "The new key is made: publish its record, shown below.", "proposed")
            return HttpResponseRedirect(f"/domains/{domain}")
        finally:
            scoped(actor.scope)
    status = HTTPStatus.CONFLICT if context.get("faults") else HTTPStatus.OK
    return render(request, "domains/rotate.html", context, status=status)


@needs("domain:rotate")
@require_POST
def stop(request: HttpRequest, domain: UUID) -> HttpResponse:
    """POST /domains/<domain>/rotate/stop: the key in force stays."""
    actor = actor_of(request)
    found = reading.access_domain(actor, domain)
    assert actor.scope is not None
    try:
        stopped = rotating.stop(raw(), actor.secret, actor.scope, found.id)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        words = "Stopped: the key in force stays." if stopped else "There was nothing to stop."
        messages.success(request, words, "stopped")
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/domains/{domain}")
