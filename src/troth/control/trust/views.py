"""Claims, for people: what is promised and whether it holds, one claim with what was seen, and a look at it now."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from troth.control.audit.refusals import Refused, refusals
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.trust import catalogue
from troth.control.trust import detail as details
from troth.control.trust import listed as lists
from troth.control.trust.strokes import strokes

_SECTION: dict[str, Any] = {"section": "claims"}
_ASK = "SELECT troth.claim_ask_v1(%s, %s)"
_KINDS = {
    "enforced": "The database or a program refuses what would break it",
    "measured": "Computed from records over a window of time",
    "probed": "Looked at from outside, on a schedule",
    "attested": "A person’s evidence, which a second person accepted",
}


@needs("claim:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /claims?state=&section=&programme=&q="""
    actor, asked = actor_of(request), lists.asked(request.GET.dict())
    try:
        found = _read(actor, lambda: lists.listed(raw(), asked))
    except Refused:
        raise Http404 from None
    context = {
        "asked": asked,
        "found": found,
        "tally": strokes(found.states),
        "states": lists.STATES,
        "sections": [(each, each.replace("-", " ").capitalize()) for each in lists.sections()],
    }
    return render(request, "trust/list.html", {**_SECTION, **context})


@needs("claim:read")
@require_safe
def one(request: HttpRequest, claim: str) -> HttpResponse:
    """GET /claims/<claim>"""
    actor = actor_of(request)
    if catalogue.claim(claim) is None:
        raise Http404
    found = _read(actor, lambda: details.detail(raw(), claim))
    return render(request, "trust/claim.html", {**_SECTION, "found": found, "kind": _KINDS[found.claim.kind]})


@needs(post="claim:check")
@require_POST
def check(request: HttpRequest, claim: str) -> HttpResponse:
    """POST /claims/<claim>/check: the watch looks at it within a minute or two."""
    actor = actor_of(request)
    if catalogue.claim(claim) is None:
        raise Http404
    try:
        with refusals(), raw().transaction():
            raw().execute(_ASK, (claim, actor.secret))
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"{claim} is looked at within two minutes, while the platform runs.")
    return HttpResponseRedirect(f"/claims/{claim}")


def _read[T](actor: Actor, read: Callable[[], T]) -> T:
    """Policies are read for no client in particular; the transaction goes on seeing what it saw."""
    try:
        return read()
    finally:
        scoped(actor.scope)
