"""The trust centre: how a page leaves: closed to everything but itself, the same for everybody, and never older than
what it says. Without the database there is no page, since an old one might claim what is no longer so.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, wraps
from http import HTTPStatus
from importlib import resources
from typing import Any, Concatenate

import psycopg
from django import db
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.utils.csp import CSP
from django.utils.http import http_date
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from troth.control.audit.refusals import Refused, StoreAway
from troth.control.centre.words import words

_log = logging.getLogger("troth.centre")
_ASKED = "public, no-cache"  # kept by anybody, and asked about each time: what is no longer so is not shown again
_PAGE = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "form-action": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
_FILE = {"default-src": [CSP.NONE], "sandbox": True, "base-uri": [CSP.NONE], "frame-ancestors": [CSP.NONE]}
_COMMENTS = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_RETRY = "30"

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def public[**P](view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A page: GET and HEAD alone; a database that does not answer is said, and nothing else."""
    return _answered(view, _PAGE)


def public_file[**P](view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """The same of what is no page: wherever it is opened, it has no powers."""
    return _answered(view, _FILE)


def _answered[**P](view: View[P], policy: dict[str, Any]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    @wraps(view)
    def answer(request: HttpRequest, /, *given: P.args, **named: P.kwargs) -> HttpResponse:
        try:
            response = view(request, *given, **named)
        except (db.Error, psycopg.Error, Refused, StoreAway) as trouble:
            _log.error("the trust centre could not be read: %s", type(trouble).__name__)
            response = _trouble(HTTPStatus.SERVICE_UNAVAILABLE, "away")
        powers = policy if response.status_code < HTTPStatus.BAD_REQUEST else _PAGE  # what says no is a page
        return csp_override(powers)(lambda _: response)(request)

    return require_safe(answer)


def missing() -> HttpResponse:
    """Nothing here, or nothing that is for everybody: one page for both."""
    return _trouble(HTTPStatus.NOT_FOUND, "missing")


def later() -> HttpResponse:
    """It will be there, but is not yet."""
    return _trouble(HTTPStatus.SERVICE_UNAVAILABLE, "away")


def _trouble(status: HTTPStatus, what: str) -> HttpResponse:
    context = {"w": words("en"), "what": words("en").told[what], "look": look_url()}
    response = HttpResponse(render_to_string("centre/trouble.html", context), status=status)
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = _RETRY
    return response


def whole(request: HttpRequest, content: bytes, now: datetime, kind: str = "text/html; charset=utf-8") -> HttpResponse:
    """A page that anybody may keep, and asks about each time."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = _ASKED
    response["ETag"] = etag
    response["Last-Modified"] = http_date(now.timestamp())
    return get_conditional_response(request, etag, None, response) or response


def attached(content: bytes, filename: str) -> HttpResponse:
    """A file that is kept, and never opened in our name: no type of its own, no powers."""
    response = HttpResponse(content, content_type="application/octet-stream")
    # the name was checked when it came: letters, digits, ._- and blanks
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    """GET /look/trust.css: the style sheet; its address changes with it."""
    del request
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return HttpResponse(_style(), content_type="text/css; charset=utf-8", headers=headers)


def look_url() -> str:
    return f"/look/trust.css?{hashlib.sha256(_style().encode()).hexdigest()[:12]}"


@cache
def _style() -> str:
    text = (resources.files("troth.control.centre") / "look" / "trust.css").read_text(encoding="utf-8")
    return _COMMENTS.sub("", text)


def rendered(template: str, **given: Any) -> bytes:
    """A template without a request: nothing of who asks can be in it."""
    return render_to_string(f"centre/{template}", {"look": look_url(), **given}).encode()
