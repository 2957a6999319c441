"""Privacy, for people: notices to be served otherwise, with their clocks, and what recipients report."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.audit.accesses import looked
from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import within
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.privacy import reading
from troth.control.privacy.reading import HOW
from troth.keys import places
from troth.keys.keyring import PersonKey

_SERVICES: dict[str, Any] = {"section": "services"}
_ABUSE: dict[str, Any] = {"section": "abuse"}
_LONGEST = 2_000  # characters
# by what was asked for; "": a notice
_ENDED = {
    "": "The notice’s clock has ended.",
    "copy": "The clock of their request for a copy has ended.",
    "erasure": "The clock of their request for erasure has ended: this erases nobody by itself.",
}
_DONE = "SELECT troth.serve_otherwise_v1(%s, %s, %s, %s)"
_CLOSE = "SELECT troth.abuse_close_v1(%s, %s, %s)"


@needs("service:read")
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """GET /services: the notices that wait, the most urgent first; and those that were served."""
    actor = actor_of(request)
    assert actor.scope is not None
    open_, done = (reading.services(actor.scope, done=which) for which in (False, True))
    looked("access:service:list", actor.scope, actor.account_id, shown=len(open_) + len(done))
    context = {"open": open_, "done": done, "now": reading.now(), "most": reading.MOST}
    return render(request, "privacy/services.html", {**_SERVICES, **context})


@needs("service:done")
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, message: UUID) -> HttpResponse:
    """GET and POST /services/<message>: how the notice was served, which ends its clock."""
    actor = actor_of(request)
    found = reading.access_service(actor, message)
    if found.done_at is not None:
        return HttpResponseRedirect("/services")
    typed = {"how": request.POST.get("how", ""), "note": _words(request, "note") if found.key else ""}
    faults = _service_faults(typed, erased=found.key is None) if request.method == "POST" else {}
    if request.method == "POST" and not faults:
        faults = _acted(actor, _DONE, message, typed["how"], _sealed(found.key, typed["note"], places.service(message)))
        if not faults:
            messages.success(request, f"Recorded. {_ENDED[found.asks]}", extra_tags="kept")
            return HttpResponseRedirect("/services")
    context = {"service": found, "typed": typed, "faults": faults, "how": HOW, "most": _LONGEST, "now": reading.now()}
    return render(request, "privacy/service.html", {**_SERVICES, **context}, status=_status(faults))


def _sealed(key: PersonKey | None, words: str, place: bytes) -> bytes | None:
    """Nothing for nothing; of somebody who was erased, no words are kept."""
    return key.seal(words.encode(), place) if key is not None and words else None


def _service_faults(typed: dict[str, str], *, erased: bool) -> dict[str, str]:
    found = {}
    if typed["how"] not in dict(HOW):
        found["how"] = "Choose how it was served."
    if typed["how"] in ("other", "not-needed") and not typed["note"] and not erased:
        found["note"] = "Say which way, or why it need not be served: this is what an auditor will read."
    elif len(typed["note"]) > _LONGEST:
        found["note"] = f"{_LONGEST:,} characters are the most: shorten it."
    return found


@needs("abuse:read")
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """GET /abuse: what recipients reported, the oldest open one first."""
    actor = actor_of(request)
    assert actor.scope is not None
    open_, closed = (reading.reports(actor.scope, closed=which) for which in (False, True))
    looked("access:abuse:list", actor.scope, actor.account_id, shown=len(open_) + len(closed))
    context = {"open": open_, "closed": closed, "now": reading.now(), "most": reading.MOST}
    return render(request, "privacy/reports.html", {**_ABUSE, **context})


@needs("abuse:close")
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, report: UUID) -> HttpResponse:
    """GET and POST /abuse/<report>: what it says, and what came of it."""
    actor = actor_of(request)
    found = reading.access_report(actor, report)
    typed = {"outcome": _words(request, "outcome") if found.key else ""}
    faults = {}
    if request.method == "POST":
        if not typed["outcome"] and found.key:
            faults["outcome"] = "Say what you found and what you did."
        elif len(typed["outcome"]) > _LONGEST:
            faults["outcome"] = f"{_LONGEST:,} characters are the most: shorten it."
        else:
            sealed = _sealed(found.key, typed["outcome"], places.abuse_outcome(report))
            faults = _acted(actor, _CLOSE, report, sealed)
        if not faults:
            messages.success(request, "Closed, with what came of it.", extra_tags="kept")
            return HttpResponseRedirect("/abuse")
    context = {"report": found, "typed": typed, "faults": faults, "most": _LONGEST, "now": reading.now()}
    return render(request, "privacy/report.html", {**_ABUSE, **context}, status=_status(faults))


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[: _LONGEST + 1]


def _acted(actor: Actor, query: str, *values: object) -> dict[str, str]:
    """What speaks against it; nothing once it is done."""
    try:
        with refusals(), within(raw(), actor.scope) as connection:
            connection.execute(query, (*values, actor.secret))
    except Refused as refused:
        return {"": refused.sentence}
    finally:
        scoped(actor.scope)
    return {}


def _status(faults: dict[str, str]) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
