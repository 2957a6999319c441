"""Reports of others, the regular review for people: what is due and new, a verdict on each finding, a signature."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.audit.refusals import Refused
from troth.control.incidents import review_forms
from troth.control.incidents.reviews import Standing
from troth.control.people.actor import actor_of, scoped
from troth.control.people.guard import needs
from troth.control.reports import reading, reviewing
from troth.control.reports.reviewing import Open

_SECTION: dict[str, Any] = {"section": "dmarc"}


@needs("dmarc-review:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /dmarc/reviews: where each programme's review stands, and those that were signed."""
    context = {
        "standings": reviewing.standings(actor_of(request).scope),
        "now": reading.now(),
        "signed": reviewing.signed(),
    }
    return render(request, "reports/reviews.html", {**_SECTION, **context})


@needs("dmarc-review:read")
@require_safe
def seen(request: HttpRequest, review: UUID) -> HttpResponse:
    """GET /dmarc/reviews/<id>: a signed review as it was shown and what was said."""
    return render(request, "reports/seen.html", {**_SECTION, "review": reviewing.access_review(review)})


@needs("dmarc:review")
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, programme: UUID) -> HttpResponse:
    """GET and POST /dmarc/review/<programme>: the figures since the last review, and a signature under them."""
    actor = actor_of(request)
    standing = reviewing.access_standing(actor, programme)
    typed = {name: str(value).replace("\0", "") for name, value in request.POST.items()}
    try:
        found = reviewing.open_review(actor, programme, review_forms.time(typed.get("until", "")))
        if found is None and typed:  # somebody signed it meanwhile
            found = reviewing.open_review(actor, programme)
    finally:
        scoped(actor.scope)
    if found is None:
        return render(request, "reports/nothing.html", {**_SECTION, "standing": standing})
    if request.method != "POST":
        return _ask(request, standing, found, {}, {})
    return _signed(request, standing, found, typed)


def _signed(request: HttpRequest, standing: Standing, found: Open, typed: dict[str, str]) -> HttpResponse:
    """The page says which figures it showed; only these are signed."""
    actor, count = actor_of(request), len(found.findings)
    if typed.get("digest") != found.digest.hex():
        return _ask(request, standing, found, review_forms.words(typed), {"": review_forms.CHANGED})
    faults = review_forms.faults(typed, count)
    if faults:
        return _ask(request, standing, found, typed, faults)
    verdicts = review_forms.verdicts(typed, count)
    try:
        made = reviewing.sign(actor, standing.programme, found, typed["words"].strip(), verdicts)
    except Refused as refused:
        return _ask(request, standing, found, review_forms.words(typed), {"": refused.sentence})
    finally:
        scoped(actor.scope)
    messages.success(request, review_forms.told(standing.code, verdicts), extra_tags="approved")
    return HttpResponseRedirect(f"/dmarc/reviews/{made}")


def _ask(
    request: HttpRequest, standing: Standing, found: Open, typed: dict[str, str], faults: dict[str, str]
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    context = {
        **review_forms.asked(found.findings, typed, faults),
        "standing": standing,
        "found": found,
        "now": reading.now(),
        "last": reviewing.signed(standing.programme, 1),
        "total": sum(int(d["messages"]) for d in found.domains),
        "passed": sum(int(d["passed"]) for d in found.domains),
    }
    return render(request, "reports/review.html", {**_SECTION, **context}, status=status)
