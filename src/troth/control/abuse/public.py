"""The desks, for anybody: the forms of /report-abuse and /security. Looking changes nothing; a form is shown once more
before it is sent, and only the browser that was shown it, within the hour, sends it.
"""

import hashlib
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from troth.control.abuse import filing, who
from troth.control.abuse.outside import page
from troth.control.abuse.shown import link
from troth.control.abuse.typed import ABUSE, CREDIT, SEVERITY, WEAKNESS, WHAT, Form
from troth.control.abuse.who import Who
from troth.control.abuse.words import promise
from troth.control.audit.asking import rows
from troth.rules import desks

_COOKIE, _SALT = "troth_report", "troth.abuse.report"
_HOUR = 3600
_STALE = "This page was open for over an hour, or in another browser. Look at it once more, and press again."
_THANKS = "SELECT name, what, at FROM troth.disclosure_thanks_v1(200)"
_LABELS = {
    "abuse": {"what": "What is wrong", "source": "The message", "words": "In your words", "address": "Your address"},
    "security": {
        "title": "What it is", "where": "Where it is", "how": "How it can be seen", "severity": "How bad",
        "credit": "To be thanked by name", "name": "The name", "address": "Your address",
    },
}  # fmt: skip
_LONG = ("source", "how")


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """GET and POST /report-abuse."""
    return _form(request, ABUSE)


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def weakness(request: HttpRequest) -> HttpResponse:
    """GET and POST /security."""
    return _form(request, WEAKNESS)


def _form(request: HttpRequest, form: Form) -> HttpResponse:
    whose = who.of(request)
    if request.method != "POST":
        return _typing(request, form, whose, dict.fromkeys(form.fields, ""))
    typed = form.read(request.POST.dict())
    does = request.POST.get("do")
    faults = {} if does == "back" else form.faults(typed)
    if faults or does == "back":
        return _typing(request, form, whose, typed, faults)
    if does != "send":
        return _sure(request, form, whose, typed)
    once = _pressed(request, form, typed)
    return _sure(request, form, whose, typed, _STALE) if once is None else _send(request, form, whose, typed, once)


def _send(request: HttpRequest, form: Form, whose: Who, typed: Mapping[str, str], once: bytes) -> HttpResponse:
    filed = filing.file(form, typed, whose, _place(request), once)
    if filed is None:
        return page(request, "full", whose, HTTPStatus.TOO_MANY_REQUESTS, mail=whose.mail(form.desk))
    return HttpResponseRedirect(f"/report/{link(filed.case)}?{'mailed' if filed.mailed else 'kept'}")


def _typing(
    request: HttpRequest, form: Form, whose: Who, typed: Mapping[str, str], faults: Mapping[str, str] | None = None
) -> HttpResponse:
    clocks = desks.soonest(form.kind, "form", filing.policies(None, whose.programme), filing.now())
    given: dict[str, Any] = {"typed": typed, "faults": faults or {}, "mail": whose.mail(form.desk)}
    given |= {"promise": promise(clocks), "what": WHAT, "severity": SEVERITY, "credit": CREDIT}
    if form is WEAKNESS:
        given["thanks"] = [{"name": name, "what": what, "at": when} for name, what, when in rows(_THANKS)]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return page(request, "report" if form is ABUSE else "weakness", whose, status, **given)


def _sure(request: HttpRequest, form: Form, whose: Who, typed: Mapping[str, str], stale: str = "") -> HttpResponse:
    """What is about to be sent, with a token for just that, in just this browser."""
    nonce = _nonce(request) or secrets.token_hex(16)
    token = signing.dumps([secrets.token_hex(8), _digest(form, typed, nonce)], salt=_SALT)
    status = HTTPStatus.FORBIDDEN if stale else HTTPStatus.OK
    given = {"typed": typed, "shown": _told(form, typed), "token": token, "stale": stale}
    response = page(request, "sure", whose, status, **given)
    mark = signing.dumps(nonce, salt=_SALT)
    response.set_cookie(_COOKIE, mark, _HOUR, secure=settings.TROTH_SECURE, httponly=True, samesite="Strict")
    return response


def _told(form: Form, typed: Mapping[str, str]) -> list[dict[str, Any]]:
    words = {**dict(WHAT), **dict(SEVERITY), **dict(CREDIT)}
    return [
        {"label": label, "value": words.get(typed[name], typed[name]), "source": bool(typed[name]) and name in _LONG}
        for name, label in _LABELS[form.desk].items()
        if name != "name" or typed.get("credit") == "yes"
    ]


def _pressed(request: HttpRequest, form: Form, typed: Mapping[str, str]) -> bytes | None:
    """What makes this form one case, however often it is sent; None unless this browser was shown it of late."""
    nonce = _nonce(request)
    try:
        one, told = signing.loads(request.POST.get("shown", ""), salt=_SALT, max_age=_HOUR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if nonce is None or told != _digest(form, typed, nonce):
        return None
    return hashlib.sha256(f"{one} {told}".encode()).digest()


def _nonce(request: HttpRequest) -> str | None:
    try:
        return str(signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_HOUR))
    except signing.BadSignature:
        return None


def _digest(form: Form, typed: Mapping[str, str], nonce: str) -> str:
    told = "\0".join([form.desk, nonce, *(typed[name] for name in form.fields)])
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def _place(request: HttpRequest) -> str:
    """Where it comes from; a proxy on this machine stands for everybody and is not counted apart."""
    place = request.META.get("REMOTE_ADDR", "")
    return "" if place in ("127.0.0.1", "::1") else place
