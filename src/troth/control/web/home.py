"""The pages' shell, its first page: what needs a person, then how the mail runs."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.audit.asking import row
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs
from troth.control.web import chart, numbers
from troth.control.web.agenda import agenda
from troth.control.web.numbers import DAY, HOUR, MONTH

_SIGNED = "SELECT at, size FROM troth.ledger_checkpoint WHERE log_id = 1 ORDER BY size DESC LIMIT 1"


@needs("home:read")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """GET /"""
    actor, now = actor_of(request), numbers.now()
    hour = numbers.whole_hour(now)
    month = numbers.hours(hour - MONTH * DAY)
    queues = numbers.queues(now)
    signed = row(_SIGNED)
    context: dict[str, Any] = {
        "section": "home",
        "now": now,
        "agenda": agenda(now, actor),
        "signed": signed,
        "signed_ago": max(now - signed[0], timedelta(0)) if signed else None,
        "volume": chart.volume(month, hour),
        "stats": [(stat, chart.spark(stat.days)) for stat in numbers.stats(month, hour + HOUR)],
        "queues": queues,
        "in_spool": sum(queue.n for queue in queues),
        "most_spool": numbers.MOST_SPOOL,
    }
    if actor.staff and actor.scope is None:
        context["today"] = numbers.clients(now)
    return render(request, "web/home.html", context)
