"""Suppressions, for people: a client's own list and its opt-outs, and all that is written of one address.

Staff who look at no client see the operator's own entries, and of an address that they type what everybody's mail met.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from troth.control.access import exporting
from troth.control.audit.accesses import looked
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.suppressions import history, lines, reading
from troth.control.suppressions.asked import LONGEST, Asked, keys_of
from troth.control.suppressions.words import OWN_WORD, REASONS, WORDS
from troth.control.tenants import seeking
from troth.keys.keyring import TenantKeys
from troth.mail.address import AddressError, parse_address

_SECTION: dict[str, Any] = {"section": "suppressions", "what": "Suppressions"}
_CHOICES = [(code, WORDS[number][0]) for code, number in REASONS.items()]


@needs("suppression:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /suppressions?who=&reason=&sort=&after=&before="""
    actor = actor_of(request)
    keys = keys_of(actor.scope)
    asked = Asked.read(request.GET, keys)
    if set(request.GET) != set(asked.given):
        return HttpResponseRedirect(_whole(asked))
    return _list(request, actor, keys, asked)


def _whole(asked: Asked) -> str:
    """The address of exactly this list."""
    return asked.href(**asked.given)


def _list(
    request: HttpRequest, actor: Actor, keys: TenantKeys, asked: Asked, q: str = "", wrong: str = ""
) -> HttpResponse:
    context = _context(actor, asked) | {"q": q, "wrong": wrong}
    if asked.faults or wrong:
        return render(request, "suppressions/list.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    who = asked.indexes
    page = reading.page(actor.scope, keys, who, asked.reason, asked.after, asked.before, oldest=asked.oldest)
    context["lines"] = lines.lines(actor, keys, page.found, who)
    if page.found and (actor.scope is None or any(each.address for each in context["lines"])):
        looked("access:suppression:list", actor.scope, actor.account_id, shown=len(page.found))
    if who and actor.scope:
        context |= {"overrides": history.overrides(actor.scope, who), "proposed": history.proposed(actor.scope, who),
                    "own_word": any(each.reason in OWN_WORD for each in page.found),
                    "listed": any(each.reason for each in page.found)}  # fmt: skip
    for name, parameter, place in (("on", "after", page.on), ("back", "before", page.back)):
        if place:
            context[name] = asked.at(keys, parameter, place)
    return render(request, "suppressions/list.html", context)


def _context(actor: Actor, asked: Asked) -> dict[str, Any]:
    content = allowed(actor, "message:content")
    # somebody else may have made the link; staff who look at no client typed it themselves
    named = asked.who if content or not asked.who else "the address asked for"
    return {
        **_SECTION,
        "given": asked.given,
        "who": named,
        "bad": asked.faults,
        "hidden": not content,
        "reasons": _CHOICES,
        "zone": str(actor.zone),
        "reason_words": WORDS[asked.reason][0] if asked.reason is not None else "",
        "oldest": asked.oldest,
        "sort": "since" if asked.oldest else "-since",
        "sorts": {"since": asked.href(sort="oldest"), "-since": asked.href(sort=None)},
        "all_of_it": asked.href(reason=None),
        "anybody": asked.href(who=None),
        "top": asked.href(),
        "sealed": asked.given.get("who", ""),
        "exports": [(form.upper(), asked.href().replace("/suppressions", f"/suppressions/export.{form}", 1))
                    for form in exporting.FORMATS],
    }  # fmt: skip


@needs("suppression:read")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """POST /suppressions/find: an address, never in an address bar or a log; then a redirect."""
    actor = actor_of(request)
    keys = keys_of(actor.scope)
    q, reason = request.POST.get("q", "").strip()[:LONGEST], request.POST.get("reason", "")
    given = {"reason": reason} if reason in REASONS else {}
    if request.POST.get("sort") == "oldest":
        given["sort"] = "oldest"
    asked = Asked.of(given, keys)
    try:
        who = seeking.sealed_who(keys, parse_address(q).addr_spec) if q else None
    except AddressError as wrong:
        hint = str(wrong) if "@" in q else "Type a whole address, such as sam@example.net: a part cannot be found."
        return _list(request, actor, keys, asked, q, hint)
    return HttpResponseRedirect(asked.href(who=who))
