"""Messages, for people: search, one page of what was found, one message, and its receipt."""

import re
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from troth.control.audit.accesses import looked
from troth.control.messages import filters, listing, reading, words
from troth.control.messages.evidence import Asked, Evidence, prove
from troth.control.messages.filters import EMAIL, HAPPENED, MESSAGE, STATES, Filters
from troth.control.messages.opening import Opener
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.tenants import seeking
from troth.keys import ids
from troth.keys.keyring import TenantKeys
from troth.mail.address import AddressError, parse_address

_CHOOSE: dict[str, Any] = {"section": "messages", "what": "Messages"}
_LONGEST = 400
_MESSAGE_ID = re.compile(r"<?([0-9a-f]{32})@[^@<>\s]+>?\Z", re.ASCII)
_BY_ID_ALONE = "Your role finds messages by their id: type a message’s or an email’s id."
_RECEIPT = 'attachment; filename="{}.receipt.json"'


@needs("message:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /messages?who=&email=&category=&state=&from=&to=&sort=&after=&before="""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _CHOOSE)
    asked = filters.read(request.GET, actor.zone)
    if not asked.wrong and request.GET.urlencode() != asked.canonical:
        return HttpResponseRedirect(f"/messages?{asked.canonical}" if asked.given else "/messages")
    return _list(request, actor, actor.scope, asked)


