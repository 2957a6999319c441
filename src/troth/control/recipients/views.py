"""Recipients: the confirmation page. Looking changes nothing, so that a mail scanner confirms nobody; the button does,
for the browser that was shown it: a signed cookie and Django's token say so. It says that the address is theirs, and
nothing else: what else may be sent has a box of its own (agreeing.py).
"""

import hashlib
from collections.abc import Collection, Sequence
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.recipients import agreeing, confirmation
from troth.control.recipients.agreeing import Offer
from troth.control.recipients.confirmation import Link

_COOKIE = "troth_confirm"
_SALT = "troth.recipients.confirm"
_HOURS = 24


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """GET shows who asks; POST confirms."""
    value = confirmation.secret_of(secret)
    link = confirmation.look(value) if value else None
    if value is None or link is None:
        return _page(request, "unknown", status=HTTPStatus.NOT_FOUND)
    if link.used_at is not None:
        return _page(request, "already", link)
    if link.expired:
        return _page(request, "expired", link, status=HTTPStatus.GONE)
    if request.method == "POST":
        return _confirmed(request, value, link)
    response = _asked(request, value, link, agreeing.offers(value))
    response.set_cookie(
        _COOKIE,
        signing.dumps(_mark(value), salt=_SALT),
        max_age=_HOURS * 3600,
        path="/confirm",
        secure=settings.TROTH_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


@transaction.atomic
def _confirmed(request: HttpRequest, value: bytes, link: Link) -> HttpResponse:
    """The verification and what was agreed to are one; a wrong code's count stays."""
    if not _was_shown(request, value):
        return cookie_missing(request)
    if not confirmation.turn(value):
        return _page(request, "already", link)
    offered, told = agreeing.offers(value), request.POST
    agreed = agreeing.ticked(offered, told.getlist("agree"))
    if agreed is None or not agreeing.was_shown(value, link, offered, told.get("shown", ""), _HOURS * 3600):
        return _asked(request, value, link, offered, wrong="changed")
    typed = "".join(told.get("code", "").split()).replace("\0", "")[:12] or None
    if link.needs_code and typed is None:
        return _asked(request, value, link, offered, agreed, wrong="missing")
    with transaction.atomic():  # verified and on record, or neither
        verified = confirmation.confirm(value, typed) is not None
        if verified:
            agreeing.record(value, link, agreed, _how(typed), request.META.get("REMOTE_ADDR", ""))
    again = None if verified or typed is None else confirmation.look(value)
    if again is not None and not again.expired:
        return _asked(request, value, again, offered, agreed, wrong="wrong")
    return _done(request, link, agreed) if verified else _page(request, "expired", link, status=HTTPStatus.GONE)


def _done(request: HttpRequest, link: Link, agreed: Sequence[Offer]) -> HttpResponse:
    response = _page(request, "done", link, agreed=agreed)
    response.delete_cookie(_COOKIE, path="/confirm", samesite="Strict")
    return response


def _asked(
    request: HttpRequest,
    value: bytes,
    link: Link,
    offered: Sequence[Offer],
    agreed: Collection[Offer] = (),
    wrong: str = "",
) -> HttpResponse:
    """The question; again with what was ticked, where something was wrong with the answer."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    boxes = [(each, each in agreed) for each in offered]
    more = {"boxes": boxes, "intro": agreeing.intro(link), "shown": agreeing.shown(value, link, offered)}
    return _page(request, "ask", link, status=status, wrong=wrong, button=agreeing.BUTTON, **more)


def _how(typed: str | None) -> str:
    code = "" if typed is None else "typed the code of the mail and "
    return f"{code}pressed the button of the page that the link in the mail led to"


def _mark(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _was_shown(request: HttpRequest, value: bytes) -> bool:
    """Whether this browser was shown this very link's page."""
    try:
        mark = signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_HOURS * 3600)
    except signing.BadSignature:
        return False
    return bool(mark == _mark(value))


def cookie_missing(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The button came without the cookie or token of a page that we showed; Django's checks end here, too."""
    del reason
    return _page(request, "again", status=HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Every other path, and every request that cannot be read."""
    del exception
    return _page(request, "nowhere", status=HTTPStatus.NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    """Ours: nothing of the trouble is told."""
    return _page(request, "broken", status=HTTPStatus.SERVICE_UNAVAILABLE)


def _page(
    request: HttpRequest, name: str, link: Link | None = None, *, status: HTTPStatus = HTTPStatus.OK, **more: Any
) -> HttpResponse:
    response = render(request, f"recipients/{name}.html", {"link": link, **more}, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "30"
    return response


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    """The one style sheet."""
    del request
    return HttpResponse(_style(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=3600"})


@cache
def _style() -> str:
    return (resources.files("troth.control.recipients") / "look" / "recipient.css").read_text(encoding="utf-8")
