"""People with access, for people: who has it, one person's account, and inviting somebody."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.access import granting, inviting, reading
from troth.control.access.granting import Invitation
from troth.control.access.reading import Arrival, Person
from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import Invalid, Refused
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed

_LONGEST = 400
SECTION: dict[str, Any] = {"section": "people", "what": "People"}
# state -> (the look's word, in words)
STATES = {
    "active": ("holds", "Active"),
    "invited": ("pending", "Invited"),
    "unused": ("held", "Unused"),
    "leaving": ("deferred", "Leaving"),
    "closed": ("retired", "Closed"),
}
_FILTERS = (
    ("open", "Everybody with access"),
    ("active", "Active"),
    ("invited", "Invited, not come yet"),
    ("unused", "Unused, to be closed soon"),
    ("leaving", "Leaving"),
    ("closed", "Closed"),
    ("all", "All"),
)
_WHY = {
    "removed": "two people removed it",
    "left": "the person left",
    "unused": "nobody used it",
    "review": "an access review ended it",
}
_SESSIONS = "SELECT id, kind, opened_at, seen_at, methods FROM troth.sessions_of_v1(%s, %s)"
_ACTS = {"role": "role", "remove": "remove", "leaves": "leaves", "end": "sessions/end"}
_LAST_ADMIN = (
    "This is the client’s last administrator: afterwards only the operator’s staff can propose access for anybody here."
)
_METHODS = {"totp": "a code", "webauthn": "a passkey", "device": "a device’s credential"}


def choose(request: HttpRequest, actor: Actor, action: str, what: dict[str, Any]) -> HttpResponse | None:
    """Staff who may only for a client are asked which."""
    return None if allowed(actor, action) else render(request, "web/choose.html", what)


@needs("person:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /people?state=&role=&who=&q=&before="""
    actor = actor_of(request)
    if (asks := choose(request, actor, "person:read", SECTION)) is not None:
        return asks
    given = {name: request.GET.get(name, "").strip().replace("\0", "")[:_LONGEST] for name in ("state", "role", "q")}
    state = given["state"] if given["state"] in reading.STATES else "open"
    return _list(request, actor, state, given["role"], given["q"])


@needs("person:read")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """POST /people/find: an address, never in an address bar, leads to its person; a part of a name to a list."""
    actor = actor_of(request)
    q = request.POST.get("q", "").strip().replace("\0", "")[:_LONGEST]
    if "@" in q and (wanted := reading.asked("all", "", q)).indexes:
        person = reading.by_address(actor, wanted.indexes)
        if person is not None:
            return HttpResponseRedirect(f"/people/{person.id}")
        return _list(request, actor, "all", "", "", nobody=q)
    return HttpResponseRedirect(f"/people?{urlencode({'state': 'all', 'q': q})}" if q else "/people")


def _list(
    request: HttpRequest, actor: Actor, state: str, role: str, q: str, *, nobody: str = "", **more: Any
) -> HttpResponse:
    before = _place(request.GET.get("before", ""))
    page = reading.page(actor, reading.asked(state, role, q), before) if not nobody else reading.Page([], None)
    wait = reading.waiting(actor)
    known = reading.names([each.by for each in wait])
    context = {
        **SECTION,
        "people": [_line(each) for each in page.found],
        "older": _query(state=state, role=role, q=q, before=page.older) if page.older else "",
        "top": _query(state=state, role=role, q=q) if before else "",
        "cut": page.cut,
        "state": state,
        "role": role,
        "q": q,
        "nobody": nobody,
        "filters": _FILTERS,
        "roles": [(value, label) for value, label, _ in granting.roles_of(actor.scope)],
        "narrowed": bool(q or role or nobody or state != "open" or before),
        "grants": [{"row": each, "by": known.get(each.by, "somebody")} for each in wait],
        "arrivals": reading.arrivals(actor) if before is None else [],
        "here": _here(actor),
        **more,
    }
    return render(request, "access/people.html", context)


