"""The desks, for a reporter: the page of one's own report, behind the link that the form and our mail lead to: how it
stands, and whether to be told. It says nothing of what was reported.
"""

from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from troth.control.abuse import filing, who
from troth.control.abuse.outside import page
from troth.control.abuse.words import CLOCKS
from troth.control.audit.asking import row, rows
from troth.keys.installation import Purpose
from troth.mail.tokens import TokenError, make_token, read_token

LINK = "case-reporter"  # the purpose of the form's own token: whoever has it may look, and stop
MAILED = "case-reporter-mailed"  # of that in our mail (flow/feedback/desks_mail.py): whoever has it reads it there
_LASTS = timedelta(days=90)
_NAMES = ("reference", "kind", "opened_at", "closed_at", "has_address", "confirmed", "stopped", "queued")
_SHOWN = f"SELECT {', '.join(_NAMES)} FROM troth.case_shown_v1(%s)"  # noqa: S608 - our own words
_TIMES = "SELECT name, due_at, met_at FROM troth.case_times_v1(%s)"
_SAY = "SELECT troth.case_reporter_say_v1(%s, %s)"
_FRESH = ("mailed", "kept")  # as the form leads here; whether a mail is queued the database knows
_NOTES = {
    "yes": "We tell you how it goes on, at the address that you gave.",
    "stop": "Nothing more is mailed to you of this report. It goes on all the same.",
}


def link(case: UUID) -> str:
    """The token of a report's page."""
    key = settings.TROTH_KEYS().secrets.token_keys(Purpose.CASE)[0]
    return make_token(key, LINK, case.bytes, filing.now() + _LASTS)


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def shown(request: HttpRequest, token: str) -> HttpResponse:
    """GET /report/<token>: how a report stands; POST: to be told of it, or no more."""
    whose = who.of(request)
    case, mailed = _case(token)
    found = row(_SHOWN, case) if case else None
    if case is None or found is None:
        return page(request, "gone", whose, HTTPStatus.NOT_FOUND)
    if request.method == "POST":
        return _said(request, case, mailed=mailed)
    told = dict(zip(_NAMES, found, strict=True))
    times = [
        {"label": CLOCKS[name], "due_at": due, "met_at": met} for name, due, met in rows(_TIMES, case) if name in CLOCKS
    ]
    now = "stop" if told["stopped"] else "yes" if told["confirmed"] else ""
    return page(
        request, "sent", whose, case=told, clocks=times, mailed=told["queued"], yes=mailed,
        note=_NOTES[now] if now in request.GET else "", fresh=not request.GET.keys().isdisjoint(_FRESH),
        can=told["has_address"], confirmed=told["confirmed"] and not told["stopped"], stopped=told["stopped"],
    )  # fmt: skip


def _said(request: HttpRequest, case: UUID, *, mailed: bool) -> HttpResponse:
    """Only the link of our mail says yes: it shows that the address is theirs."""
    says = request.POST.get("do", "")
    says = "" if says == "yes" and not mailed else says
    if says in _NOTES:
        with transaction.atomic():
            row(_SAY, case, says)
    return HttpResponseRedirect(f"{request.path}?{says}" if says in _NOTES else request.path)


def _case(token: str) -> tuple[UUID | None, bool]:
    """And whether the link came by mail."""
    keys = settings.TROTH_KEYS().secrets.token_keys(Purpose.CASE)
    for purpose in (LINK, MAILED):
        with suppress(TokenError, ValueError):
            return UUID(bytes=read_token(keys, purpose, token, filing.now())), purpose == MAILED
    return None, False
