"""The pages' shell when something does not work: missing and forbidden read the same, and nothing inner is told."""

import sys
from http import HTTPStatus

import psycopg
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from troth.control.recipients import views as recipients

_CONFIRM = "/confirm/"


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Missing, somebody else's, or not allowed: one page for all."""
    del exception
    title = "There is nothing here for you"
    sentences = ("The address may be mistyped, what was here may be gone, or it belongs to another client.",)
    return _page(request, HTTPStatus.NOT_FOUND, title, sentences)


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    del exception
    title = "This request cannot be read"
    return _page(request, HTTPStatus.BAD_REQUEST, title, ("Something in its address or form is not what it may be.",))


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's check of the form's token ends here."""
    if request.path.startswith(_CONFIRM):
        return recipients.cookie_missing(request, reason)
    title = "The form was too old, nothing was done"
    sentences = (
        "It was opened before you signed in or out, in another browser, or without cookies;",
        "or you have looked at another client since.",
        "Open the page again and send it once more.",
    )
    return _page(request, HTTPStatus.FORBIDDEN, title, sentences, href=request.path, way="Open it again")


def broken(request: HttpRequest) -> HttpResponse:
    """Ours; Django calls this while it handles the exception."""
    if isinstance(sys.exception(), OperationalError | InterfaceError | psycopg.OperationalError):
        return store_away(request)
    if _is_for_recipients(request):
        return recipients.broken(request)
    request.actor = None  # type: ignore[attr-defined]  # the shell would ask in a transaction that may be broken
    title = "Something of ours went wrong"
    sentences = ("Nothing was changed. It is in the log, and mail goes on as before.",)
    return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR, title, sentences, href=request.path, way="Try again")


def store_away(request: HttpRequest) -> HttpResponse:
    """The database cannot be asked."""
    if _is_for_recipients(request):
        return recipients.broken(request)
    request.actor = None  # type: ignore[attr-defined]  # the shell would ask the database
    title = "The database cannot be reached just now"
    sentences = (
        "While it is away nothing is sent, and nothing accepted is lost: every check fails closed.",
        "This page can be tried again in half a minute.",
    )
    response = _page(request, HTTPStatus.SERVICE_UNAVAILABLE, title, sentences, href=request.path, way="Try again")
    response["Retry-After"] = "30"
    return response


def _is_for_recipients(request: HttpRequest) -> bool:
    return request.path.startswith((_CONFIRM, "/u/", "/r/"))


def _page(request: HttpRequest, status: HTTPStatus, title: str, sentences: tuple[str, ...], **way: str) -> HttpResponse:
    shell = "web/base.html" if getattr(request, "actor", None) else "web/door.html"
    context = {"shell": shell, "title": title, "sentences": sentences, **way}
    response = render(request, "web/trouble.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
