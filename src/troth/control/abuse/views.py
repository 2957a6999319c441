"""The desks, for staff: cases of abuse and of weaknesses with who reported them, whose mail it is about, and what can
be done beside the steps that every case has (control/incidents).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.abuse import acts, reading
from troth.control.abuse.reading import Desk
from troth.control.audit.refusals import Refused
from troth.control.incidents import acts as incident_acts
from troth.control.incidents import reading as cases
from troth.control.incidents import views as incidents
from troth.control.incidents.reading import Case, Filters
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.tenants import menu

_SECTION: dict[str, Any] = {"section": "incidents"}
PREFIX = {"abuse": "/abuse/cases", "disclosure": "/disclosures"}
_LONGEST, _NAME, _WHAT = 4_000, 100, 200
_CLIENTS = 500


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its page's title, what follows from it, its button, and the fields that it asks for (name -> most)."""

    kinds: tuple[str, ...]
    title: str
    what: str
    button: str
    done: str
    fields: Mapping[str, int]
    needed: tuple[str, ...]
    do: Callable[[Actor, Case, Desk, Mapping[str, str]], None]
    stop: bool = False


_ACTS = {
    "client": Act(
        ("abuse",), "Whose mail is it about?", "The case counts as this client’s from now on. This stops nothing.",
        "It is this client’s", "It is on record whose mail it was", {"client": 40}, ("client",), acts.client,
    ),
    "confirm": Act(
        ("abuse",), "Confirm that it is abuse", "", "It is abuse", "Abuse is confirmed",
        {"words": _LONGEST, "stop": 3}, ("words",), acts.confirm, stop=True,
    ),
    "tell": Act(
        ("abuse", "disclosure"), "Write to whoever reported it",
        "What you write is mailed to them as it stands, and kept in the timeline. It cannot be taken back.",
        "Send it", "Your mail waits to be sent, and the timeline says when it was taken", {"words": _LONGEST},
        ("words",), acts.tell,
    ),
    "consent": Act(
        ("disclosure",), "They agreed to be named",
        "Once the weakness is mended, somebody publishes the name: nothing is published by itself.",
        "Record it", "Their consent is on record", {"name": _NAME, "words": _LONGEST}, ("name", "words"), acts.consent,
    ),
    "credit": Act(
        ("disclosure",), "Thank them in public", "The name and these words stand on /security, for anybody.",
        "Publish it", "They are thanked in public", {"what": _WHAT}, (), acts.credit,
    ),
    "unname": Act(
        ("disclosure",), "Take the name away", "The name goes from /security at once, and its consent ends.",
        "Take it away", "The name is gone", {}, (), acts.unname, stop=True,
    ),
}  # fmt: skip
_SAY = {
    "client": "Choose a client.",
    "words": "Write it: this is what is read later.",
    "name": "Write the name as it is to be shown.",
}


@needs("abuse-case:read")
@require_safe
def abuse_cases(request: HttpRequest) -> HttpResponse:
    """GET /abuse/cases."""
    return _listed(request, "abuse")


@needs("abuse-case:read")
@require_safe
def abuse_case(request: HttpRequest, case: UUID) -> HttpResponse:
    """GET /abuse/cases/<case>."""
    return _detail(request, case, "abuse")


@needs("abuse-case:act")
@require_http_methods(["GET", "HEAD", "POST"])
def abuse_case_act(request: HttpRequest, case: UUID, name: str) -> HttpResponse:
    """GET and POST /abuse/cases/<case>/<act>."""
    return _act(request, case, "abuse", name)


@needs("disclosure:read")
@require_safe
def disclosures(request: HttpRequest) -> HttpResponse:
    """GET /disclosures."""
    return _listed(request, "disclosure")


@needs("disclosure:read")
@require_safe
def disclosure(request: HttpRequest, case: UUID) -> HttpResponse:
    """GET /disclosures/<case>."""
    return _detail(request, case, "disclosure")


@needs("disclosure:act")
@require_http_methods(["GET", "HEAD", "POST"])
def disclosure_act(request: HttpRequest, case: UUID, name: str) -> HttpResponse:
    """GET and POST /disclosures/<case>/<act>."""
    return _act(request, case, "disclosure", name)


