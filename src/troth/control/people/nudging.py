"""People: who is in with a password alone, and need not have more, is asked for a second factor, once a month."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from troth.control.people import local
from troth.control.people.actor import Actor
from troth.control.people.guard import needs
from troth.control.people.permissions import permission

_COOKIE = "troth_nudged"
_MONTH = 30 * 24 * 3600  # seconds


def needed(actor: Actor) -> bool:
    """Whether this person sees not even the first page without a second factor."""
    cell = permission(actor, "home:read")
    return cell is not None and cell.second


def nudge(request: HttpRequest, actor: Actor) -> bool:
    """Whether the pages' frame asks; those of one's own account do so in their own words."""
    if request.path.startswith("/account") or _COOKIE in request.COOKIES:
        return False
    return actor.session.second_factor_at is None and not needed(actor)


@needs(post="self:write")
@require_POST
def nudged(request: HttpRequest) -> HttpResponse:
    """POST /account/not-now: this browser is not asked again for a month."""
    response = HttpResponseRedirect(local.wanted(request))
    response.set_cookie(_COOKIE, "1", max_age=_MONTH, secure=settings.TROTH_SECURE, httponly=True, samesite="Lax")
    return response
