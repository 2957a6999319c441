"""Emergency stops, for people: those in force, starting one at once, and proposing that one is lifted."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.stops import reading
from troth.control.stops.reading import EFFECTS, Category, Reach
from troth.control.tenants import menu, pauses
from troth.control.tenants.pauses import LONGEST

_SECTION: dict[str, Any] = {"section": "stops"}
_NO_REASON = "Say why, for those who look at it later."


@needs("home:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /stops: those in force where one looks; and, for whoever may, what can be stopped."""
    actor = actor_of(request)
    may = allowed(actor, "pause:start")
    context = {
        "stops": reading.stops(),
        "now": reading.now(),
        "categories": reading.categories(actor) if may else [],
        "whose": _whose(actor, None),
    }
    return render(request, "stops/list.html", {**_SECTION, **context})


@needs("pause:start")
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """GET and POST /stops/start?category=: what would be stopped, in words; then it is, by this person alone."""
    actor = actor_of(request)
    category = _category(actor, request.GET.get("category", ""))
    typed = {
        "effect": request.POST.get("effect", "stop-delivery"),
        "reason": request.POST.get("reason", "").replace("\0", "")[: LONGEST + 1],
    }
    faults = _faults(typed) if request.method == "POST" else {}
    if request.method == "POST" and not faults:
        try:
            subject = category.id if category else None
            pauses.start(raw(), actor.secret, pauses.Stop(actor.scope, typed["effect"], typed["reason"], subject))
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            said = f"Stopped: {_whose(actor, category)}. Lifting it takes two people."
            messages.success(request, said, extra_tags="held")
            return HttpResponseRedirect("/stops")
        finally:
            scoped(actor.scope)
    return _ask(request, typed, faults, {
        "title": f"Stop {_whose(actor, category)}",
        "what": _consequence(reading.reach(category.id if category else None)),
        "who": _touched(actor, category),
        "when": "At once, by you alone. It shows on the first page of everybody who looks here.",
        "undo": "A release, which one person proposes and another approves.",
        "effects": EFFECTS,
        "button": "Stop now",
        "stop": True,
    })  # fmt: skip


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\0", "")[: LONGEST + 1]


def _faults(typed: dict[str, str]) -> dict[str, str]:
    found = {}
    if typed["effect"] not in {effect for effect, _, _ in EFFECTS}:
        found["effect"] = "Choose one of the two."
    if not typed["reason"].strip():
        found["reason"] = _NO_REASON
    elif len(typed["reason"]) > LONGEST:
        found["reason"] = f"{LONGEST:,} characters are the most: shorten it."
    return found


def _category(actor: Actor, given: str) -> Category | None:
    """Http404 for what is no category of the client that is looked at."""
    if not given:
        return None
    found = next((each for each in reading.categories(actor) if str(each.id) == given), None)
    if found is None:
        raise Http404
    return found


def _whose(actor: Actor, category: Category | None) -> str:
    if actor.scope is None:
        return "everything, of every client"
    found = menu.one(actor.scope)
    client = found.name if found else "this client"
    return f"the category “{category.name}” of {client}" if category else f"all mail of {client}"


def _consequence(reach: Reach) -> str:
    if reach.whole and not reach.n:
        waiting = "No message waits just now."
    else:
        least = "" if reach.whole else "at least "
        waiting = f"{least}{reach.n:,} {'message waits' if reach.n == 1 else 'messages wait'}."
    after = "A program that sends new mail is answered 403, tenant-paused; what was accepted is not lost."
    return f"{waiting[:1].upper()}{waiting[1:]} {after}"


def _touched(actor: Actor, category: Category | None) -> str:
    if category is not None:
        return "Recipients of this category. The client’s other mail goes on."
    return "Every recipient of this client’s mail." if actor.scope else "Every client, and every recipient of theirs."


@needs("release:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, stop: UUID) -> HttpResponse:
    """GET and POST /stops/<stop>/release: proposes that it is lifted; a second person approves."""
    actor = actor_of(request)
    found = reading.access_stop(actor, stop)
    if found.release is not None:
        return HttpResponseRedirect(f"/changes/{found.release}")
    typed = {"effect": found.effect, "reason": _reason(request)}
    faults = _faults(typed) if request.method == "POST" else {}
    if request.method == "POST" and not faults:
        try:
            proposal = Proposal("release", str(found.id), {}, typed["reason"].strip(), found.tenant, found.id)
            made = changes.propose(raw(), actor.secret, proposal)
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, "Proposed. The stop stays until a second person approves.", extra_tags="proposed")
            return HttpResponseRedirect(f"/changes/{made.id}")
        finally:
            scoped(actor.scope)
    return _ask(request, typed, faults, {
        "title": "Propose to lift the stop",
        "what": "When a second person approves: new mail is taken again, and what waits is asked within five minutes.",
        "who": found.title,
        "when": "Not yet: your proposal opens a change, and the stop stays until it is approved.",
        "undo": "Another stop, which one person starts.",
        "button": "Propose its release",
    })  # fmt: skip


def _ask(request: HttpRequest, typed: dict[str, str], faults: dict[str, str], words: dict[str, Any]) -> HttpResponse:
    """The consequence in words, the fields, and one button."""
    given = {"typed": typed, "faults": faults, "action": request.get_full_path(), "back": "/stops", "most": LONGEST}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "stops/ask.html", {**_SECTION, **given, **words}, status=status)