def _listed(request: HttpRequest, kind: str) -> HttpResponse:
    """Those that are not closed, the newest first."""
    actor = actor_of(request)
    lines = cases.listed(actor, Filters(kind=kind))
    context = {"lines": lines[: cases.PAGE], "more": len(lines) > cases.PAGE, "kind": kind, "prefix": PREFIX[kind]}
    return render(request, "abuse/cases.html", {**_SECTION, **context, "now": cases.now()})


def _detail(request: HttpRequest, case: UUID, kind: str) -> HttpResponse:
    """The case, and what its desk knows."""
    actor = actor_of(request)
    found = _case(actor, case, kind)
    desk = reading.desk(actor, found)
    context = {**incidents.shown(actor, found), "desk": desk, "prefix": PREFIX[kind], "acts": _open(found, desk)}
    return render(request, "abuse/case.html", {**_SECTION, **context})


def _act(request: HttpRequest, case: UUID, kind: str, name: str) -> HttpResponse:
    """What it means, in words; then it is done."""
    actor = actor_of(request)
    found = _case(actor, case, kind)
    desk = reading.desk(actor, found)
    if name not in _open(found, desk):
        raise Http404
    one = _ACTS[name]
    typed = {field: _typed(request, field, most) for field, most in one.fields.items()}
    faults = _faults(one, typed) if request.method == "POST" else {}
    if request.method == "POST" and not faults:
        try:
            one.do(actor, found, desk, {**typed, "once": request.POST.get("once", "")})
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, f"{found.reference}: {one.done}.", extra_tags="kept")
            return HttpResponseRedirect(f"{PREFIX[kind]}/{found.id}")
    return _ask(request, found, desk, name, typed, faults)


def _ask(
    request: HttpRequest, case: Case, desk: Desk, name: str, typed: Mapping[str, str], faults: Mapping[str, str]
) -> HttpResponse:
    one = _ACTS[name]
    context: dict[str, Any] = {
        "case": case, "desk": desk, "name": name, "typed": typed, "faults": faults, "most": _LONGEST,
        "hidden": {"once": incident_acts.once(request.POST.get("once", ""))},
        "title": f"{one.title}: {case.reference}" if not one.title.endswith("?") else one.title,
        "what": _stops(desk) if name == "confirm" else one.what, "button": one.button, "stop": one.stop,
        "back": f"{PREFIX[case.kind]}/{case.id}",
    }  # fmt: skip
    if name == "client":
        context["clients"] = [("", "Choose"), *((str(each.id), each.name) for each in menu.named("", 0, _CLIENTS))]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "abuse/act.html", {**_SECTION, **context}, status=status)


def _stops(desk: Desk) -> str:
    if desk.suspends:
        return (
            f"All mail of {desk.client} is stopped at once, queued mail too, as its policy says. Two people lift that."
        )
    return f"The policy of {desk.client} stops nothing by itself. You can stop its mail with it, below."


def _case(actor: Actor, case: UUID, kind: str) -> Case:
    """Http404 for what is not there, not for this person, or of another kind."""
    found = cases.access_case(actor, case)
    if found.kind != kind:
        raise Http404
    return found


def _open(case: Case, desk: Desk) -> tuple[str, ...]:
    """The acts that there are now, in the order of the table."""
    if not case.acts:
        return ()
    going = case.state in ("acknowledged", "assessed")
    now = {
        "client": case.tenant is None and case.state in ("open", "acknowledged"),
        "confirm": going and desk.tenant is not None,
        "tell": case.state != "closed" and desk.tells,
        "consent": case.state != "closed" and not desk.credits,
        "credit": case.outcome == "fixed" and desk.credits and desk.published_at is None,
        "unname": desk.credits,
    }
    return tuple(name for name, one in _ACTS.items() if case.kind in one.kinds and now[name])


def _typed(request: HttpRequest, name: str, most: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[: most + 1]


def _faults(one: Act, typed: Mapping[str, str]) -> dict[str, str]:
    long = {name: f"{most:,} characters are the most: shorten it." for name, most in one.fields.items()
            if len(typed[name]) > most}  # fmt: skip
    return {name: _SAY[name] for name in one.needed if not typed[name]} | long
