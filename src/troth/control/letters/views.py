"""Letters, for people: what came in and waits for somebody, one as text or as a file, and being done with them."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.audit.refusals import Refused
from troth.control.letters import listing, opening, words
from troth.control.letters.listing import PAGE, STATES, Asked
from troth.control.letters.shown import shown
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed

_SECTION: dict[str, Any] = {"section": "letters", "what": "Letters"}


@needs("letter:list")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /letters?desk=&reason=&state=&day=&before="""
    actor, asked = actor_of(request), Asked.of(request.GET.dict())
    lines, older = listing.page(asked)
    now = listing.now()
    context = {
        "asked": asked, "lines": lines, "older": older, "kinds": listing.waiting(), "now": now,
        "counts": listing.counts(now), "days": listing.DAYS,
        "desks": [("", "Every desk"), *words.DESKS.items()],
        "reasons": [("", "Every reason"), *((code, name) for code, (name, _) in words.REASONS.items())],
        "states": STATES.items(), "reads": allowed(actor, "letter:read"), "done": allowed(actor, "letter:done"),
    }  # fmt: skip
    return render(request, "letters/list.html", {**_SECTION, **context})


@needs("letter:read")
@require_safe
def detail(request: HttpRequest, letter: UUID) -> HttpResponse:
    """GET /letters/<letter>: as text; that it was opened is an entry of the ledger."""
    actor = actor_of(request)
    octets = _opened(actor, letter)
    found = listing.one(letter)
    if found is None:
        raise Http404
    context = {
        "letter": found, "shown": shown(octets), "desk": words.desk(found.desk), "reason": words.reason(found.reason),
        "meaning": words.meaning(found.reason), "done": allowed(actor, "letter:done"),
        "back": Asked(desk=found.desk, reason=found.reason).href(),
    }  # fmt: skip
    return render(request, "letters/detail.html", {**_SECTION, **context})


@needs("letter:read")
@require_safe
def taken(request: HttpRequest, letter: UUID) -> HttpResponse:
    """GET /letters/<letter>.eml: as it came, for a mail program; never shown by the browser."""
    answer = HttpResponse(_opened(actor_of(request), letter), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="letter-{letter}.eml"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _opened(actor: Actor, letter: UUID) -> bytes:
    try:
        return opening.read(raw(), actor.secret, settings.TROTH_KEYS().operator, letter)
    except Refused:
        raise Http404 from None
    finally:
        scoped(actor.scope)


@needs("letter:done")
@require_POST
def done(request: HttpRequest) -> HttpResponse:
    """POST /letters/done: letter (one or more), next."""
    actor = actor_of(request)
    ids = [found for each in request.POST.getlist("letter")[:PAGE] if (found := _id(each))]
    try:
        n = opening.done(raw(), actor.secret, ids) if ids else 0
    except Refused as refused:
        messages.error(request, refused.sentence)
        n = 0
    finally:
        scoped(actor.scope)
    if n:
        messages.success(request, f"Done with {'one letter' if n == 1 else f'{n:,} letters'}.", extra_tags="delivered")
    elif not ids:
        messages.error(request, "No letter was chosen: tick those that you are done with.")
    return HttpResponseRedirect(_next(request))


@needs("letter:list", post="letter:done")
@require_http_methods(["GET", "HEAD", "POST"])
def all_done(request: HttpRequest) -> HttpResponse:
    """GET and POST /letters/all-done?desk=&reason=: a flood at once, after its consequence in words."""
    actor, asked = actor_of(request), Asked.of(request.GET.dict())
    flood = next((each for each in listing.waiting() if (each.desk, each.reason) == (asked.desk, asked.reason)), None)
    if flood is None:
        messages.success(request, "Nothing of that is left to be done.", extra_tags="delivered")
        return HttpResponseRedirect("/letters")
    until = parse_datetime(request.POST.get("until", "")) if request.method == "POST" else None
    if request.method == "POST" and until is not None and until.tzinfo is not None:
        try:
            n = opening.all_done(raw(), actor.secret, flood.desk, flood.reason, until)
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            messages.success(request, f"Done with {n:,} letters.", extra_tags="delivered")
        finally:
            scoped(actor.scope)
        return HttpResponseRedirect("/letters")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    return render(request, "web/form/confirm.html", {**_SECTION, **_consequence(request, flood)}, status=status)


def _consequence(request: HttpRequest, flood: listing.Waiting) -> dict[str, Any]:
    which = f"{flood.n:,} {'letter' if flood.n == 1 else 'letters'}"
    unread = f" {flood.unread:,} of them were read by nobody." if flood.unread else ""
    return {
        "title": f"Be done with all of “{flood.reason_words}”",
        "what": f"{which} of {flood.desk_words} will no longer wait for a person.{unread} None is deleted.",
        "who": "Nobody outside: no sender is told, and no message of ours changes.",
        "when": "At once. What comes after this moment waits anew.",
        "undo": "They stay in the list under “Done with”, and can be read there.",
        "action": request.get_full_path(), "hidden": {"until": listing.now().isoformat()},
        "button": f"Be done with {which}", "back": "/letters",
    }  # fmt: skip


def _next(request: HttpRequest) -> str:
    given = request.POST.get("next", "")
    good = given.startswith("/letters") and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if good else "/letters"


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
