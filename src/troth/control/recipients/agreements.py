"""Recipients, for people: agreements that vendors signed. Of a document its SHA-256 is kept, with a name and a date;
the document itself is hashed as it comes in and never stored.
"""

import hashlib
from datetime import date
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.approvals import changes
from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import within
from troth.control.people.actor import actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.recipients import reading
from troth.control.recipients.pages import SECTION
from troth.keys.ids import uuid7

_LONGEST = 200
_KEEP = "SELECT troth.agreement_keep_v1(%s, %s, %s, %s, %s, %s, %s)"


class Hashing(FileUploadHandler):
    """The digest of the field `file`; what comes in is let go at once."""

    def __init__(self) -> None:
        super().__init__()
        self._hash, self.octets = hashlib.sha256(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        del start
        if self.field_name == "file":
            self._hash.update(raw_data)
            self.octets += len(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        return UploadedFile(BytesIO(), self.file_name, size=file_size)

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


@needs("recipient:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /recipients/agreements"""
    actor = actor_of(request)
    assert actor.scope is not None
    return render(request, "recipients/agreements.html", {**SECTION, "agreements": reading.agreements(actor.scope)})


@csrf_exempt  # the token is asked for below, once it is said how the document is taken in
@needs("recipient:write")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """GET and POST /recipients/agreements/new: a document, its name, and the day on which it was signed."""
    hashing = Hashing()
    request.upload_handlers = [hashing]
    return _new(request, hashing)


@csrf_protect
def _new(request: HttpRequest, hashing: Hashing) -> HttpResponse:
    actor = actor_of(request)
    assert actor.scope is not None
    typed, faults = {"name": "", "signed": ""}, {}
    if request.method == "POST":
        typed = {name: request.POST.get(name, "").replace("\0", "").strip()[: _LONGEST + 1] for name in typed}
        faults = _faults(typed, hashing.octets)
        if not faults:
            one = uuid7(changes.clock(raw()))
            scoped(actor.scope)
            values = (one, actor.scope, typed["name"], date.fromisoformat(typed["signed"]), hashing.digest,
                      hashing.octets, actor.secret)  # fmt: skip
            try:
                with refusals(), within(raw(), actor.scope):
                    raw().execute(_KEEP, values)
            except Refused as refused:
                faults = {"signed" if "date" in refused.sentence else "file": refused.sentence}
            else:
                said = f"Kept: the hash of “{typed['name']}”. The document itself is not here; keep it."
                messages.success(request, said, extra_tags="holds")
                return HttpResponseRedirect("/recipients/agreements")
    context: dict[str, Any] = {**SECTION, "typed": typed, "faults": faults, "most": _LONGEST}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "recipients/agreement.html", context, status=status)


def _faults(typed: dict[str, str], octets: int) -> dict[str, str]:
    found = {}
    if not octets:
        found["file"] = "Choose the signed document: its hash is made of every byte of it."
    if not typed["name"] or len(typed["name"]) > _LONGEST:
        found["name"] = "Name it as you would look for it, in at most 200 characters."
    try:
        date.fromisoformat(typed["signed"])
    except ValueError:
        found["signed"] = "Give the day of signing, such as 2026-11-22."
    if found and octets and "file" not in found:
        found["file"] = "Choose the document again: a browser does not keep it."
    return found
