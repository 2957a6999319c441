"""Domains, for people: each sending domain with its state; one, with the records to publish and what the DNS says."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.domains import reading
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs

_CHOOSE: dict[str, Any] = {"section": "domains", "what": "Domains"}


@needs("domain:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /domains"""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _CHOOSE)
    return render(request, "domains/list.html", {**_CHOOSE, "domains": reading.domains(actor.scope)})


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
