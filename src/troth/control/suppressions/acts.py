"""Suppressions, for people: what they do about the list: an entry by hand, and proposing an override of one."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from troth.control.approvals import changes
from troth.control.approvals.artefacts.override import hours
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Invalid, Problem, Refused, refusals
from troth.control.audit.scope import within
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.suppressions import history
from troth.control.suppressions.asked import LONGEST, Asked, keys_of
from troth.control.tenants import menu, seeking
from troth.keys import places
from troth.keys.ids import uuid7
from troth.mail.address import Address, AddressError, parse_address

MOST = 2000  # characters of a reason
_BOTH = ["GET", "HEAD", "POST"]
_SECTION: dict[str, Any] = {"section": "suppressions"}
_BY_HAND = "SELECT troth.suppress_by_hand_v1(%s, %s, %s, %s, %s, %s)"
_THERE = "It stands on this list by hand already: nothing was changed."


@needs("suppression:add")
@sensitive_post_parameters("address", "reason")
@require_http_methods(_BOTH)
def add(request: HttpRequest) -> HttpResponse:
    """GET and POST /suppressions/add?who=: puts an address on the list, by this person alone, for good."""
    actor = actor_of(request)
    asked = Asked.read(request.GET, keys_of(actor.scope))
    seen = allowed(actor, "message:content") and asked.who
    typed = {"address": request.POST.get("address", seen or "").strip()[:LONGEST], "reason": _reason(request)}
    faults: dict[str, str] = {}
    if request.method == "POST":
        address, faults = _address(typed)
        if address is not None and not faults:
            refusal = _put(actor, address, typed["reason"].strip())
            if not refusal:
                messages.success(request, "It is on the list: nothing more is sent to it.", extra_tags="suppressed")
                who = seeking.sealed_who(keys_of(actor.scope), address.addr_spec)
                return HttpResponseRedirect(f"/suppressions?{urlencode({'who': who})}")
            faults = {"address": refusal}
    return _ask(request, "add", typed, faults, {
        "title": "Suppress an address",
        "what": "Nothing is sent to it any more: the gate and the last moment before a message leaves ask for it.",
        "who": f"The owner of the address. The list is one for all, so the mail of every client stops{_whose(actor)}.",
        "when": "At once, by you alone. What is on its way already, in the next hop’s hands, still arrives.",
        "undo": "Not at all: entries are never deleted. An override lets one client’s mail through for a while; "
                "one person proposes it, and another approves.",
        "button": "Suppress it for good",
        "whose": "" if actor.staff else "One that was verified as a recipient of yours; others, the operator "
                                                 "puts there.",
        "stop": True,
    })  # fmt: skip


def _whose(actor: Actor) -> str:
    found = menu.one(actor.scope) if actor.scope else None
    return f"; that it was {found.name} who asked is told to nobody else" if found else ""


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\0", "")[: MOST + 1]


def _address(typed: dict[str, str]) -> tuple[Address | None, dict[str, str]]:
    faults, found = _words(typed["reason"], "Say why, for those who look at it later."), None
    try:
        found = parse_address(typed["address"])
    except AddressError as wrong:
        faults = {"address": str(wrong) if typed["address"] else "Type the address.", **faults}
    return found, faults


def _words(reason: str, missing: str) -> dict[str, str]:
    if not reason.strip():
        return {"reason": missing}
    return {"reason": f"{MOST:,} characters are the most: shorten it."} if len(reason) > MOST else {}


def _put(actor: Actor, address: Address, reason: str) -> str:
    """Nothing, or why it was not put there: it stands there by hand already, or is none of this client's."""
    act, index = uuid7(actor.session.now), settings.TROTH_KEYS().secrets.blind_index().index(address.normal)
    words = keys_of(actor.scope).seal(reason.encode(), places.suppression_words(act))
    sealed = settings.TROTH_KEYS().operator.seal(address.addr_spec.encode(), places.suppression(index))
    try:
        with refusals(), within(raw(), actor.scope) as connection:
            values = (act, actor.scope, index, sealed, words, actor.secret)
            found = connection.execute(_BY_HAND, values).fetchone()
    except Refused as refused:
        return refused.sentence
    finally:
        scoped(actor.scope)
    return "" if found and found[0] else _THERE


