"""Domains, for people: each sending domain with its state; one, with the records to publish and what the DNS says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.domains import reading
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs

_CHOOSE: dict[str, Any] = {"section": "domains", "what": "Domains"}
_NEVER = datetime.min.replace(tzinfo=UTC)
_SORTS: dict[str, Callable[[reading.Domain], Any]] = {
    "name": lambda each: (each.retired, each.name),
    "state": lambda each: (each.word, each.name),
    "asked": lambda each: (each.checked_at or _NEVER, each.name),
}


@needs("domain:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /domains?state=&sort=: a client has few enough to be sorted here."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _CHOOSE)
    all_of_them = reading.domains(actor.scope)
    words = sorted({each.word for each in all_of_them})
    state, sort = request.GET.get("state", ""), request.GET.get("sort", "name")
    found = [each for each in all_of_them if state not in words or each.word == state]
    key = _SORTS.get(sort.removeprefix("-"), _SORTS["name"])
    context = {
        "domains": sorted(found, key=key, reverse=sort.startswith("-")),
        "all_of_them": len(all_of_them),
        "words": words,
        "state": state if state in words else "",
        "sort": sort,
        "sorts": {f"{sign}{name}": _address(f"{sign}{name}", state) for name in _SORTS for sign in ("", "-")},
    }
    return render(request, "domains/list.html", {**_CHOOSE, **context})


def _address(sort: str, state: str) -> str:
    return f"/domains?{urlencode({'sort': sort, **({'state': state} if state else {})})}"


@needs("domain:read")
@require_safe
def detail(request: HttpRequest, domain: UUID) -> HttpResponse:
    """GET /domains/<domain>"""
    actor = actor_of(request)
    found = reading.access_domain(actor, domain)
    keys = reading.keys(actor, domain)
    records = reading.wanted(found, keys, settings.TROTH_SPF_MECHANISM)
    context = {
        "section": "domains",
        "domain": found,
        "records": records,
        "holding": sum(each.holds for each in records),
        "missing": sum(not each.holds for each in records),
        "keys": [(key, reading.public_text(key)) for key in keys],
    }
    return render(request, "domains/one.html", context)
