"""Complaints, for people: the feedback loops whose reports are believed; one is added, and ended."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.audit.refusals import Refused
from troth.control.complaints import loops
from troth.control.people.actor import actor_of, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.keys import places

_SECTION: dict[str, Any] = {"section": "feedback-loops", "what": "Feedback loops"}
_LONGEST = 20_000  # characters of a field: a provider's confirmation is pasted whole
_STATES = {
    "new": ("pending", "Nothing came yet"),
    "heard": ("holds", "Reports come"),
    "silent": ("stale", "Silent for long"),
    "ended": ("stopped", "Ended"),
}


@needs("loop:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /feedback-loops"""
    actor = actor_of(request)
    found = [(each, *_STATES[each.state], _who(each)) for each in loops.loops()]
    context = {
        "live": [each for each in found if each[0].ended_at is None],
        "ended": [each for each in found if each[0].ended_at is not None],
        "acts": allowed(actor, "loop:act"), "domain": settings.TROTH_MAIL_DOMAIN or "", "days": loops.WINDOW,
    }  # fmt: skip
    return render(request, "complaints/loops.html", {**_SECTION, **context})


def _who(loop: loops.Loop) -> str:
    if loop.added_name is None:
        return "somebody who left"
    place = places.account(loop.added_by, "name")
    return str(settings.TROTH_KEYS().operator.open(bytes(loop.added_name), place).decode())


@needs("loop:act", fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /feedback-loops/new"""
    actor = actor_of(request)
    typed = {name: request.POST.get(name, "").replace("\0", "")[:_LONGEST] for name in loops.FIELDS}
    faults: dict[str, str] = {}
    if request.method == "POST":
        wished, faults = loops.read(typed)
        if wished is not None:
            try:
                loops.add(actor, wished)
            except Refused as refused:
                faults = {_place(refused.sentence): refused.sentence}
            else:
                messages.success(request, f"{wished.provider}’s reports are believed from now on.", extra_tags="holds")
                return HttpResponseRedirect("/feedback-loops")
            finally:
                scoped(actor.scope)
    elif not typed["silent_days"]:
        typed["silent_days"] = "30"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    context = {"typed": typed, "faults": faults, "domain": settings.TROTH_MAIL_DOMAIN or ""}
    return render(request, "complaints/loop_new.html", {**_SECTION, **context}, status=status)


def _place(sentence: str) -> str:
    """The field that the database's sentence is about."""
    return "enrolled_on" if "day of enrolment" in sentence else "name" if "name" in sentence else ""


@needs("loop:act", fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ended(request: HttpRequest, loop: UUID) -> HttpResponse:
    """GET and POST /feedback-loops/<loop>/end: its consequence in words, then why."""
    actor = actor_of(request)
    found = loops.one(loop)
    if found is None or found.ended_at is not None:
        raise Http404
    typed = {"why": request.POST.get("why", "").replace("\0", "").strip()[:500]}
    faults = (
        {"why": "Say why, for those who look at it later."} if request.method == "POST" and not typed["why"] else {}
    )
    if request.method == "POST" and not faults:
        try:
            loops.end(actor, loop, typed["why"])
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, f"{found.provider}’s reports are believed no more.", extra_tags="stopped")
            return HttpResponseRedirect("/feedback-loops")
        finally:
            scoped(actor.scope)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "complaints/loop_end.html", {**_SECTION, "loop": found, "typed": typed, "faults": faults},
                  status=status)  # fmt: skip