def _list(
    request: HttpRequest, actor: Actor, tenant: UUID, asked: Filters, q: str = "", wrong: str = ""
) -> HttpResponse:
    """`q` and `wrong`: what was typed and could not be looked for."""
    keys, cell, content = seeking.keys_of(tenant), reading.cell_of(), allowed(actor, "message:content")
    known = listing.categories(tenant)
    who = _who(keys, asked)
    if "who" in asked.given and not _may_seek(actor):
        raise Http404
    category = known.get(asked.given.get("category", ""))
    if "category" in asked.given and category is None:
        asked.wrong["category"] = "This client has no such category."
    context: dict[str, Any] = {**_CHOOSE, "asked": asked, "q": q, "wrong": wrong, "scan": listing.SCAN}
    # a link may have been made by somebody who may see addresses
    context |= {"who": who if content or not who else "the address asked for", "hidden": not content}
    context["seeks"] = _may_seek(actor)
    context |= {"known": list(known), "states": STATES, "happened": HAPPENED, "zone": str(actor.zone), **_orders(asked)}
    if asked.wrong or wrong:
        return render(request, "messages/list.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    found = listing.page(tenant, asked, seeking.indexes(who) if who else None, category)
    opener = Opener(keys, tenant, content=content)
    context |= _shown(actor, tenant, found, opener, cell, {subject: code for code, subject in known.items()})
    return render(request, "messages/list.html", {**context, **_ways(asked, found, cell)})


def _may_seek(actor: Actor) -> bool:
    """Whoever may look an address up, or sees them all, may ask what went to it."""
    return allowed(actor, "message:content") or allowed(actor, "suppression:read")


def _who(keys: TenantKeys, asked: Filters) -> str | None:
    if "who" not in asked.given:
        return None
    who = seeking.opened_who(keys, asked.given["who"])
    if who is None:
        asked.wrong["who"] = (
            "This link’s address was sealed for another client, or is cut. Search for the address again."
        )
    return who


def _shown(
    actor: Actor, tenant: UUID, found: listing.Page, opener: Opener, cell: str, codes: dict[UUID, str]
) -> dict[str, Any]:
    lines = [
        {
            "ref": ids.wire(MESSAGE, cell, each.id),
            "address": opener.address(each.person_id, each.data_key, each.address_ct),
            "category": codes.get(each.category_id, ""),
            "state": each.state.name.lower(),
            "created_at": each.created_at,
            "state_at": each.state_at,
        }
        for each in found.found
    ]
    if any(line["address"] for line in lines):
        first, last = lines[0]["ref"], lines[-1]["ref"]
        looked("access:message:list", tenant, actor.account_id, first=first, last=last, shown=len(lines))
    return {"lines": lines, "reached": found.reached}


def _ways(asked: Filters, found: listing.Page, cell: str) -> dict[str, str]:
    """The addresses of the pages beside this one."""
    ways = {}
    if found.on:
        ways["on"] = asked.query(after=ids.wire(MESSAGE, cell, found.on))
    if found.back:
        ways["back"] = asked.query(before=ids.wire(MESSAGE, cell, found.back))
    return ways


def _orders(asked: Filters) -> dict[str, Any]:
    """The order in use, and the addresses of both, as a column's head wants them."""
    links = {"accepted": asked.query(sort="oldest"), "-accepted": asked.query(sort=None)}
    return {
        "sort": "accepted" if asked.oldest else "-accepted",
        "sorts": {key: f"/messages?{query}" if query else "/messages" for key, query in links.items()},
    }


@needs("message:read")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """POST /messages/find: what was typed, an address or an id, never in an address bar or a log; then a redirect."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _CHOOSE)
    q = request.POST.get("q", "").strip()[:_LONGEST]
    asked = filters.read(
        {name: request.POST.get(name, "") for name in ("category", "state", "from", "to", "sort")}, actor.zone
    )
    if not q:
        return _to(asked.query())
    if (path := _by_id(actor.scope, q)) is not None:
        return HttpResponseRedirect(path)
    if not _may_seek(actor):
        return _list(request, actor, actor.scope, asked, q, _BY_ID_ALONE)
    try:
        address = parse_address(q).addr_spec
    except AddressError as wrong:
        hint = (
            str(wrong) if "@" in q else "Type a whole address, such as sam@example.net, or a message’s or email’s id."
        )
        return _list(request, actor, actor.scope, asked, q, hint)
    return _to(asked.query(who=seeking.sealed_who(seeking.keys_of(actor.scope), address)))


def _to(query: str) -> HttpResponse:
    return HttpResponseRedirect(f"/messages?{query}" if query else "/messages")


def _by_id(tenant: UUID, q: str) -> str | None:
    """The page of an id of ours, in any of its forms; whether it is there, that page says."""
    cell = reading.cell_of()
    if email := ids.unwire(EMAIL, q.lower()):
        return _of_email(tenant, email, cell)
    if found := _MESSAGE_ID.match(q.lower()):
        return f"/messages/{ids.wire(MESSAGE, cell, UUID(hex=found[1]))}"
    if ids.unwire(MESSAGE, q.lower()):
        return f"/messages/{q.lower()}"
    try:
        bare = UUID(q)
    except ValueError:
        return None
    if listing.email_there(tenant, bare):
        return _of_email(tenant, bare, cell)
    return f"/messages/{ids.wire(MESSAGE, cell, bare)}"


def _of_email(tenant: UUID, email: UUID, cell: str) -> str:
    one = listing.alone(tenant, email)
    if one is not None:
        return f"/messages/{ids.wire(MESSAGE, cell, one)}"
    return f"/messages?email={ids.wire(EMAIL, cell, email)}"


@needs("message:read")
@require_safe
def detail(request: HttpRequest, ref: str, evidence: Evidence) -> HttpResponse:
    """GET /messages/<msg_a_…>: whoever looks is in the ledger."""
    actor, message, opener = _opened(request, ref)
    found = reading.access_message(actor, message, reading.cell_of(), opener)
    if found.ref != ref:
        raise Http404
    if found.address is not None:
        looked("access:message:view", opener.tenant, actor.account_id, message=message)
    context = {
        "section": "messages",
        "message": found,
        "verdicts": words.verdicts(found.decision, content=opener.content),
        "decided": words.decided(found.decision),
        "proved": prove(evidence, message),
        "erased": found.erased,
        "hidden": not opener.content,
    }
    return render(request, "messages/one.html", context)


@needs("message:receipt")
@require_safe
def receipt(request: HttpRequest, ref: str, evidence: Evidence) -> HttpResponse:
    """GET /messages/<msg_a_…>/receipt?of=email: the file that proves it elsewhere, alone or with its email's others;
    404 until all of its events are sealed.
    """
    actor, message, opener = _opened(request, ref)
    found = reading.access_message(actor, message, reading.cell_of(), opener)
    if found.ref != ref or not prove(evidence, message).whole:
        raise Http404
    email = ids.unwire(EMAIL, found.email) if request.GET.get("of") == "email" else None
    looked(
        "access:message:receipt",
        opener.tenant,
        actor.account_id,
        message=message,
        **({"email": email} if email else {}),
    )
    one = None if email else message
    asked = Asked(opener.tenant, email, one, settings.TROTH_KEYS(), content=opener.content, house=actor.staff)
    try:
        with connection.cursor() as cursor:
            body = evidence.receipt(cursor, asked)
    except evidence.not_yet:
        raise Http404 from None  # another message of its email waits for its seal
    headers = {"Content-Disposition": _RECEIPT.format(found.email if email else ref)}
    return HttpResponse(body, content_type="application/json", headers=headers)


def _opened(request: HttpRequest, ref: str) -> tuple[Actor, UUID, Opener]:
    actor, message = actor_of(request), ids.unwire(MESSAGE, ref)
    if actor.scope is None or message is None:
        raise Http404
    return actor, message, Opener(seeking.keys_of(actor.scope), actor.scope, content=allowed(actor, "message:content"))
