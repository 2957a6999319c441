"""Records, for people: three logs, each filtered by what is in the address bar, and exported as it is filtered."""

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from troth.control.access import exporting
from troth.control.audit.accesses import looked
from troth.control.audit.asking import row
from troth.control.people.actor import Actor, actor_of
from troth.control.people.addresses import hidden
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed, permissions
from troth.control.records import accesses, asked, changes, logs, names, requests
from troth.control.records.asked import Asked
from troth.control.records.logs import Log

_SECTION: dict[str, Any] = {"section": "records", "what": "Records"}
# name -> (the log, in words, its kinds, its statuses, the policy's number of days it is kept at least)
_LOGS: dict[str, tuple[Log[Any], str, dict[str, str], dict[str, str], str]] = {
    "changes": (changes.LOG, "Changes", changes.KINDS, changes.STEPS, "change_days"),
    "access": (accesses.LOG, "Access", accesses.KINDS, accesses.STATUSES, "access_days"),
    "requests": (requests.LOG, "API requests", requests.KINDS, requests.STATUSES, "request_days"),
}
_KEPT = "SELECT troth.policy_number(%s, 'records', %s, true)"
_DEFAULTS = {"change_days": 3650, "access_days": 365, "request_days": 90, "grant_days": 365}


@needs("self:read")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """GET /records: to the first log that this person may see, to the choice of a client, or to the first page."""
    actor = actor_of(request)
    for name, (log, *_) in _LOGS.items():
        if allowed(actor, log.action):
            return HttpResponseRedirect(f"/records/{name}")
    if actor.staff and actor.scope is None and any(_for_a_client(actor, log.action) for log, *_ in _LOGS.values()):
        return HttpResponseRedirect("/clients")
    return HttpResponseRedirect("/")


def _for_a_client(actor: Actor, action: str) -> bool:
    return any(cell.action == action and cell.role == actor.role for cell in permissions().values())


@needs("change-log:read")
@require_safe
def changed(request: HttpRequest) -> HttpResponse:
    """GET /records/changes?person=&kind=&status=&from=&to=&q=&before="""
    return _page(request, "changes")


@needs("access-log:read")
@require_safe
def accessed(request: HttpRequest) -> HttpResponse:
    """GET /records/access?person=&kind=&status=&place=&from=&to=&q=&before="""
    return _page(request, "access")


@needs("request-log:read")
@require_safe
def requested(request: HttpRequest) -> HttpResponse:
    """GET /records/requests?key=&kind=&status=&from=&to=&q=&before="""
    return _page(request, "requests")


def _page(request: HttpRequest, name: str) -> HttpResponse:
    actor = actor_of(request)
    log, _, kinds, statuses, days = _LOGS[name]
    if not allowed(actor, log.action):
        return render(request, "web/choose.html", _SECTION)
    wish = asked.read(request.GET, actor.zone, kinds, statuses)
    context = {
        **_SECTION,
        **_shell(actor, name, wish),
        "kept": _kept(actor, days),
        "grants_kept": _kept(actor, "grant_days"),
    }
    if wish.wrong:
        return render(request, f"records/{name}.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    found = logs.page(log, actor, wish, wish.before)
    if name == "access":
        looked("access:record:view", actor.scope, actor.account_id, log=name, shown=len(found.found))
    context |= {"entries": found.found, "looked": found.looked, "window": log.window}
    context["older"] = f"/records/{name}?{_with(wish.query(), before=found.older)}" if found.older else ""
    context["top"] = f"/records/{name}?{wish.query()}" if wish.before else ""
    return render(request, f"records/{name}.html", context)


def _with(query: str, **more: str | None) -> str:
    return "&".join(part for part in (query, *(f"{name}={value}" for name, value in more.items())) if part)


def _shell(actor: Actor, name: str, wish: Asked) -> dict[str, Any]:
    _, _, kinds, statuses, _ = _LOGS[name]
    query = f"?{wish.query()}" if wish.narrowed else ""
    return {
        "tabs": [(f"/records/{each}", words, each == name) for each, (log, words, *_) in _LOGS.items()
                 if allowed(actor, log.action)],
        "asked": wish,
        "typed": wish.given,
        "faults": wish.wrong,
        "kinds": [("", "Everything"), *kinds.items()],
        "statuses": [("", "Any"), *statuses.items()],
        "people": [("", "Anybody"), *names.choices(actor)] if name != "requests" else [],
        "keys": [("", "Any key"), *requests.keys(actor)] if name == "requests" else [],
        "exports": [(form.upper(), f"/records/{name}/export.{form}{query}") for form in exporting.FORMATS],
        "anywhere": f"/records/{name}?{wish.query(place=None)}",
    }  # fmt: skip


def _kept(actor: Actor, days: str) -> int:
    found = row(_KEPT, actor.scope, days)
    return int(found[0]) if found and found[0] is not None else _DEFAULTS[days]


@needs("change-log:read")
@require_safe
def change(request: HttpRequest, index: int) -> HttpResponse:
    """GET /records/changes/<index>: one step, with what was before and after."""
    actor = actor_of(request)
    if not allowed(actor, "change-log:read"):
        return render(request, "web/choose.html", _SECTION)
    step = changes.access_step(actor, index)
    before, after = changes.versions([step]).get(index, (None, None))
    context = {**_SECTION, "step": step, "before": changes.lines(before), "after": changes.lines(after)}
    return render(request, "records/change.html", context)


@needs("access-log:read")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """POST /records/access/find: from an address of the internet, which stands in no address bar, to its keyed hash."""
    place = request.POST.get("q", "").strip()[:100]
    return HttpResponseRedirect(f"/records/access?place={hidden('place', place).hex()}" if place else "/records/access")


@needs("change-log:read")
@require_safe
def export_changes(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """GET /records/changes/export.csv, .json"""
    return _export(request, "changes", form)


@needs("access-log:read")
@require_safe
def export_access(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """GET /records/access/export.csv, .json"""
    return _export(request, "access", form)


@needs("request-log:read")
@require_safe
def export_requests(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """GET /records/requests/export.csv, .json"""
    return _export(request, "requests", form)


def _export(request: HttpRequest, name: str, form: str) -> StreamingHttpResponse:
    """What the page's filters leave, all of it; that it was taken is an entry of the ledger."""
    actor = actor_of(request)
    log, _, kinds, statuses, _ = _LOGS[name]
    wish = asked.read(request.GET, actor.zone, kinds, statuses)
    if form not in exporting.FORMATS or wish.wrong or not allowed(actor, log.action):
        raise Http404
    looked("access:record:export", actor.scope, actor.account_id, log=name, format=form, asked=_filters(wish))
    about = {"log": name, "tenant": actor.scope, "asked": wish.given, "taken_at": actor.session.now.isoformat()}
    pages = exporting.batches(actor, logs.every(log, actor, wish))
    return exporting.answer(f"{name}-{actor.session.now:%Y-%m-%d}", form, log.header, pages, **about)


def _filters(wish: Asked) -> str:
    """Their names alone: a searched word may be somebody's."""
    return " ".join(sorted(wish.given))
