"""The calendar's pages: what is promised again and again, by when, and the same as a file for other calendars."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.calendar import ics, shown
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "calendar"}


@needs("calendar:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /calendar?programme=&owner=&claim=: what is overdue, then month by month."""
    actor, asked = actor_of(request), _asked(request)
    every, now = shown.found(actor)
    chosen = shown.narrowed(every, asked)
    context = {
        "months": shown.months(shown.lines(actor, chosen, now)),
        "now": now,
        "asked": asked,
        "any": any(asked.values()),
        "choices": shown.choices(every),
        "overdue": sum(each.state == "overdue" for each in every),
        "programmes": bool(every),
        "query": request.GET.urlencode(),
    }
    return render(request, "calendar/calendar.html", {**_SECTION, **context})


@needs("calendar:read")
@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """GET /calendar.ics: the same, to be taken into another calendar by whoever is signed in."""
    every, now = shown.found(actor_of(request))
    made = ics.calendar(shown.narrowed(every, _asked(request)), now, request.get_host().partition(":")[0])
    answer = HttpResponse(made, content_type=ics.MEDIA_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="duties-{now:%Y-%m-%d}.ics"'
    return answer


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\0", "")[:60] for name in shown.FIELDS}
