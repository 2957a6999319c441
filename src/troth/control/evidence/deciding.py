"""Evidence, for people: a second person accepts what is shown, and one is enough to withdraw it."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from troth.control.audit.refusals import Refused
from troth.control.evidence import acts
from troth.control.evidence.reading import Piece
from troth.control.evidence.views import SECTION, access_piece, facts, may
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs

_WHY = 500


@needs("evidence:accept")
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, piece: UUID) -> HttpResponse:
    """GET and POST /evidence/<piece>/accept: yes to what is shown, after its consequence in words."""
    found, fault = access_piece(piece), ""
    actor = actor_of(request)
    if not may(actor, found)["may_accept"]:
        return HttpResponseRedirect(f"/evidence/{piece}")
    if request.method == "POST":
        try:
            acts.accept(raw(), actor.secret, piece, _digest(request.POST.get("digest", "")))
        except Refused as refused:
            fault = refused.sentence
        else:
            messages.success(request, f"Accepted: {found.title}", extra_tags="holds")
            return HttpResponseRedirect(f"/evidence/{piece}")
        finally:
            scoped(actor.scope)
    return _confirm(request, found, _accepting(found), {"": fault} if fault else {})


@needs("evidence:withdraw")
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, piece: UUID) -> HttpResponse:
    """GET and POST /evidence/<piece>/withdraw: it counts no more, after its consequence in words."""
    found, actor, faults = access_piece(piece), actor_of(request), dict[str, str]()
    if found.withdrawn_at:
        return HttpResponseRedirect(f"/evidence/{piece}")
    why = request.POST.get("why", "").replace("\0", "").strip()[: _WHY + 1]
    if request.method == "POST":
        faults = _withdrawn(actor, piece, why)
        if not faults:
            messages.success(request, f"Withdrawn: {found.title}", extra_tags="withdrawn")
            return HttpResponseRedirect(f"/evidence/{piece}")
    return _confirm(request, found, {**_withdrawing(found), "typed": {"why": why}, "asks_why": True}, faults)


def _confirm(request: HttpRequest, piece: Piece, context: dict[str, Any], faults: dict[str, str]) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    shown = {**SECTION, **facts(piece), **context, "faults": faults, "most": _WHY, "back": f"/evidence/{piece.id}"}
    return render(request, "evidence/confirm.html", shown, status=status)


def _accepting(piece: Piece) -> dict[str, Any]:
    seen = " Anybody can take the file from the trust centre." if piece.public else ""
    return {
        "title": "Accept this evidence",
        "what": f"You say that the file shows it: {piece.claim} rests on it until {piece.valid_until}.{seen}",
        "who": "You and the person who handed it in stand beside it, in the ledger for good.",
        "when": "At once. The claim is looked at again within the hour.",
        "undo": "It can be withdrawn, with a reason; that it was accepted stays on record.",
        "hidden": {"digest": piece.digest}, "button": "Accept it",
    }  # fmt: skip


def _withdrawing(piece: Piece) -> dict[str, Any]:
    seen = " The trust centre gives its file out no more." if piece.public else ""
    return {
        "title": "Withdraw this evidence",
        "what": f"{piece.claim} rests on it no more.{seen} Where nothing else shows the claim, it fails.",
        "who": "Whoever answers for the claim is told when it fails.",
        "when": "At once. The claim is looked at again within the hour.",
        "undo": "It cannot be undone: hand the file in again.",
        "button": "Withdraw it", "stop": True,
    }  # fmt: skip


def _withdrawn(actor: Actor, piece: UUID, why: str) -> dict[str, str]:
    """What is wrong with it; nothing: it was withdrawn."""
    if len(why) > _WHY:
        return {"why": f"{_WHY} characters are the most: shorten it."}
    try:
        acts.withdraw(raw(), actor.secret, piece, why)
    except Refused as refused:
        return {"why": refused.sentence}
    finally:
        scoped(actor.scope)
    return {}


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
