"""People with access, reviews for people: begun, decided item by item, and kept as evidence."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.access import reading, reviewing
from troth.control.access.reviewing import Item, Review
from troth.control.access.views import choose
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "reviews", "what": "Access reviews"}
_LONGEST_NOTE = 2000
# outcome -> (the look's word, in words)
OUTCOMES = {
    None: ("pending", "To be decided"),
    "confirmed": ("holds", "Confirmed"),
    "revoked": ("stopped", "Revoked"),
    "lapsed": ("expired", "Not confirmed in time: access ended"),
    "kept": ("fails", "Not confirmed in time: the last owner, who keeps access"),
    "gone": ("retired", "Had ended already"),
}


@needs("review:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /reviews?before="""
    actor = actor_of(request)
    if (asks := choose(request, actor, "review:read", _SECTION)) is not None:
        return asks
    return _list(request, actor, {})


def _list(request: HttpRequest, actor: Actor, faults: dict[str, str]) -> HttpResponse:
    found = reviewing.listed(actor, _time(request.GET.get("before", "")))
    shown = found[: reviewing.PAGE]
    context = {
        **_SECTION,
        "reviews": shown,
        "names": reading.names([each.opened_by for each in shown if each.opened_by]),
        "open": next((each for each in shown if each.closed_at is None), None),
        "older": shown[-1].opened_at.isoformat() if len(found) > reviewing.PAGE else "",
        "next_due": reviewing.next_due(actor),
        "faults": faults,
        "staffs": actor.scope is None,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "access/reviews.html", context, status=status)


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Http404 from None
    if found is not None and found.tzinfo is None:
        raise Http404
    return found


@needs(post="review:run")
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """POST /reviews/begin"""
    actor = actor_of(request)
    try:
        made = reviewing.begin(actor)
    except Refused as no:
        return _list(request, actor, {"": no.sentence})
    messages.success(request, "The review is open. Those who decide in it are told by mail.")
    return HttpResponseRedirect(f"/reviews/{made}")


@needs("review:read")
@require_safe
def detail(request: HttpRequest, review: UUID) -> HttpResponse:
    """GET /reviews/<review>"""
    actor = actor_of(request)
    if (asks := choose(request, actor, "review:read", _SECTION)) is not None:
        return asks
    return _shown(request, actor, reviewing.access_review(actor, review), {}, {})


def _shown(
    request: HttpRequest, actor: Actor, review: Review, typed: dict[str, Any], faults: dict[str, str]
) -> HttpResponse:
    after = _chosen(request.GET["after"]) if request.GET.get("after") else reviewing.FIRST
    got = reviewing.items(review.id, reviewing.ITEMS + 1, after)
    lines = [_line(each, actor, typed) for each in got[: reviewing.ITEMS]]
    context = {
        **_SECTION,
        "review": review,
        "by": reading.names([review.opened_by]).get(review.opened_by, "somebody") if review.opened_by else None,
        "open": review.closed_at is None and review.due_at > actor.session.now,
        "over": review.due_at <= actor.session.now,
        "groups": [(words, [each for each in lines if each["item"].kind == kind])
                   for kind, words in ((reviewing.PERSON, "People"), (reviewing.KEY, "API keys"))],
        "more": lines[-1]["name"] if len(got) > reviewing.ITEMS else "",
        "paged": after != reviewing.FIRST,
        "mine": any(each["own"] for each in lines),
        "typed": typed,
        "faults": faults,
        "now": actor.session.now,
        "until": review.due_at - actor.session.now,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "access/review.html", context, status=status)


def _line(item: Item, actor: Actor, typed: dict[str, Any]) -> dict[str, Any]:
    look, words = OUTCOMES[item.outcome]
    name = f"{item.kind}:{item.subject}"
    chosen = name in typed.get("item", ())
    return {
        "item": item,
        "look": look,
        "words": words,
        "own": item.human == actor.human_id,
        "name": name,
        "chosen": chosen,
    }


@needs(post="review:decide")
@require_POST
def confirm(request: HttpRequest, review: UUID) -> HttpResponse:
    """POST /reviews/<review>/confirm: every `item` that is ticked, with one `note`."""
    actor = actor_of(request)
    found = reviewing.access_review(actor, review)
    typed = {
        "item": request.POST.getlist("item")[: reviewing.ITEMS],
        "note": request.POST.get("note", "").replace("\0", ""),
    }
    chosen = [_chosen(each) for each in typed["item"]]
    if not chosen:
        return _shown(request, actor, found, typed, {"": "Tick whose access is still needed, then confirm."})
    if len(str(typed["note"])) > _LONGEST_NOTE:
        return _shown(request, actor, found, typed, {"note": f"A note has at most {_LONGEST_NOTE} characters."})
    try:
        number = reviewing.decide(actor, found, chosen, "confirmed", str(typed["note"]))
    except Refused as no:
        return _shown(request, actor, found, typed, {"": no.sentence})
    messages.success(request, f"{number} confirmed.", extra_tags="holds")
    return HttpResponseRedirect(f"/reviews/{found.id}")


@needs(post="review:decide")
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, review: UUID, kind: str, subject: UUID) -> HttpResponse:
    """GET, POST /reviews/<review>/revoke/<kind>/<subject>"""
    actor = actor_of(request)
    found = reviewing.access_review(actor, review)
    item = reviewing.access_item(found, kind, subject)
    note, faults = request.POST.get("note", "").replace("\0", ""), {}
    if request.method == "POST":
        if len(note) > _LONGEST_NOTE:
            faults = {"note": f"A note has at most {_LONGEST_NOTE} characters."}
        elif not note.strip():
            faults = {"note": "Say why: the note is the evidence."}
        else:
            try:
                reviewing.decide(actor, found, [(kind, subject)], "revoked", note)
            except Refused as no:
                faults = {"": no.sentence}
        if not faults:
            messages.success(request, f"{item.name}: access has ended.", extra_tags="stopped")
            return HttpResponseRedirect(f"/reviews/{found.id}")
    return _asks(request, found, item, note, faults)


def _asks(request: HttpRequest, review: Review, item: Item, note: str, faults: dict[str, str]) -> HttpResponse:
    if item.kind == reviewing.PERSON:
        what = f"{item.name} ({item.role}) loses access now: every session ends, and they cannot sign in any more."
        undo = "Giving access again is a change, which two people make."
    else:
        what = f"The key {item.name} ({item.role}) stops now: whatever uses it is refused from the next request on."
        undo = "It does not come back: another key is proposed and approved."
    context = {
        **_SECTION,
        "title": f"Revoke {item.name}?",
        "what": what,
        "undo": undo,
        "who": "This one alone; you need nobody’s approval to take away.",
        "stop": True,
        "button": "Revoke",
        "back": f"/reviews/{review.id}",
        "typed": {"note": note},
        "faults": faults,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "access/revoke.html", context, status=status)


def _chosen(text: str) -> tuple[str, UUID]:
    kind, _, subject = text.partition(":")
    try:
        if kind in (reviewing.PERSON, reviewing.KEY):
            return kind, UUID(subject)
    except ValueError:
        pass
    raise Http404
