"""Suppressions, for people: a client's own list and its opt-outs, and all that is written of one address."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from troth.control.audit.accesses import looked
from troth.control.audit.asking import row
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.suppressions import reading
from troth.control.suppressions.reading import OPT_OUT, REASONS
from troth.control.tenants import seeking
from troth.keys import ids
from troth.keys.keyring import TenantKeys
from troth.mail.address import AddressError, parse_address

_CHOOSE: dict[str, Any] = {"section": "suppressions", "what": "Suppressions"}
_NAMES = ("who", "reason", "sort", "after", "before")
_LONGEST = 1000
_ROOM = "suppressions"
# the reason's words, and the look's word for its tone and shape
_WORDS = {
    OPT_OUT: ("Opt-out of one category", "unsubscribed"),
    1: ("Hard bounce", "bounced"),
    2: ("Complaint", "complained"),
    3: ("Opt-out", "unsubscribed"),
    4: ("Feedback loop", "complained"),
    5: ("Administrative", "proposed"),
    6: ("Soft bounces spent", "deferred"),
}
_WHY = {
    OPT_OUT: "they want no more of one category, {}; other mail still reaches them",
    1: "a receiver said that there is no such address",
    2: "they told their provider that it was unwanted",
    3: "they opted out of everything",
    4: "their provider’s feedback loop reported a complaint",
    5: "put there by a person",
    6: "its mailbox failed for a while, and every retry was spent",
}
_SMTP = re.compile(r"smtp:([0-9a-f-]{36})\Z")


@needs("suppression:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /suppressions?who=&reason=&sort=&after=&before="""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _CHOOSE)
    given = {name: v for name in _NAMES if (v := request.GET.get(name, "").strip().replace("\0", "")[:_LONGEST])}
    if "after" in given:
        given.pop("before", None)
    if given.get("sort") != "oldest":
        given.pop("sort", None)
    if request.GET.urlencode() != urlencode(given):
        return HttpResponseRedirect(f"/suppressions?{urlencode(given)}" if given else "/suppressions")
    return _list(request, actor, actor.scope, given)


def _list(
    request: HttpRequest, actor: Actor, tenant: UUID, given: dict[str, str], q: str = "", wrong: str = ""
) -> HttpResponse:
    keys, content = seeking.keys_of(tenant), allowed(actor, "message:content")
    who, places, reason = _asked(keys, given)
    bad = _faults(given, who, places, reason)
    named = who if content or not who else "the address asked for"  # somebody else may have made the link
    context: dict[str, Any] = {**_CHOOSE, "given": given, "who": named, "q": q, "wrong": wrong, "bad": bad,
                               "hidden": not content,
                               "reasons": [(code, _WORDS[n][0]) for code, n in REASONS.items()],
                               "zone": str(actor.zone)}  # fmt: skip
    context["reason_words"] = _WORDS[reason][0] if reason is not None else ""
    context |= {"oldest": "sort" in given, "sort": "since" if "sort" in given else "-since",
                "sorts": {"since": _query(given, sort="oldest"), "-since": _query(given, sort=None)}}  # fmt: skip
    context |= {"all_of_it": _query(given, reason=None), "anybody": _query(given, who=None), "top": _query(given)}
    if bad or wrong:
        return render(request, "suppressions/list.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    indexes = seeking.indexes(who) if who else None
    oldest = "sort" in given
    page = reading.page(tenant, keys, indexes, reason, places.get("after"), places.get("before"), oldest=oldest)
    context["lines"] = _lines(tenant, page.found, content=content)
    if content and any(each.address for each in page.found):
        looked("access:suppression:list", tenant, actor.account_id, shown=len(page.found))
    for name, parameter, place in (("on", "after", page.on), ("back", "before", page.back)):
        if place:
            context[name] = _query(given, **{parameter: seeking.sealed_cursor(keys, _ROOM, place.packed())})
    return render(request, "suppressions/list.html", context)


def _asked(keys: TenantKeys, given: dict[str, str]) -> tuple[str | None, dict[str, reading.Place | None], int | None]:
    places: dict[str, reading.Place | None] = {}
    for name in ("after", "before"):
        if name in given:
            packed = seeking.opened_cursor(keys, _ROOM, given[name])
            places[name] = reading.place_of(packed) if packed else None
    who = seeking.opened_who(keys, given["who"]) if "who" in given else None
    return who, places, REASONS.get(given.get("reason", ""))


def _faults(
    given: dict[str, str], who: str | None, places: dict[str, reading.Place | None], reason: int | None
) -> list[str]:
    found = []
    if "who" in given and who is None:
        found.append("This link’s address was sealed for another client, or is cut. Search for the address again.")
    if "reason" in given and reason is None:
        found.append("There is no such reason.")
    if None in places.values():
        found.append("This place in the list cannot be read. Start again at the newest.")
    return found


def _query(given: dict[str, str], **changes: str | None) -> str:
    """The address of the same list with `changes`; every change leaves the place."""
    kept = {name: value for name, value in given.items() if name not in ("after", "before")}
    found = {**kept, **{name: value for name, value in changes.items() if value}}
    query = urlencode({name: found[name] for name in _NAMES if name in found and changes.get(name, "") is not None})
    return f"/suppressions?{query}" if query else "/suppressions"


def _lines(tenant: UUID, found: list[reading.Entry], *, content: bool) -> list[dict[str, Any]]:
    codes, cell = reading.categories(tenant), _cell()
    return [
        {
            "address": each.address if content else None,
            "erased": each.erased,
            "index": each.place.index.hex()[:8],
            "words": _WORDS[each.reason][0],
            "look": _WORDS[each.reason][1],
            "why": _WHY[each.reason].format(codes.get(each.category, "gone since") if each.category else ""),
            "source": "" if _SMTP.match(each.source) else each.source,
            "message": _message(each.source, cell),
            "override": each.override,
            "at": each.place.at,
        }
        for each in found
    ]


def _message(source: str, cell: str) -> str:
    """The message whose delivery told it, as its page names it."""
    found = _SMTP.match(source)
    try:
        return ids.wire("msg", cell, UUID(found[1])) if found else ""
    except ValueError:
        return ""


def _cell() -> str:
    found = row("SELECT cell FROM troth.installation")
    return str(found[0]) if found else "a"


@needs("suppression:read")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """POST /suppressions/find: an address, never in an address bar or a log; then a redirect."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _CHOOSE)
    q, reason = request.POST.get("q", "").strip()[:_LONGEST], request.POST.get("reason", "")
    given = {"reason": reason} if reason in REASONS else {}
    if request.POST.get("sort") == "oldest":
        given["sort"] = "oldest"
    try:
        who = seeking.sealed_who(seeking.keys_of(actor.scope), parse_address(q).addr_spec) if q else ""
    except AddressError as wrong:
        hint = str(wrong) if "@" in q else "Type a whole address, such as sam@example.net: a part cannot be found."
        return _list(request, actor, actor.scope, given, q, hint)
    return HttpResponseRedirect(_query(given, who=who))
