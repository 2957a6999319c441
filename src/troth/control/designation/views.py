"""Designation, for people: who is named for this client, and proposing others."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Refused
from troth.control.designation import reading
from troth.control.designation.reading import Person
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import actions, allowed, names_individuals

_LONGEST = 2000  # characters of a reason
_PROPOSED = "Proposed. Nothing changes until a second person approves."
_PLACES = ("first", "second")


@needs("category:read", post="designation:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def designation(request: HttpRequest) -> HttpResponse:
    """GET and POST /designation: whoever may look at what is written sees who writes it."""
    actor = actor_of(request)
    assert actor.scope is not None
    profile = reading.profile(actor.scope)
    found = reading.named(actor.scope)
    typed = {name: str(one.id) for name, one in zip(_PLACES, found, strict=False)}
    faults: dict[str, str] = {}
    people = reading.could_be(actor.scope, profile) if allowed(actor, "designation:propose") else []
    if request.method == "POST":
        if not names_individuals(profile):
            return HttpResponseRedirect("/designation")  # which says that nobody is named here
        typed = {name: request.POST.get(name, "").replace("\0", "")[: _LONGEST + 1] for name in (*_PLACES, "reason")}
        faults = _faults(typed, people)
        if not faults:
            answer = _propose(actor, actor.scope, typed)
            if isinstance(answer, HttpResponse):
                messages.success(
                    request, "Proposed. Nothing changes until a second person approves.", extra_tags="proposed"
                )
                return answer
            faults = {"": answer}
    context = {
        "section": "designation",
        "named": found,
        "matters": names_individuals(profile),
        "profile": profile,
        "kept": [actions()[each].what for each in reading.kept(profile)],
        "choices": [("", "Nobody"), *((str(each.id), each.label) for each in people)],
        "waiting": reading.waiting(actor.scope),
        "typed": typed,
        "faults": faults,
        "most": _LONGEST,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "designation/designation.html", context, status=status)


def _faults(typed: dict[str, str], people: list[Person]) -> dict[str, str]:
    known, found = {str(each.id) for each in people}, {}
    for place in _PLACES:
        if typed[place] and typed[place] not in known:
            found[place] = "Choose one of the list: somebody with an open account whose role may write."
    if not typed["first"]:
        found["first"] = "Choose somebody: one person at least is named."
    elif typed["first"] == typed["second"]:
        found["second"] = "This is the same person twice: choose another, or nobody."
    if not typed["reason"].strip():
        found["reason"] = "Say why, for the person who approves."
    elif len(typed["reason"]) > _LONGEST:
        found["reason"] = f"{_LONGEST:,} characters are the most: shorten it."
    return found


def _propose(actor: Actor, tenant: UUID, typed: dict[str, str]) -> HttpResponse | str:
    """To the change that waits now; or why there is none."""
    accounts = [typed[place] for place in _PLACES if typed[place]]
    proposal = Proposal("designation", "designation", {"accounts": accounts}, typed["reason"].strip(), tenant)
    try:
        made = changes.propose(raw(), actor.secret, proposal)
    except Refused as refused:
        return refused.sentence
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/changes/{made.id}")
