"""People with access, what is done about one of them: role, removal, a leaver's mark, sessions, invitation."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from troth.control.access import granting, inviting, reading
from troth.control.access.views import faults_of, shown
from troth.control.audit.asking import row
from troth.control.audit.refusals import Invalid, Problem, Refused
from troth.control.people import page_sessions
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs

_PROPOSED = "Proposed. Nothing changes until a second person approves it under Changes."
_ARRIVAL = "SELECT troth.arrival_forget_v1(%s, %s, %s)"


@needs(post="grant:propose", fresh=True)
@require_POST
def role(request: HttpRequest, account: UUID) -> HttpResponse:
    """POST /people/<account>/role"""
    actor = actor_of(request)
    person = reading.access_person(actor, account)
    typed = {name: request.POST.get(name, "")[:4000] for name in ("role", "reason")}
    try:
        granting.change_role(actor, person, typed["role"], typed["reason"])
    except Refused as no:
        return shown(request, actor, person, typed=typed, faults=faults_of(no), act="role")
    return _back(request, account, _PROPOSED, "proposed")


@needs(post="grant:propose")
@require_POST
def remove(request: HttpRequest, account: UUID) -> HttpResponse:
    """POST /people/<account>/remove"""
    actor = actor_of(request)
    person = reading.access_person(actor, account)
    reason = request.POST.get("reason", "").replace("\0", "")[:4000]
    try:
        granting.remove(actor, person, reason)
    except Refused as no:
        return shown(request, actor, person, typed={"reason": reason}, faults=faults_of(no), act="remove")
    return _back(request, account, _PROPOSED, "proposed")


@needs(post="leaver:mark")
@require_POST
def leaves(request: HttpRequest, account: UUID) -> HttpResponse:
    """POST /people/<account>/leaves: `when`: a time of the reader's own zone; empty: as late as policy lets it."""
    actor = actor_of(request)
    person = reading.access_person(actor, account)
    text = request.POST.get("when", "").strip()[:40]
    try:
        granting.mark_leaver(actor, person, _time(actor, request.POST.get("now") == "on", text))
    except Refused as no:
        faults = faults_of(no)
        if "" in faults and "earlier time" in faults[""]:
            faults = {"when": faults[""]}
        return shown(request, actor, person, typed={"when": text}, faults=faults, act="leaves")
    if reading.access_person(actor, account).state == "closed":
        return _back(request, account, f"{person.name}’s access has ended, and so have their sessions.", "retired")
    return _back(request, account, f"{person.name} leaves; their access ends by itself.", "deferred")


def _time(actor: Actor, at_once: bool, text: str) -> datetime | None:  # noqa: FBT001 - as the form's box has it
    if at_once:
        return actor.session.now
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        hint = "Write day and time as 2027-01-31 17:30."
        raise Invalid([Problem("when", "value", hint)]) from None
    return given if given.tzinfo else given.replace(tzinfo=actor.zone)


@needs(post="session:end")
@require_POST
def sessions(request: HttpRequest, account: UUID) -> HttpResponse:
    """POST /people/<account>/sessions/end"""
    actor = actor_of(request)
    person = reading.access_person(actor, account)
    page_sessions.end_all(actor.secret, person.id)
    return _back(request, account, f"{person.name} is signed out everywhere.", "holds")


@needs(post="grant:propose", fresh=True)
@require_POST
def invitation(request: HttpRequest, account: UUID) -> HttpResponse:
    """POST /people/<account>/invitation: once more; an earlier link serves until its own time is over."""
    actor = actor_of(request)
    person = reading.access_person(actor, account)
    if not person.to_come:
        fault = "This person has set a password already, or their access is closed: there is nothing to invite them to."
        return shown(request, actor, person, faults={"": fault})
    if not inviting.reachable(person.id):
        fault = f"Troth has nothing to write from yet. On the server, `troth person invite {person.id}` prints a link."
        return shown(request, actor, person, faults={"": fault})
    inviting.send(actor, person.id, person.role)
    return _back(
        request, account, f"An invitation is on its way to {person.address}; it serves for 24 hours.", "sending"
    )


@needs(post="grant:propose")
@require_POST
def forget(request: HttpRequest, arrival: UUID) -> HttpResponse:
    """POST /people/arrivals/<arrival>/forget"""
    actor = actor_of(request)
    if row(_ARRIVAL, actor.secret, actor.scope, arrival) != (True,):
        raise Http404
    messages.success(request, "Taken off the list. Whoever signs on again is on it again.")
    return HttpResponseRedirect("/people#arrivals")


def _back(request: HttpRequest, account: UUID, said: str, word: str) -> HttpResponse:
    messages.success(request, said, extra_tags=word)
    return HttpResponseRedirect(f"/people/{account}")
