"""People: what a page needs of whoever opens it: a right, a second factor where the right asks for one, a recent proof.

`@needs("template:read")` stands outermost on a view; web/middleware.py asks `refused` before the view is called. A page
without a mark is nobody's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from troth.control.people.actor import Actor
from troth.control.people.permissions import Permission, permission, permissions
from troth.rules.profile import PROFILES

type View = Callable[..., HttpResponseBase]

_MARK = "troth_needs"
# an action's thing -> the section of its pages, and their name
_WHAT = {
    "message": ("messages", "Messages"),
    "template": ("templates", "Templates"),
    "category": ("categories", "Categories"),
    "policy": ("policies", "Policies"),
    "domain": ("domains", "Domains"),
    "dmarc": ("dmarc", "DMARC reports"),
    "suppression": ("suppressions", "Suppressions"),
    "recipient": ("recipients", "Recipients"),
    "service": ("services", "Notices to be served otherwise"),
    "abuse": ("abuse", "Recipients’ reports"),
    "incident": ("incidents", "Cases"),
    "letter": ("letters", "Letters"),
    "evidence": ("evidence", "Evidence"),
    "calendar": ("calendar", "Calendar of duties"),
    "asking": ("asked", "Questions from outside"),
    "import": ("recipients", "Imports"),
    "api-key": ("keys", "API keys"),
    "webhook": ("webhooks", "Webhooks"),
    "person": ("people", "People"),
    "grant": ("people", "People"),
    "change": ("changes", "Changes"),
    "sign-on": ("sign-on", "Sign-on settings"),
    "designation": ("designation", "Named individuals"),
    "claim": ("claims", "Promises"),
    "trust-page": ("trust-page", "The firm’s own trust page"),
    "request-log": ("records", "Records of requests"),
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FRESH = timedelta(minutes=10)  # for opening such a page
_TYPING = timedelta(minutes=20)  # for sending its form


@dataclass(frozen=True, slots=True)
class Needs:
    """`get` and `post`: actions of permissions.toml; `fresh`: a factor was shown in the last minutes."""

    get: str
    post: str
    fresh: bool = False


def needs(get: str = "", *, post: str = "", fresh: bool = False) -> Callable[[View], View]:
    """Mark a view. One action for both, unless another is given for what changes something."""

    def mark(view: View) -> View:
        setattr(view, _MARK, Needs(get or post, post or get, fresh))
        return view

    return mark


def needs_of(view: Any) -> Needs | None:
    found: Needs | None = getattr(view, _MARK, None)
    return found


def refused(request: HttpRequest, actor: Actor, wanted: Needs | None) -> HttpResponse | None:
    """None: go on. Raise Http404 for what is not for this person, which reads as what is not there."""
    if wanted is None:
        raise Http404
    safe = request.method in _SAFE
    action = wanted.get if safe else wanted.post
    cell = permission(actor, action)
    if cell is None and safe and (elsewhere := _elsewhere(actor, action)) is not None:
        return _which(request, actor, action, elsewhere)
    if cell is None or (cell.named and not actor.named):
        raise Http404
    if cell.second and actor.session.second_factor_at is None:
        return _to("/second-factor", request)
    if wanted.fresh and not _recent(actor, _FRESH if safe else _TYPING):
        return _to("/prove", request)
    return None


def _elsewhere(actor: Actor, action: str) -> Permission | None:
    """Staff who look at no client in particular are asked at which, where they may open the page of some client."""
    if actor.tenant_id is not None or actor.scope is not None:
        return None
    cells = (permissions().get((profile, action, "clients", actor.role)) for profile in PROFILES)
    return next((cell for cell in cells if cell is not None), None)


def _which(request: HttpRequest, actor: Actor, action: str, cell: Permission) -> HttpResponse:
    """No view is called by somebody without the right: it is here that they are asked."""
    if cell.second and actor.session.second_factor_at is None:
        return _to("/second-factor", request)
    section, what = _WHAT.get(action.partition(":")[0], ("", "Such pages"))
    return render(request, "web/choose.html", {"section": section, "what": what})


def _recent(actor: Actor, span: timedelta) -> bool:
    proved = actor.session.proved_at
    return proved is not None and actor.session.now - proved <= span


def _to(place: str, request: HttpRequest) -> HttpResponse:
    """And back afterwards: to the page itself, or to the one whose form was sent."""
    there = request.get_full_path() if request.method in _SAFE else request.path
    return HttpResponseRedirect(f"{place}?{urlencode({'next': there})}")
