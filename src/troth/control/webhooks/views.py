"""Webhooks, for people: a client's endpoints and how each does; one with its deliveries; adding, rotating, testing."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of, raw
from troth.control.people.guard import needs
from troth.control.tenants.seeking import keys_of
from troth.control.webhooks import deliveries, endpoints
from troth.control.webhooks.deliveries import Again
from troth.control.webhooks.endpoints import Asked, Endpoint
from troth.keys.keyring import TenantKeys
from troth.rules.hook_events import TYPES, meaning_of, type_of

_SECTION: dict[str, Any] = {"section": "webhooks", "what": "Webhooks"}
_SHOWN = 20  # deliveries: of those that wait, and of those done
_LONGEST_URL = 2048
_OVERLAP = 24  # hours, where nobody says otherwise
_LOOKS = {1: "pending", 2: "pending", 3: "holds", 4: "fails"}


@needs("webhook:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /webhooks"""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _SECTION)
    keys = keys_of(actor.scope)
    found = [(each, each.url(keys), _state(each)) for each in endpoints.listed(raw(), actor.scope)]
    return render(request, "webhooks/list.html", {**_SECTION, "endpoints": found, "all": len(TYPES)})


@needs("webhook:read")
@require_safe
def detail(request: HttpRequest, endpoint: UUID) -> HttpResponse:
    """GET /webhooks/<endpoint>"""
    return _detail(request, actor_of(request), endpoint, {})


def _detail(request: HttpRequest, actor: Actor, endpoint: UUID, more: dict[str, Any]) -> HttpResponse:
    found, keys = _access(actor, endpoint)
    newest = deliveries.newest(raw(), found, _SHOWN)
    context = {
        "endpoint": found,
        "url": found.url(keys),
        "state": _state(found),
        "tally": deliveries.tally(raw(), found),
        "deliveries": [(each, type_of(each.kind), _LOOKS[each.state]) for each in newest],
        "shown": _SHOWN,
        "overlap": _OVERLAP,
        "typed": {"hours": str(_OVERLAP)},
        "here": f"/webhooks/{endpoint}",
        **more,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if more.get("faults") else HTTPStatus.OK
    return render(request, "webhooks/one.html", {**_SECTION, **context}, status=status)


@needs("webhook:write")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /webhooks/new: its secret is shown this once."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _SECTION)
    typed: dict[str, Any] = {"url": "https://", "which": "all", "types": []}
    faults: dict[str, str] = {}
    if request.method == "POST":
        typed = {name: request.POST.get(name, "").strip()[: _LONGEST_URL + 1] for name in ("url", "which")}
        typed["types"] = request.POST.getlist("types")[:100]
        try:
            return _added(request, actor.scope, actor, typed)
        except Refused as refused:
            faults = {"types" if "event" in refused.sentence else "url": refused.sentence}
    context = {
        "typed": typed,
        "faults": faults,
        "which": (("all", "Every event"), ("some", "Some events")),
        "types": [(name, name, meaning_of(name)) for name in TYPES],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "webhooks/form.html", {**_SECTION, **context}, status=status)


def _added(request: HttpRequest, tenant: UUID, actor: Actor, typed: dict[str, Any]) -> HttpResponse:
    if len(typed["url"]) > _LONGEST_URL:
        raise Refused(f"An address has at most {_LONGEST_URL:,} characters.")
    if typed["which"] == "some" and not typed["types"]:
        raise Refused("Tick at least one event, or choose every event above.")
    types = typed["types"] if typed["which"] == "some" else None
    asked = Asked(typed["url"], types, _by(actor))
    made = endpoints.add(raw(), keys_of(tenant), tenant, asked, settings.TROTH_HOOKS)
    return _shown(request, made.id, made.secret, typed["url"], None)


@needs("webhook:write")
@require_POST
def rotate(request: HttpRequest, endpoint: UUID) -> HttpResponse:
    """POST /webhooks/<endpoint>/rotate: a new secret; both sign for the hours given."""
    actor = actor_of(request)
    found, keys = _access(actor, endpoint)
    hours = request.POST.get("hours", "").strip()
    try:
        secret, ends = endpoints.rotate(raw(), keys, found, _by(actor), _hours(hours))
    except Refused as refused:
        return _detail(request, actor, endpoint, {"faults": {"hours": refused.sentence}, "typed": {"hours": hours}})
    return _shown(request, endpoint, secret, found.url(keys), ends)


def _hours(typed: str) -> timedelta:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 5):
        raise Refused("Give whole hours, from 0 to 168.")
    return timedelta(hours=int(typed))


@needs("webhook:write")
@require_POST
def act(request: HttpRequest, endpoint: UUID, name: str) -> HttpResponse:
    """POST /webhooks/<endpoint>/<act>: test, replay (what was given up), disable, enable, remove."""
    actor = actor_of(request)
    found, _ = _access(actor, endpoint)
    if name not in _ACTS:
        raise Http404
    try:
        messages.success(request, _ACTS[name](found, _by(actor)), "holds" if name != "disable" else "held")
    except Refused as refused:
        messages.error(request, refused.sentence)
    return HttpResponseRedirect("/webhooks" if name == "remove" else f"/webhooks/{endpoint}")


def _test(found: Endpoint, _by: str) -> str:
    deliveries.test(raw(), found)
    return "A test event is queued: its delivery is the newest below, in a moment."


def _replay(found: Endpoint, by: str) -> str:
    sent = deliveries.replay(raw(), found, Again(failed=True), by)
    return f"{sent:,} of the events that were given up go out again, each under its own id."


def _disable(found: Endpoint, by: str) -> str:
    endpoints.disable(raw(), found, by)
    return "Nothing more is sent. What happens meanwhile is kept for seven days, to be sent again."


def _enable(found: Endpoint, by: str) -> str:
    endpoints.enable(raw(), found, by)
    return "What happens from now on is sent."


def _remove(found: Endpoint, by: str) -> str:
    endpoints.remove(raw(), found, by)
    return "The endpoint is removed, with its secrets and what waited."


_ACTS: dict[str, Callable[[Endpoint, str], str]] = {
    "test": _test,
    "replay": _replay,
    "disable": _disable,
    "enable": _enable,
    "remove": _remove,
}


def _access(actor: Actor, endpoint: UUID) -> tuple[Endpoint, TenantKeys]:
    """Missing and another client's read the same: Http404."""
    if actor.scope is None:
        raise Http404
    try:
        return endpoints.find(raw(), [actor.scope], endpoint), keys_of(actor.scope)
    except Refused:
        raise Http404 from None


def _state(each: Endpoint) -> tuple[str, str]:
    """The look's word, and what it says."""
    if each.disabled_at is not None:
        return "stopped", {"failing": "Disabled: it failed", "gone": "Disabled: it is gone"}.get(
            each.disabled_why or "", "Disabled"
        )
    if each.failing_since is not None:
        return "held", f"Failing, {each.failures:,} in a row"
    return ("holds", "Works") if each.last_success_at else ("none", "Not tried yet")


def _shown(request: HttpRequest, endpoint: UUID, secret: str, url: str, ends: Any) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": secret, "url": url, "ends": ends}
    page = render(request, "webhooks/shown.html", {**_SECTION, **context})
    page["Cache-Control"] = "no-store"
    return page


def _by(actor: Actor) -> str:
    return f"account:{actor.account_id}"
