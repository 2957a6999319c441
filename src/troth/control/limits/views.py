"""Limits, for people: what is left to a client in this hour and day, by key and template, and how far a warm-up is."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.approvals.standing import standing
from troth.control.limits import routes, windows
from troth.control.limits.windows import Asked
from troth.control.people.actor import actor_of, raw, scoped
from troth.control.people.guard import needs


@needs("home:read")
@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    """GET /limits?q=&keys=&templates=: the client's windows as they stand now; for the house, the routes alone."""
    actor, given = actor_of(request), request.GET
    part, keys, templates = (given.get(name, "").replace("\0", "")[:200] for name in ("q", "keys", "templates"))
    now = None
    if actor.scope is not None:
        here = standing(raw(), actor.scope)
        scoped(actor.scope)
        now = windows.windows(here, Asked(part.strip(), keys, templates))
    house = actor.scope is None
    found, host = routes.routes(every=house), settings.TROTH_RELAY if house else ""
    context = {
        "section": "limits",
        "now": now,
        "routes": found,
        "host": host,
        "q": part,
        "keys_at": keys,
        "templates_at": templates,
    }
    return render(request, "limits/limits.html", context)
