"""Recipients, for people: a client's own, found by address, state and pathway; one with their history; erasing one."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.audit.accesses import looked
from troth.control.audit.asking import row
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.recipients import reading
from troth.control.recipients.reading import BASES, PATHWAYS, RECIPIENT, STATES
from troth.control.tenants import seeking
from troth.keys import ids
from troth.mail.address import AddressError, parse_address

SECTION: dict[str, Any] = {"section": "recipients", "what": "Recipients"}
_NAMES = ("who", "state", "pathway", "after", "before")
_LONGEST = 1000
# the look's word and what it says
LOOKS = {
    "pending": ("pending", "Not confirmed"),
    "verified": ("verified", "Verified"),
    "expired": ("expired", "Verification ended"),
    "erased": ("cancelled", "Erased"),
}
_CONSENTS = {1: ("holds", "Express consent"), 2: ("none", "Implied consent"), 3: ("unsubscribed", "Withdrawn")}


@needs("recipient:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /recipients?who=&state=&pathway=&after=&before="""
    actor = actor_of(request)
    given = {name: v for name in _NAMES if (v := request.GET.get(name, "").strip().replace("\0", "")[:_LONGEST])}
    if "after" in given:
        given.pop("before", None)
    if request.GET.urlencode() != urlencode(given):
        return HttpResponseRedirect(_address(given))
    return _list(request, actor, given)


