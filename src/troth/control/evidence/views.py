"""Evidence, for people: what was handed in for the promises, one piece and its file, and handing in another."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.access.reading import UNNAMED, names
from troth.control.audit.accesses import looked
from troth.control.audit.refusals import Refused
from troth.control.evidence import acts, listing, reading, receiving, words
from troth.control.evidence.listing import Asked
from troth.control.evidence.reading import Damaged, Piece
from troth.control.evidence.scanning import MOST, TYPES
from troth.control.imports.receiving import Sealing
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.keys.ids import uuid7
from troth.rules.evidence_kinds import BY_CODE

SECTION: dict[str, Any] = {"section": "evidence"}


@needs("evidence:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /evidence?q=&claim=&state=&before="""
    asked, today = Asked.of(request.GET.dict()), listing.today()
    found, older = listing.page(asked)
    codes: dict[UUID | None, str] = {id_: code for id_, code, _ in listing.programmes()}
    lines = [(each, words.kind(each.kind), words.look(each, today), codes.get(each.programme)) for each in found]
    context = {
        "asked": asked, "lines": lines, "older": older, "newest": asked.href() if asked.before else "",
        "claims": [("", "Any claim"), *words.claims()], "states": words.STATES.items(), "any": listing.any_there(),
    }  # fmt: skip
    return render(request, "evidence/list.html", {**SECTION, **context})


@csrf_exempt  # the token is asked for below, once it is said how the file is taken in
@needs("evidence:submit")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """GET and POST /evidence/new?claim=&kind=: a file and what it shows."""
    sealing = Sealing(settings.TROTH_KEYS().operator, uuid7(listing.now()), MOST)
    request.upload_handlers = [sealing]
    return _new(request, sealing)


@csrf_protect
def _new(request: HttpRequest, sealing: Sealing) -> HttpResponse:
    if request.method != "POST":
        return _ask(request, receiving.fresh(request), {})
    keys = settings.TROTH_KEYS().operator
    got = receiving.given(request, keys, sealing)
    if got.offered is None:
        return _ask(request, got.typed, got.faults)
    actor = actor_of(request)
    try:
        made = acts.submit(raw(), keys, actor.secret, got.offered, listing.now())
    except Refused as refused:
        where = "until" if "good for" in refused.sentence else "performed"
        return _ask(request, got.typed, {where: refused.sentence, "file": "Choose the file again."})
    finally:
        scoped(actor.scope)
    messages.success(request, "Handed in. It counts once a second person has accepted it.", extra_tags="proposed")
    return HttpResponseRedirect(f"/evidence/{made.id}")


def _ask(request: HttpRequest, typed: dict[str, str], faults: dict[str, str]) -> HttpResponse:
    programmes = [("", "The whole installation"), *((str(id_), name) for id_, _, name in listing.programmes())]
    context = {
        "typed": typed, "faults": faults, "claims": [("", "Choose"), *words.claims()], "programmes": programmes,
        "kinds": [("", "Choose"), *words.kinds()], "most": receiving.TITLE, "types": TYPES, "most_octets": MOST >> 20,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "evidence/new.html", {**SECTION, **context}, status=status)


@needs("evidence:read")
@require_safe
def detail(request: HttpRequest, piece: UUID) -> HttpResponse:
    """GET /evidence/<piece>: what it says, who brought and accepted it, and what may be done."""
    actor, found = actor_of(request), access_piece(piece)
    return render(request, "evidence/detail.html", {**SECTION, **facts(found), **may(actor, found)})


@needs("evidence:read")
@require_safe
def taken(request: HttpRequest, piece: UUID) -> HttpResponse:
    """GET /evidence/<piece>/file: as it came, for a program; never shown by the browser, and an entry of the ledger."""
    found = reading.one(raw(), piece)
    if found is None:
        raise Http404
    try:
        content = reading.opened(settings.TROTH_KEYS().operator, *found)
    except Damaged:
        messages.error(request, "This file does not open as it was handed in. Tell security: somebody changed it.")
        return HttpResponseRedirect(f"/evidence/{piece}")
    looked("access:evidence:take", None, actor_of(request).account_id, piece=piece)
    return as_file(found[0], content)


def as_file(piece: Piece, content: bytes) -> HttpResponse:
    """A browser keeps it and does nothing else with it."""
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{piece.filename}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "no-store"
    return answer


def facts(piece: Piece) -> dict[str, Any]:
    known = names([each for each in (piece.submitted_account, piece.accepted_account, piece.withdrawn_account) if each])
    who = {name: known.get(account, UNNAMED) if account else "" for name, account in (
        ("submitted", piece.submitted_account), ("accepted", piece.accepted_account),
        ("withdrawn", piece.withdrawn_account),
    )}  # fmt: skip
    programme = next((name for id_, _, name in listing.programmes() if id_ == piece.programme), "")
    look = words.look(piece, listing.today())
    return {"piece": piece, "kind": words.kind(piece.kind), "who": who, "look": look, "programme": programme,
            "publishes": piece.kind in BY_CODE and BY_CODE[piece.kind].publishes}  # fmt: skip


def may(actor: Actor, piece: Piece) -> dict[str, bool]:
    """What this person may do with it as it stands; who handed it in reads why they may not accept it."""
    waits = words.look(piece, listing.today())[0] == "proposed"
    own = piece.submitted_human == actor.human_id
    right = allowed(actor, "evidence:accept")
    return {
        "waits": waits, "own": own, "may_accept": waits and right and not own,
        "may_withdraw": piece.withdrawn_at is None and allowed(actor, "evidence:withdraw"),
    }  # fmt: skip


def access_piece(piece: UUID) -> Piece:
    found = reading.one(raw(), piece)
    if found is None:
        raise Http404
    return found[0]
