"""Complaints, the monthly review for people: what is due, a verdict on each finding, a signature; and as a file."""

import csv
import io
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.access.exporting import safe
from troth.control.audit.refusals import Refused
from troth.control.complaints import monthly, trend
from troth.control.complaints.monthly import Open
from troth.control.incidents import review_forms
from troth.control.incidents.reviews import Standing
from troth.control.people.actor import actor_of, scoped
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "complaints"}


@needs("complaint-review:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /complaints/reviews: where each programme's review stands, and those that were signed."""
    context = {
        "standings": monthly.standings(actor_of(request).scope),
        "now": trend.now()[0],
        "signed": monthly.signed(),
        "tab": "reviews",
    }
    return render(request, "complaints/reviews.html", {**_SECTION, **context})


@needs("complaint-review:read")
@require_safe
def seen(request: HttpRequest, review: UUID) -> HttpResponse:
    """GET /complaints/reviews/<id>: a signed review as it was shown and what was said."""
    return render(
        request, "complaints/reviewed.html", {**_SECTION, "review": monthly.access_review(review), "review_id": review}
    )


@needs("complaint-review:read")
@require_safe
def figures(request: HttpRequest, review: UUID) -> HttpResponse:
    """GET /complaints/reviews/<id>.csv: what was signed, RFC 4180; no cell is a formula."""
    del request
    found = monthly.access_review(review)
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(("what", "name", "client", "sent", "complained", "verdict", "note", "case"))
    writer.writerow(_cells("programme", found.code, "", found.figures.sent, found.figures.complained))
    writer.writerow(_cells("covers", f"{found.begin.isoformat()} to {found.until.isoformat()}"))
    writer.writerow(_cells("signed", f"{found.who}, {found.at.isoformat()}"))
    writer.writerow(_cells("words", found.words))
    writer.writerow(_cells("sha256", found.digest.hex()))
    for each in found.figures.weeks:
        writer.writerow(_cells("week", each["week"], "", each["sent"], each["complained"]))
    for each in found.figures.clients:
        writer.writerow(_cells("client", each["client"], each["client"], each["sent"], each["complained"]))
    for each in found.figures.templates:
        writer.writerow(_cells("template", each["template"], each["client"], each["sent"], each["complained"]))
    for each in found.figures.sources:
        writer.writerow(_cells("provider", each["source"], "", "", each["complained"]))
    for each, said in found.findings:
        row = _cells(
            "finding", f"{each['title']}: {each['about']}", each["client"] or "", each["sent"], each["complained"]
        )
        writer.writerow(row + _cells(said["verdict"], said["note"], said["reference"] or ""))
    answer = HttpResponse(made.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="complaints-{found.code}-{found.at:%Y-%m-%d}.csv"'
    return answer


def _cells(*values: object) -> list[str]:
    return [safe(value) for value in values]


@needs("complaint:review")
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, programme: UUID) -> HttpResponse:
    """GET and POST /complaints/review/<programme>: the figures since the last review, and a signature under them."""
    actor = actor_of(request)
    standing = monthly.access_standing(actor, programme)
    typed = {name: str(value).replace("\0", "") for name, value in request.POST.items()}
    try:
        found = monthly.open_review(actor, programme, review_forms.time(typed.get("until", "")))
        if found is None and typed:  # somebody signed it meanwhile
            found = monthly.open_review(actor, programme)
    finally:
        scoped(actor.scope)
    if found is None:
        return render(request, "complaints/review_nothing.html", {**_SECTION, "standing": standing})
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
        made = monthly.sign(actor, standing.programme, found, typed["words"].strip(), verdicts)
    except Refused as refused:
        return _ask(request, standing, found, review_forms.words(typed), {"": refused.sentence})
    finally:
        scoped(actor.scope)
    messages.success(request, review_forms.told(standing.code, verdicts), extra_tags="approved")
    return HttpResponseRedirect(f"/complaints/reviews/{made}")


def _ask(
    request: HttpRequest, standing: Standing, found: Open, typed: dict[str, str], faults: dict[str, str]
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    context = {
        **review_forms.asked(found.findings, typed, faults),
        "standing": standing,
        "found": found,
        "now": trend.now()[0],
        "last": monthly.signed(standing.programme, 1),
    }
    return render(request, "complaints/review.html", {**_SECTION, **context}, status=status)