def _list(request: HttpRequest, actor: Actor, given: dict[str, str], q: str = "", wrong: str = "") -> HttpResponse:
    assert actor.scope is not None
    tenant, keys = actor.scope, seeking.keys_of(actor.scope)
    content, cell = allowed(actor, "message:content"), reading.cell()
    places: dict[str, UUID | None] = {
        name: ids.unwire(RECIPIENT, given[name]) for name in ("after", "before") if name in given
    }
    who = seeking.opened_who(keys, given["who"]) if "who" in given else None
    bad = _faults(given, who, places)
    shown = who if content or not who else "the address asked for"
    context: dict[str, Any] = {
        **SECTION,
        "given": given,
        "who": shown,
        "q": q,
        "wrong": wrong,
        "bad": bad,
        "hidden": not content,
        "states": [(each, LOOKS[each][1]) for each in STATES],
        "pathways": list(PATHWAYS.items()),
        "state_words": LOOKS.get(given.get("state", ""), ("", ""))[1],
        "pathway_words": PATHWAYS.get(given.get("pathway", ""), ""),
    }
    context |= {f"no_{name}": _address(given, drop=name) for name in ("who", "state", "pathway")}
    if bad or wrong:
        return render(request, "recipients/list.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    indexes = seeking.indexes(who) if who else None
    page = reading.page(
        tenant, keys, cell, who=indexes, state=given.get("state", ""), pathway=given.get("pathway", ""), **places
    )
    context["lines"] = [(each, each.address if content else None, LOOKS[each.word], PATHWAYS.get(each.pathway, ""))
                        for each in page.found]  # fmt: skip
    if content and any(each.address for each in page.found):
        looked("access:recipient:list", tenant, actor.account_id, shown=len(page.found))
    for name, parameter, place in (("on", "after", page.on), ("back", "before", page.back)):
        if place:
            context[name] = _address(given, **{parameter: ids.wire(RECIPIENT, cell, place)})
    context["top"] = _address(given)
    return render(request, "recipients/list.html", context)


def _faults(given: dict[str, str], who: str | None, places: dict[str, UUID | None]) -> list[str]:
    found = []
    if "who" in given and who is None:
        found.append("This link’s address was sealed for another client, or is cut. Search for the address again.")
    if given.get("state", STATES[0]) not in STATES:
        found.append("There is no such state.")
    if given.get("pathway", "system") not in PATHWAYS:
        found.append("There is no such pathway.")
    if None in places.values():
        found.append("This place in the list cannot be read. Start again at the newest.")
    return found


def _address(given: dict[str, str], drop: str = "", **more: str) -> str:
    """The same list; every change leaves the place."""
    kept = {name: value for name, value in given.items() if name not in ("after", "before", drop)} | more
    query = urlencode({name: kept[name] for name in _NAMES if name in kept})
    return f"/recipients?{query}" if query else "/recipients"


@needs("recipient:read")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """POST /recipients/find: an address, never in an address bar or a log; then a redirect."""
    actor = actor_of(request)
    assert actor.scope is not None
    q = request.POST.get("q", "").replace("\0", "").strip()[:_LONGEST]
    given = {name: v for name in ("state", "pathway") if (v := request.POST.get(name, "")) in (*STATES, *PATHWAYS)}
    try:
        if q:
            given["who"] = seeking.sealed_who(seeking.keys_of(actor.scope), parse_address(q).addr_spec)
    except AddressError as fault:
        hint = str(fault) if "@" in q else "Type a whole address, such as sam@example.net: a part cannot be found."
        return _list(request, actor, given, q, hint)
    return HttpResponseRedirect(_address(given))


@needs("recipient:read")
@require_safe
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """GET /recipients/<recipient>"""
    actor = actor_of(request)
    assert actor.scope is not None
    keys, content = seeking.keys_of(actor.scope), allowed(actor, "message:content")
    one = reading.access_recipient(actor, ref, keys, reading.cell())
    if content and one.address:
        looked("access:recipient:view", actor.scope, actor.account_id, person=one.id)
    sealed = seeking.sealed_who(keys, one.address) if one.address else ""
    consents = [(*_CONSENTS[kind], at, BASES.get(basis, basis), ends, code, over)
                for at, kind, basis, ends, code, over in reading.consents(actor.scope, one.id)]  # fmt: skip
    context = {
        **SECTION,
        "one": one,
        "address": one.address if content else None,
        "hidden": not content,
        "look": LOOKS[one.word],
        "pathway": PATHWAYS.get(one.pathway, ""),
        "history": reading.history(one),
        "consents": consents,
        "messages_to": f"/messages?who={sealed}" if sealed else "",
        "suppressions_of": f"/suppressions?who={sealed}" if sealed else "",
        "basis": list(one.basis.items()) if content else [],
    }
    return render(request, "recipients/one.html", context)


@needs("recipient:erase")
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, ref: str) -> HttpResponse:
    """GET and POST /recipients/<recipient>/erase: the consequence in words, a word to type, and then for good."""
    actor = actor_of(request)
    assert actor.scope is not None
    one = reading.access_recipient(actor, ref, seeking.keys_of(actor.scope), reading.cell())
    if one.word == "erased":
        return HttpResponseRedirect(f"/recipients/{one.ref}")
    typed = {"sure": request.POST.get("sure", "").replace("\0", "").strip()[:40]}
    faults = {}
    if request.method == "POST":
        if typed["sure"].casefold() == "erase":
            row("SELECT troth.erase_person_v1(%s, %s)", actor.scope, one.id)
            messages.success(
                request, "Erased: their address and all that was sealed under their key is gone.", "cancelled"
            )
            return HttpResponseRedirect(f"/recipients/{one.ref}")
        faults["sure"] = "Type the word erase: this cannot be undone."
    content = allowed(actor, "message:content")
    context = {
        **SECTION,
        "title": "Erase this recipient",
        "what": "Their key is destroyed. With it go the address, the text of every message to them, what the gate saw, "
                "and their consents’ wording. That there were messages, when, and the ledger’s entries stay.",
        "who": one.address if content and one.address else "This recipient of this client alone.",
        "when": "At once, and for good. Mail that waits for them is not sent any more.",
        "undo": "There is no way back. The same address cannot be registered again by this client’s programs.",
        "button": "Erase for good",
        "stop": True,
        "back": f"/recipients/{one.ref}",
        "typed": typed,
        "faults": faults,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "recipients/erase.html", context, status=status)
