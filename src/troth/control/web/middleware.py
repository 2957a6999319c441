"""The pages' shell round every request: one transaction, in which the database knows for which tenant; and an actor.

A page that is not named here needs somebody who has signed in.
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

import psycopg
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve

from troth.control.centre import ground
from troth.control.people import actor, guard, page_sessions
from troth.control.web import errors

type Answer = Callable[[HttpRequest], HttpResponse]

# by the names of urls.py: links in mail, what the door answers, and our files; they know no session
_OWN = frozenset({"own-page", "own-report", "own-copy", "own-all", "own-erase", "own-code"})
_DESKS = frozenset(
    {"report-abuse", "security", "report-shown", "desk-look", "security-txt", "asked", "asked-document"}
    | {"trust-contacts", "trust-subprocessors", "trust-questions", "trust-ask", "trust-documents"}
)
_CENTRE = frozenset(
    {"trust-centres", "trust-centre", "trust-claim", "trust-changes", "trust-badge", "trust-document", "trust-evidence"}
    | {"trust-own", "trust-papers", "trust-slash", "trust-slash-below"}
)
_FILES = frozenset({"recipient-look", "letter-look", "trust-look", "asset"})
OUTSIDE = _OWN | _DESKS | _CENTRE | _FILES | {"confirm", "unsubscribe", "healthz", "livez"}
# the way in, and what anybody may choose
OPEN = frozenset(
    {"account_login", "passkey-sign-in", "passkey-options", "mfa_authenticate", "password-ask", "password-set", "look"}
    | {"sign-on-firm", "sign-on-start", "sign-on-callback", "sign-on-acs", "sign-on-finish", "sign-on-about-us"}
)
# they ask a client's provider or the DNS, and have transactions of their own before and after
ASKING = frozenset({"sign-on-callback", "sign-on", "sign-on-edit", "sign-on-domain", "sign-on-retire"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOWHERE = "nowhere"  # no page of ours: it is said to everybody alike


def one_transaction(get_response: Answer) -> Answer:
    """All of a request or nothing: what answers 5xx is rolled back. Without the database, a page that says so."""

    def answer(request: HttpRequest) -> HttpResponse:
        if name_of(request) in OUTSIDE:
            return get_response(request)
        try:
            if name_of(request) in ASKING:
                return get_response(request)
            with transaction.atomic():
                response = get_response(request)
                if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    transaction.set_rollback(True)
        except (OperationalError, psycopg.OperationalError):  # ours, or of a connection that Django knows nothing of
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
    """`request.actor`, and the tenant whose rows this transaction sees; who has not signed in is sent to the door, and
    who may not have the page reads that there is none. What changes something is told to the access log.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        name = name_of(request)
        if name in OUTSIDE:
            return get_response(request)
        found = request.actor = _actor(request)  # type: ignore[attr-defined]  # what people.actor.actor_of reads
        response = _refusal(request, name, found) or get_response(request)
        if found is not None and request.method not in SAFE:
            page_sessions.tell_act(request, "act", f"{name} {response.status_code}", found.secret)
            page_sessions.seen(found.secret)  # now, since a page may have proved something over the other connection
        page_sessions.carried(request, response)
        response.setdefault("Cache-Control", "no-store")
        return response

    return answer


def _actor(request: HttpRequest) -> actor.Actor | None:
    """Who signed in to Django, if the session that they opened is theirs and still open; else they are signed out."""
    user, secret = request.user, page_sessions.secret_of(request)
    if not user.is_authenticated:
        return None
    session = page_sessions.seen(secret, lasting=request.method in SAFE) if secret else None
    found = None
    if session is not None and secret is not None and session.account == user.pk:
        found = actor.load(session, secret, actor.chosen(request))
    if found is None:
        request.session.flush()
        request.user = AnonymousUser()
        return None
    actor.scoped(found.scope)
    return found


def _refusal(request: HttpRequest, name: str, found: actor.Actor | None) -> HttpResponse | None:
    if name in OPEN or name == _NOWHERE:
        return None
    if found is None:
        return _to_the_door(request)
    try:
        return guard.refused(request, found, guard.needs_of(resolve(request.path_info).func))
    except Http404:
        page_sessions.tell_act(request, "refused", name, found.secret)
        return errors.not_found(request)


def name_of(request: HttpRequest) -> str:
    """The name of the page that a path leads to."""
    try:
        return resolve(request.path_info).url_name or ""
    except Resolver404:
        return _NOWHERE


def _to_the_door(request: HttpRequest) -> HttpResponse:
    """Back to the same page afterwards, where it was to be looked at; a programme's own host opens on its promises."""
    if request.path == "/" and ground.theirs(request.get_host()):
        return HttpResponseRedirect("/trust")
    there = (
        f"?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" and request.path != "/" else ""
    )
    return HttpResponseRedirect(f"/sign-in{there}")
