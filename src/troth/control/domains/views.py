"""Domains, for people: each sending domain with its state; one, with the records to publish and what the DNS says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from troth.control.audit.refusals import Refused, refusals
from troth.control.domains import house, reading
from troth.control.people.actor import actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.tenants import sending_domains
from troth.control.tenants.sending_domains import Ours

SECTION: dict[str, Any] = {"section": "domains", "what": "Domains"}
_NEVER = datetime.min.replace(tzinfo=UTC)
_SORTS: dict[str, Callable[[reading.Domain], Any]] = {
    "name": lambda each: (each.retired, each.name),
    "state": lambda each: (each.word, each.name),
    "asked": lambda each: (each.checked_at or _NEVER, each.name),
}


@needs("domain:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /domains?state=&sort=: a client has few enough to be sorted here. Staff who look at no client: of all."""
    actor = actor_of(request)
    if actor.scope is None:
        found_of_all, n = house.domains()
        return render(request, "domains/house.html", {**SECTION, "domains": found_of_all, "all_of_them": n})
    all_of_them = reading.domains(actor.scope)
    words = sorted({each.word for each in all_of_them})
    state, sort = request.GET.get("state", ""), request.GET.get("sort", "name")
    found = [each for each in all_of_them if state not in words or each.word == state]
    key = _SORTS.get(sort.removeprefix("-"), _SORTS["name"])
    context = {
        "domains": sorted(found, key=key, reverse=sort.startswith("-")),
        "all_of_them": len(all_of_them),
        "proposed": reading.proposed(actor.scope),
        "words": words,
        "state": state if state in words else "",
        "sort": sort,
        "sorts": {f"{sign}{name}": _address(f"{sign}{name}", state) for name in _SORTS for sign in ("", "-")},
    }
    return render(request, "domains/list.html", {**SECTION, **context})


def _address(sort: str, state: str) -> str:
    return f"/domains?{urlencode({'sort': sort, **({'state': state} if state else {})})}"


@needs("domain:read")
@require_safe
def detail(request: HttpRequest, domain: UUID) -> HttpResponse:
    """GET /domains/<domain>: also of one that waits for its second person, whose records may be published meanwhile."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", SECTION)
    found = reading.access_domain(actor, domain)
    keys = reading.keys(actor, domain)
    asked = ours()
    records = reading.wanted(found, keys, asked)
    must = [each for each in records if not each.advice]
    context = {
        "section": "domains",
        "domain": found,
        "records": records,
        "wanted": len(must),
        "holding": sum(each.holds for each in must),
        "missing": sum(not each.holds for each in must),
        "keys": [(key, f"{key.selector}._domainkey.{found.name}", reading.public_text(key)) for key in keys],
        "next": reading.next_key(found, keys, settings.TROTH_DKIM_SETTLE),
        "authorisation": sending_domains.authorisation(found.name, asked.reports) if asked.reports else None,
        "spf_missing": not asked.spf,
    }
    return render(request, "domains/one.html", context)


@needs("domain:look")
@require_POST
def look(request: HttpRequest, domain: UUID) -> HttpResponse:
    """POST /domains/<domain>/look: the duties ask the DNS within seconds; once in 20 seconds."""
    actor = actor_of(request)
    found = reading.access_domain(actor, domain)
    try:
        with refusals():
            row = raw().execute("SELECT troth.domain_look_v1(%s, %s)", (found.id, actor.secret)).fetchone()
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        if not (row and row[0]):
            messages.warning(request, "The DNS was asked a moment ago: try again in twenty seconds.", "waiting")
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/domains/{domain}")


def ours() -> Ours:
    """What this installation asks of every domain."""
    return Ours(settings.TROTH_SPF_MECHANISM, settings.TROTH_RETURN_PATH, settings.TROTH_MAIL_DOMAIN)
