"""The pages' shell, its own few pages: which client to look at, and in which colours."""

import re
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from troth.control.people import actor
from troth.control.people.guard import needs
from troth.control.tenants import menu
from troth.control.web.context import THEME_COOKIE, THEMES

_YEAR = 31_536_000  # seconds
_PAGE = 50
# where a client may be chosen, too: a list and what it was asked for (RFC 3986 3.4), one change or one domain
_LISTS = (
    "messages|changes|categories|templates|policies|suppressions|domains|keys|webhooks|people|reviews|sign-on|ledger"
    "|records|stops|changes/[0-9a-f-]{36}|domains/[0-9a-f-]{36}"
)
_list_re = re.compile(rf"/(?:{_LISTS})(?:\?[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]{{1,2000}})?\Z")


@needs("clients:read")
@require_POST
def scope(request: HttpRequest) -> HttpResponse:
    """POST /scope: staff look at `client` from now on; empty: at none. Then to `next`, a list."""
    if not actor.actor_of(request).staff:
        raise Http404
    given = request.POST.get("client", "")
    try:
        tenant = UUID(given) if given else None
    except ValueError:
        raise Http404 from None
    if tenant is not None and menu.one(tenant) is None:
        raise Http404
    if actor.actor_of(request).scope != tenant:
        rotate_token(request)  # a form that was opened for one client is not sent for another
    actor.choose(request, tenant)
    back = request.POST.get("next", "")
    return HttpResponseRedirect(back if _list_re.match(back) else "/")


@needs("clients:read")
@require_safe
def clients(request: HttpRequest) -> HttpResponse:
    """GET /clients: all of them by name, for staff."""
    if not actor.actor_of(request).staff:
        raise Http404
    part, after = request.GET.get("q", "")[:100].replace("\0", ""), request.GET.get("skip", "0")
    skip = min(int(after), 1_000_000) if after.isascii() and after.isdigit() and len(after) < 8 else 0
    found = menu.named(part, skip, _PAGE + 1)
    context = {
        "section": "clients",
        "found": found[:_PAGE],
        "q": part,
        "first": skip + 1,
        "last": skip + len(found[:_PAGE]),
        "earlier": max(skip - _PAGE, 0) if skip else None,
        "later": skip + _PAGE if len(found) > _PAGE else None,
    }
    return render(request, "web/clients.html", context)


@require_POST
def look(request: HttpRequest) -> HttpResponse:
    """POST /look: light, dark, or as the machine says; kept in this browser alone. Back to where the form was."""
    theme, back = request.POST.get("theme", ""), request.headers.get("Referer", "/")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if ours else "/")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=_YEAR, secure=settings.TROTH_SECURE, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response