def _place(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None


def _query(**fields: Any) -> str:
    kept = {name: str(value) for name, value in fields.items() if value and (name, value) != ("state", "open")}
    return f"/people?{urlencode(kept)}" if kept else "/people"


def _here(actor: Actor) -> str:
    """Whose people these are."""
    if actor.scope is None:
        return "the operator"
    found = row("SELECT name FROM troth.tenant WHERE id = %s", actor.scope)
    return str(found[0]) if found else "this client"


def _line(person: Person) -> dict[str, Any]:
    look, words = STATES[person.state]
    return {"person": person, "look": look, "words": words, "second": second_words(person), "note": _note(person)}


def _note(person: Person) -> tuple[str, Any]:
    """What is behind a state: (words, a time)."""
    if person.state == "closed":
        return _WHY.get(person.why or "", "closed"), person.disabled_at
    if person.state == "leaving":
        return "access ends", person.leaves_at
    if person.state == "unused":
        return "closed by itself", person.unused_ends
    if person.state == "invited":
        return ("link serves until", person.link_ends) if person.link_ends else ("no link was sent yet", None)
    return "", None


def second_words(person: Person) -> str:
    found = [_METHODS[each] for each in person.seconds]
    return " and ".join(found + ([_METHODS["device"]] if person.device else []))


@needs("person:read")
@require_safe
def detail(request: HttpRequest, account: UUID) -> HttpResponse:
    """GET /people/<account>"""
    actor = actor_of(request)
    if (asks := choose(request, actor, "person:read", SECTION)) is not None:
        return asks
    return shown(request, actor, reading.access_person(actor, account))


def shown(request: HttpRequest, actor: Actor, person: Person, **more: Any) -> HttpResponse:
    """The page of one person; `more`: what was typed, and what is wrong with it."""
    open_ones = [
        {"kind": kind, "opened": opened, "seen": seen, "methods": ", ".join(methods)}
        for _, kind, opened, seen, methods in rows(_SESSIONS, actor.secret, person.id)
    ]
    context = {
        **SECTION,
        **_line(person),
        "sessions": open_ones,
        "grants": [each for each in reading.waiting(actor) if each.account == person.id],
        "role_choices": granting.roles_of(actor.scope),
        "oneself": person.id == actor.account_id,
        "reachable": person.to_come and inviting.reachable(person.id),
        "here": _here(actor),
        "typed": {"role": person.role},
        "faults": {},
        "leaver_label": "Change when they leave" if person.state == "leaving" else "They leave",
        "remove_who": _LAST_ADMIN if granting.last_admin(actor, person) else "",
        **{f"{act}_path": f"/people/{person.id}/{path}" for act, path in _ACTS.items()},
        **{f"{act}_open": more.get("act") == act for act in _ACTS},
        **more,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if more.get("faults") else HTTPStatus.OK
    return render(request, "access/person.html", context, status=status)


@needs("grant:propose", fresh=True)
@sensitive_post_parameters("address")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """GET, POST /people/invite?arrival="""
    actor = actor_of(request)
    if (asks := choose(request, actor, "grant:propose", {**SECTION, "what": "Invitations"})) is not None:
        return asks
    arrival = _arrival(actor, request)
    typed = {name: request.POST.get(name, "")[: _LONGEST * 10] for name in ("name", "address", "role", "reason")}
    if request.method == "POST":
        given = Invitation(**typed)
        if arrival is not None:
            given = granting.invitation_of(arrival, typed["role"], typed["reason"])
        try:
            made = granting.invite(actor, given)
        except Refused as no:
            return _form(request, actor, arrival, typed, faults_of(no))
        said = "Proposed. A second person approves it under Changes; the invitation goes out by mail right then."
        messages.success(request, said, extra_tags="proposed")
        return HttpResponseRedirect(f"/people#change-{made.id}")
    return _form(request, actor, arrival, typed, {})


def _form(
    request: HttpRequest, actor: Actor, arrival: Arrival | None, typed: dict[str, str], faults: dict[str, str]
) -> HttpResponse:
    given = {"typed": typed, "faults": faults, "roles": granting.roles_of(actor.scope), "arrival": arrival}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "access/invite.html", {**SECTION, **given, "here": _here(actor)}, status=status)


def _arrival(actor: Actor, request: HttpRequest) -> Arrival | None:
    wanted = request.POST.get("arrival", "") or request.GET.get("arrival", "")
    if not wanted:
        return None
    found = next((each for each in reading.arrivals(actor) if str(each.id) == wanted), None)
    if found is None:
        raise Http404
    return found


def faults_of(no: Refused) -> dict[str, str]:
    """By field; what is nobody's field is the form's."""
    if not isinstance(no, Invalid):
        return {"": no.sentence}
    return {each.field if each.field in ("name", "address", "role", "reason", "when", "note") else "": each.hint
            for each in no.problems}  # fmt: skip
