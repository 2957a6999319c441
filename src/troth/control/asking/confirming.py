"""Asking, for whoever asked: the page behind the link of our mail. Looking confirms nothing, so that a mail scanner
asks for nobody; the button does, for the browser that was shown it. Behind the link of the answer are the documents.
"""

import hashlib
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.abuse.filing import now
from troth.control.asking import agreement, filing
from troth.control.asking.showing import Whose, by_id, page
from troth.control.asking.words import KINDS, kinds
from troth.control.audit.asking import row, rows
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.installation import Purpose
from troth.mail.tokens import TokenError, read_token

CONFIRM, ANSWER = "asked-confirm", "asked-answer"  # purposes of the two links (flow/duties/asking.py writes them)
_COOKIE, _SALT, _DAY = "troth_asked", "troth.asking.confirm", 86_400
_NAMES = ("kind", "programme_id", "reference", "asked_at", "wants", "agreement", "confirmed_at", "due_at", "decided_at",
          "outcome", "until", "over")  # fmt: skip
_SHOWN = f"SELECT {', '.join(_NAMES)} FROM troth.asked_shown_v1(%s)"  # noqa: S608 - our own words
_PIECES = "SELECT piece, kind, filename, size FROM troth.asked_pieces_v1(%s) WHERE granted"
_TAKE = "SELECT filename, file_ct, sha256 FROM troth.asked_take_v1(%s, %s)"


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def shown(request: HttpRequest, token: str) -> HttpResponse:
    """GET /asked/<token>: how it stands; POST: yes, it was I who asked."""
    asked, purpose = _read(token)
    found = row(_SHOWN, asked) if asked else None
    if asked is None or found is None:
        return page(request, "gone", None, HTTPStatus.NOT_FOUND)
    told = dict(zip(_NAMES, found, strict=True))
    of = by_id(told["programme_id"])
    if told["over"]:
        return page(request, "gone", of, HTTPStatus.GONE)
    if told["confirmed_at"] is None and request.method == "POST":
        return _confirmed(request, token, asked, told["kind"], of)
    given: dict[str, Any] = {"asked": told, "what": KINDS[told["kind"]], "documents": kinds(told["wants"])}
    if told["confirmed_at"] is None:
        response = page(request, "confirm", of, text=agreement.text_of(bytes(told["agreement"] or b"")), **given)
        response.set_cookie(_COOKIE, signing.dumps(_mark(token), salt=_SALT), _DAY, path="/asked",
                            secure=settings.TROTH_SECURE, httponly=True, samesite="Strict")  # fmt: skip
        return response
    pieces = _pieces(asked) if purpose == ANSWER and told["until"] and told["until"] > now() else []
    return page(request, "asked", of, pieces=pieces, token=token, granted=purpose == ANSWER, **given)


@csrf_protect
@require_POST
def taken(request: HttpRequest, token: str, piece: UUID) -> HttpResponse:
    """POST /asked/<token>/documents/<piece>: one document that was granted, as a file; each taking is on record."""
    asked, purpose = _read(token)
    found = _opened(asked, piece) if asked is not None and purpose == ANSWER else None
    if found is None:
        return page(request, "gone", None, HTTPStatus.NOT_FOUND)
    name, octets = found
    response = HttpResponse(octets, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def _opened(asked: UUID, piece: UUID) -> tuple[str, bytes] | None:
    """None: it is not theirs, or what lies there is not what two people accepted; then nothing was taken."""
    with suppress(Undecryptable), transaction.atomic():
        found = row(_TAKE, asked, piece)
        if found is None:
            return None
        name, sealed, digest = found
        octets: bytes = settings.TROTH_KEYS().operator.open(bytes(sealed), places.evidence(piece))
        if hashlib.sha256(octets).digest() != bytes(digest):
            raise Undecryptable
        return str(name), octets
    return None


def _confirmed(request: HttpRequest, token: str, asked: UUID, kind: str, of: Whose) -> HttpResponse:
    if not _was_shown(request, token):
        return page(request, "unshown", of, HTTPStatus.FORBIDDEN)
    if filing.confirm(asked, kind, of.id) == "full":
        return page(request, "full", of, HTTPStatus.TOO_MANY_REQUESTS, contacts=())
    response = HttpResponseRedirect(request.path)
    response.delete_cookie(_COOKIE, path="/asked", samesite="Strict")
    return response


def _pieces(asked: UUID) -> list[dict[str, object]]:
    return [{"id": piece, "name": name, "size": size, "kind": kinds([kind])[0][1]}
            for piece, kind, name, size in rows(_PIECES, asked)]  # fmt: skip


def _was_shown(request: HttpRequest, token: str) -> bool:
    try:
        return bool(signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_DAY) == _mark(token))
    except signing.BadSignature:
        return False


def _mark(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read(token: str) -> tuple[UUID | None, str]:
    """And for what the link is: whoever has that of the answer read it in the answer."""
    keys = settings.TROTH_KEYS().secrets.token_keys(Purpose.CASE)
    for purpose in (CONFIRM, ANSWER):
        with suppress(TokenError, ValueError):
            return UUID(bytes=read_token(keys, purpose, token, now())), purpose
    return None, ""
