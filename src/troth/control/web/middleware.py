"""The pages' shell round every request: one transaction, in which the database knows for which tenant; and an actor.

A page that is not named here needs somebody who has signed in.
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib.sessions.middleware import SessionMiddleware
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve

from troth.control.people import actor
from troth.control.web import errors

type Answer = Callable[[HttpRequest], HttpResponse]

# by the names of urls.py: links in mail, what the door answers, and our files; they know no session
OUTSIDE = frozenset({"confirm", "recipient-look", "unsubscribe", "letter-look", "asset", "healthz", "livez"})
# the way in, and what anybody may choose
OPEN = frozenset({"account_login", "account_inactive", "password-ask", "password-set", "look"})
_NOWHERE = "nowhere"  # no page of ours: it is said to everybody alike


def one_transaction(get_response: Answer) -> Answer:
    """All of a request or nothing: what answers 5xx is rolled back. Without the database, a page that says so."""

    def answer(request: HttpRequest) -> HttpResponse:
        if name_of(request) in OUTSIDE:
            return get_response(request)
        try:
            with transaction.atomic():
                response = get_response(request)
                if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    transaction.set_rollback(True)
        except OperationalError:
            return errors.store_away(request)
        return response

    return answer


class Sessions(SessionMiddleware):
    """Django's, but for what knows no session: a style sheet neither reads nor lengthens one."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if name_of(request) in OUTSIDE:
            return response
        return super().process_response(request, response)


def acting(get_response: Answer) -> Answer:
    """`request.actor`, and the tenant whose rows this transaction sees; who has not signed in is sent to the door."""

    def answer(request: HttpRequest) -> HttpResponse:
        name = name_of(request)
        if name in OUTSIDE:
            return get_response(request)
        user = request.user
        found = actor.load(user.pk, actor.chosen(request)) if user.is_authenticated else None
        request.actor = found  # type: ignore[attr-defined]  # what people.actor.actor_of reads
        if found is not None:
            actor.scoped(found.scope)
        elif name not in OPEN and name != _NOWHERE:
            return _to_the_door(request)
        response = get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response

    return answer


def name_of(request: HttpRequest) -> str:
    """The name of the page that a path leads to."""
    try:
        return resolve(request.path_info).url_name or ""
    except Resolver404:
        return _NOWHERE


def _to_the_door(request: HttpRequest) -> HttpResponse:
    """Back to the same page afterwards, where it was to be looked at."""
    there = (
        f"?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" and request.path != "/" else ""
    )
    return HttpResponseRedirect(f"/sign-in{there}")
