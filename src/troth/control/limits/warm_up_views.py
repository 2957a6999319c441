"""Warm-up, for people: a schedule typed, looked at day by day, and proposed to a second person; and its end."""

from collections.abc import Iterable
from datetime import date
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from troth.control.approvals import changes
from troth.control.approvals.asked import Asked
from troth.control.approvals.changes import Proposal
from troth.control.approvals.kinds import problems
from troth.control.audit.refusals import Invalid, Problem, Refused
from troth.control.limits import routes, warm_up_form
from troth.control.limits.routes import Route
from troth.control.limits.warm_up_form import LONGEST, Schedule
from troth.control.people.actor import actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.rules import warm_up

_SECTION: dict[str, Any] = {"section": "limits", "most": LONGEST}
# of the artefact -> of the form, by how the schedule was given
_FIELDS = {"growth": {"caps": "first", "starts": "starts", "reason": "reason"},
           "steps": {"caps": "steps", "starts": "starts", "reason": "reason"}}  # fmt: skip


@needs("route:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, route: str) -> HttpResponse:
    """GET and POST /limits/warm-up/<route>: the form; its days (`act` look); proposed (`propose`)."""
    here = _route(request, route)
    if request.method != "POST":
        starts = here.days[0].day if here.state in ("before", "warming") else None
        return _form(request, here, warm_up_form.first_typed(here.today, here.caps, starts), {})
    typed, act = warm_up_form.read(request.POST.dict()), request.POST.get("act", "look")
    if act == "edit":
        return _form(request, here, typed, {})
    made, faults = warm_up_form.schedule(typed, here.today)
    if made is None:
        return _form(request, here, typed, faults)
    if act == "propose":
        return _proposed(request, here, typed, made)
    if faults := _checked(here, typed, made):
        return _form(request, here, typed, faults)
    return render(request, "limits/warm_up_look.html", {**_SECTION, "route": here, "typed": typed, **_told(here, made)})


def _route(request: HttpRequest, code: str) -> Route:
    """A route is the house's: from a client nothing is seen of it here."""
    found = routes.route(code) if actor_of(request).scope is None else None
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, here: Route, typed: dict[str, str], faults: dict[str, str]) -> HttpResponse:
    context = {"route": here, "host": settings.TROTH_RELAY, "typed": typed, "faults": faults, "ways": warm_up_form.WAYS}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "limits/warm_up.html", {**_SECTION, **context}, status=status)


def _artefact(made: Schedule) -> dict[str, Any]:
    return {"starts": made.starts, "caps": made.caps}


def _checked(here: Route, typed: dict[str, str], made: Schedule) -> dict[str, str]:
    """What the engine will say of it, before anybody looks at it."""
    asked = Asked(raw(), None, here.subject or UUID(int=0), here.code, _artefact(made), changes.clock(raw()))
    found = problems("route", asked)
    scoped(None)
    return _at_fields(typed, found)


def _at_fields(typed: dict[str, str], found: Iterable[Problem]) -> dict[str, str]:
    return {_FIELDS[typed["way"]].get(each.field, ""): each.hint for each in found}


def _proposed(request: HttpRequest, here: Route, typed: dict[str, str], made: Schedule) -> HttpResponse:
    proposal = Proposal("route", here.code, _artefact(made), typed["reason"].strip(), None, here.subject)
    try:
        change = changes.propose(raw(), actor_of(request).secret, proposal)
    except Invalid as invalid:
        return _form(request, here, typed, _at_fields(typed, invalid.problems))
    except Refused as refused:
        return _form(request, here, typed, {"": refused.sentence})
    finally:
        scoped(None)
    messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
    return HttpResponseRedirect(f"/changes/{change.id}")


def _told(here: Route, made: Schedule) -> dict[str, Any]:
    """The days with what is in force on each now, and the consequence in words."""
    starts = date.fromisoformat(made.starts)
    days = [(n, date.fromordinal(starts.toordinal() + n), cap) for n, cap in enumerate(made.caps)]
    waits = starts > here.today
    return {
        "days": [(n + 1, day, _now(here, day), cap, day == here.today) for n, day, cap in days],
        "total": sum(made.caps),
        "compares": bool(here.days),
        "waits": waits,
        "what": f"Until {starts} nothing goes over this route: all mail is held. Then each day sends its number."
        if waits
        else "Each day sends at most its number; what is more is held until the next day, the oldest first.",
        "who": "Every client whose mail goes over this route: together they have a day’s number.",
        "when": "As soon as a second person has approved it. After the last day nothing is held back.",
        "undo": "Propose another schedule, or the end of this one. What was held goes on its next day.",
    }


def _now(here: Route, day: date) -> int | None:
    """The number that is in force for a day now; None: as many as there are."""
    if not here.days or here.state == "ended":
        return None
    return warm_up.cap(here.days[0].day, here.caps, day)


@needs("route:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, route: str) -> HttpResponse:
    """GET and POST /limits/warm-up/<route>/end: no daily number any more, proposed to a second person."""
    here = _route(request, route)
    if here.state not in ("before", "warming", "stopped"):
        raise Http404
    reason, faults = request.POST.get("reason", "").replace("\0", "")[: LONGEST + 1], {}
    if request.method == "POST":
        if not reason.strip():
            faults = {"reason": "Say why, for the person who approves it."}
        elif len(reason) > LONGEST:
            faults = {"reason": f"{LONGEST:,} characters are the most: shorten it."}
        else:
            made = _ended(request, here, reason.strip())
            if not isinstance(made, str):
                messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
                return HttpResponseRedirect(f"/changes/{made.id}")
            faults = {"": made}
    context = {
        "title": f"End the warm-up of “{here.code}”", "typed": {"reason": reason}, "faults": faults,
        "action": request.path, "back": "/limits", "button": "Propose it", "stop": True,
        "what": "No daily number holds mail back any more. What is held until tomorrow goes tomorrow.",
        "who": "Every client whose mail goes over this route.",
        "when": "Not yet: your proposal opens a change, and nothing moves until a second person approves it.",
        "undo": "Propose a schedule again. An address that sends too much too soon loses its name.",
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "limits/decide.html", {**_SECTION, **context}, status=status)


def _ended(request: HttpRequest, here: Route, reason: str) -> changes.Proposed | str:
    artefact = {"starts": str(here.days[0].day), "caps": here.caps, "retired": True}
    try:
        return changes.propose(
            raw(), actor_of(request).secret, Proposal("route", here.code, artefact, reason, None, here.subject)
        )
    except Refused as refused:
        return refused.sentence
    finally:
        scoped(None)