@needs("override:propose")
@require_http_methods(_BOTH)
def override(request: HttpRequest) -> HttpResponse:
    """GET and POST /suppressions/override?who=: proposes that mail of this client may reach it for a while."""
    actor = actor_of(request)
    assert actor.scope is not None
    asked = Asked.read(request.GET, keys_of(actor.scope))
    if asked.who is None or asked.indexes is None:
        raise Http404
    if waiting := history.proposed(actor.scope, asked.indexes):
        return HttpResponseRedirect(f"/changes/{waiting}")
    longest = hours(raw(), actor.scope)
    scoped(actor.scope)
    if isinstance(longest, Problem):
        return render(request, "suppressions/never.html", {**_SECTION, "why": longest.hint, "back": asked.href()})
    typed = {"hours": request.POST.get("hours", str(min(24, longest))).strip()[:9], "reason": _reason(request)}
    faults: dict[str, str] = {}
    if request.method == "POST":
        faults = _override_faults(typed, longest)
        made = None if faults else _propose(actor, actor.scope, asked.indexes[0], typed)
        if isinstance(made, UUID):
            said = "Proposed. Nothing is sent to it until a second person approves."
            messages.success(request, said, extra_tags="proposed")
            return HttpResponseRedirect(f"/changes/{made}")
        faults = faults or made or {}
    whom = asked.who if allowed(actor, "message:content") else "the address asked for"
    return _ask(request, "override", typed, faults, {
        "title": "Propose an override",
        "what": f"This client’s mail may reach {whom} after all, though it is on the list now. Whatever is written of "
                "it from the approval on, a bounce, a complaint or an opt-out, stops the mail again at once.",
        "who": "The owner of the address. Where they complained or opted out, no override is possible. Other clients’ "
               "mail stays stopped.",
        "when": f"When somebody of the operator approves; it ends by itself, {longest} hours from now at the latest.",
        "undo": "It ends by itself; whoever may stop versions stops it at once. The list’s entries stay in any case.",
        "button": "Propose it",
        "longest": longest,
        "back": asked.href(),
    })  # fmt: skip


def _override_faults(typed: dict[str, str], longest: int) -> dict[str, str]:
    faults = _words(typed["reason"], "Say why, for the person who approves.")
    if not (typed["hours"].isascii() and typed["hours"].isdecimal() and 1 <= int(typed["hours"]) <= longest):
        faults = {"hours": f"Give whole hours, from 1 to {longest}.", **faults}
    return faults


def _propose(actor: Actor, tenant: UUID, index: bytes, typed: dict[str, str]) -> UUID | dict[str, str]:
    """The change, or what is wrong with it by field."""
    until = changes.clock(raw()) + timedelta(hours=int(typed["hours"]))
    artefact = {"blind_index": index.hex(), "expires_at": until.isoformat()}
    try:
        made = changes.propose(
            raw(), actor.secret, Proposal("override", history.code(index), artefact, typed["reason"].strip(), tenant)
        )
    except Invalid as invalid:
        return {{"expires_at": "hours"}.get(each.field, ""): each.hint for each in invalid.problems}
    except Refused as refused:
        return {"": refused.sentence}
    finally:
        scoped(actor.scope)
    return made.id


def _ask(
    request: HttpRequest, which: str, typed: dict[str, str], faults: dict[str, str], words: dict[str, Any]
) -> HttpResponse:
    """The consequence in words, the fields, and one button."""
    given = {"typed": typed, "faults": faults, "action": request.get_full_path(), "back": "/suppressions", "most": MOST,
             "which": which}  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "suppressions/ask.html", {**_SECTION, **given, **words}, status=status)
