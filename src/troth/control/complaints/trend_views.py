"""Complaints, for people: their trend by week, client, template and provider, on a page and as a file."""

import csv
import io
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.access.exporting import safe
from troth.control.complaints import trend
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "complaints"}
_TABLES = (
    ("client", "Clients", "Client", "What each sent, and how much of it was complained about"),
    ("template", "Templates", "Template", "Sent from a template, by the hour of acceptance; counted every ten minutes"),
    ("source", "Providers", "Told by", "Whose readers complained; of all mail, since who reads where is not kept"),
)  # fmt: skip


@needs("complaint:read")
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """GET /complaints?weeks=&client=&template=&source="""
    actor = actor_of(request)
    asked = _asked(request, actor)
    at, counted = trend.now()
    weeks = trend.weeks(at, asked)
    total = trend.Counted(sum(each.sent for each in weeks), sum(each.complained for each in weeks))
    tables = [
        {"key": key, "title": title, "head": head, "about": about, **_lines(key, at, asked, total)}
        for key, title, head, about in _TABLES
        if key != "client" or not actor.scope
    ]
    context = {
        "asked": asked, "weeks": list(reversed(weeks)), "chart": trend.chart(weeks), "month": trend.month(at, asked),
        "tables": tables, "choices": trend.choices(at, asked), "periods": trend.PERIODS, "total": total,
        "counted": counted, "days": trend.MONTH, "sample": trend.SAMPLE, "claimed": trend.CLAIMED,
        "target": trend.TARGET, "box": f"0 0 {trend.WIDTH} {trend.HEIGHT}", "tab": "trend",
    }  # fmt: skip
    return render(request, "complaints/trend.html", {**_SECTION, **context})


def _lines(key: str, at: datetime, asked: trend.Asked, total: trend.Counted) -> dict[str, Any]:
    """Of a provider, and of what had no template, there is no number of its own: all that was sent is beside it."""
    found = trend.by(key, at, asked)
    lines = [each if key != "source" and each.id else replace(each, sent=total.sent) for each in found[: trend.MOST]]
    return {"lines": lines, "more": len(found) > trend.MOST}


@needs("complaint:read")
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """GET /complaints.csv: the same figures, RFC 4180; no cell is a formula."""
    actor = actor_of(request)
    asked = _asked(request, actor)
    at, _ = trend.now()
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(("by", "name", "client", "sent", "complained"))
    for week in trend.weeks(at, asked):
        writer.writerow(("week", week.day, "", week.sent, week.complained))
    for key in ("template", "source") if actor.scope else ("client", "template", "source"):
        for each in trend.by(key, at, asked):
            writer.writerow([safe(value) for value in (key, each.name, each.client or "", each.sent, each.complained)])
    answer = HttpResponse(made.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="complaints-{at:%Y-%m-%d}.csv"'
    return answer


def _asked(request: HttpRequest, actor: Actor) -> trend.Asked:
    """What nobody offers is as if it were not asked for."""
    given = {
        name: request.GET.get(name, "").replace("\0", "")[:60] for name in ("weeks", "client", "template", "source")
    }
    weeks = next((each for each in trend.PERIODS if str(each) == given["weeks"]), trend.WEEKS)
    client = None if actor.scope else _id(given["client"])
    return trend.Asked(weeks, client, _id(given["template"]), given["source"] or None)


def _id(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None
