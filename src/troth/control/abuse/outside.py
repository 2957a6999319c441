"""The desks, for anybody: what their pages have in common: no script, one look, nothing kept by a browser."""

from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.abuse.who import Who


def page(request: HttpRequest, name: str, whose: Who, status: HTTPStatus = HTTPStatus.OK, **given: Any) -> HttpResponse:
    response = render(request, f"abuse/{name}.html", {"who": whose, **given}, status=status)
    response["Cache-Control"] = "no-store"
    if name in ("sent", "gone"):
        response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    """The style sheet, on top of the recipients' one."""
    del request
    return HttpResponse(_style(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=3600"})


@cache
def _style() -> str:
    return (resources.files("troth.control.abuse") / "look" / "desks.css").read_text(encoding="utf-8")
