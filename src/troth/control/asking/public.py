"""Asking, for anybody: a programme's contacts, its subprocessors, questions with their answers, and the two forms.
Looking changes nothing, and what is sent is kept for nobody before its address was confirmed.
"""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID, uuid5

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.abuse.filing import now
from troth.control.asking import agreement, contacts, filing, subprocessors, typed
from troth.control.asking.showing import Whose, page, whose
from troth.control.asking.typed import Typed
from troth.control.asking.words import kinds
from troth.control.audit.asking import rows
from troth.control.people.actor import raw
from troth.keys import ids

_PUBLISHED = "SELECT question, answer, at FROM troth.asked_published_v1(%s)"
_SALT, _HOURS = "troth.asking.form", 12
_TITLES = {"question": "Ask a question", "documents": "Ask for documents"}


@require_safe
def contact(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>/contacts: whom to write to, and about what."""
    of = whose(request, code)
    return page(request, "contacts", of, contacts=contacts.contacts(raw(), of.id))


@require_safe
def others(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>/subprocessors: who else handles personal data, and what changed in that."""
    of, there = whose(request, code), raw()
    lines = subprocessors.subprocessors(there, of.id)
    return page(request, "subprocessors", of, lines=lines, turns=subprocessors.changes(there, of.id))


@require_safe
def questions(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>/questions: those that staff answered for everybody."""
    of = whose(request, code)
    found = [{"question": question, "answer": answer, "at": at} for question, answer, at in rows(_PUBLISHED, of.id)]
    return page(request, "questions", of, found=found)


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """GET and POST /trust/<code>/ask."""
    return _form(request, "question", whose(request, code))


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def documents(request: HttpRequest, code: str) -> HttpResponse:
    """GET and POST /trust/<code>/documents: what is not public, behind an agreement."""
    return _form(request, "documents", whose(request, code))


def _form(request: HttpRequest, kind: str, of: Whose) -> HttpResponse:
    offered = filing.offered(of.id) if kind == "documents" else ()
    if request.method != "POST":
        return _typing(request, kind, of, offered, Typed(), {})
    given = typed.read(request.POST.dict(), request.POST.getlist("wants"))
    faults = typed.faults(kind, given, offered, agreement.digest().hex())
    once = None if faults else _once(request.POST.get("once", ""), kind, of, given)
    if faults or once is None:
        stale = "" if faults else "This page was open for too long. Look at it once more, and press again."
        return _typing(request, kind, of, offered, given, faults, stale)
    return _kept(request, kind, of, given, filing.file(kind, of.id, given, request.META.get("REMOTE_ADDR", ""), once))


def _kept(request: HttpRequest, kind: str, of: Whose, given: Typed, came: str) -> HttpResponse:
    """The same page whether the address had its letter today or not: nobody learns who else asked."""
    if came == filing.FULL:
        lines = contacts.contacts(raw(), of.id)
        return page(request, "full", of, HTTPStatus.TOO_MANY_REQUESTS, contacts=lines)
    return page(request, "kept", of, address=given.address, kind=kind)


def _typing(
    request: HttpRequest,
    kind: str,
    of: Whose,
    offered: tuple[str, ...],
    given: Typed,
    faults: Mapping[str, str],
    stale: str = "",
) -> HttpResponse:
    days = (filing.due(kind, of.id, now()) - now()).days
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.FORBIDDEN if stale else HTTPStatus.OK
    more = {"documents": kinds(offered), "text": agreement.NOW, "digest": agreement.digest().hex()}
    once = signing.dumps(str(ids.uuid7(now())), salt=_SALT)
    return page(request, kind, of, status, typed=given, faults=faults, stale=stale, days=days + 1, once=once,
                title=_TITLES[kind], **more)  # fmt: skip


def _once(text: str, kind: str, of: Whose, given: Typed) -> UUID | None:
    """What makes this form one, however often it is sent; None where it is not a form of ours, or an old one."""
    try:
        made = UUID(signing.loads(text, salt=_SALT, max_age=_HOURS * 3600))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return uuid5(made, f"{kind} {of.id} {given!r}")
