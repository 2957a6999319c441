"""Complaints, for people: what Gmail and Microsoft tell of our domains and addresses."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.complaints import postmaster
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "feedback-loops", "what": "What providers tell"}


@needs("loop:read")
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """GET /feedback-loops/providers"""
    context = {
        "providers": postmaster.providers(),
        "days": postmaster.DAYS,
        "box": f"0 0 {postmaster.WIDTH} {postmaster.HEIGHT}",
    }
    return render(request, "complaints/postmaster.html", {**_SECTION, **context})
