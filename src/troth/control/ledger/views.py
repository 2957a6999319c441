"""Evidence, for people: the newest checkpoint, how to verify it oneself, and the entries with their proofs."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.audit.asking import rows
from troth.control.ledger import entries
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs

_NEWEST = 2**62


@needs("ledger:read")
@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """GET /ledger?before=&seals=&looks="""
    given = request.GET.get("before", "")
    seals, looks = (request.GET.get(name) == "with" for name in ("seals", "looks"))
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else _NEWEST
    found = entries.recent(actor_of(request), before, seals=seals, looks=looks)
    checkpoint = entries.newest()
    context = {
        "section": "ledger",
        "checkpoint": checkpoint,
        "age": max(_now() - checkpoint.at, timedelta(0)) if checkpoint else None,
        "entries": found[: entries.PAGE],
        "older": found[entries.PAGE - 1].index if len(found) > entries.PAGE else None,
        "seals": seals,
        "looks": looks,
        "asked": urlencode([(name, "with") for name, on in (("looks", looks), ("seals", seals)) if on]),
        "paging": before != _NEWEST,
    }
    return render(request, "ledger/ledger.html", context)


@needs("ledger:read")
@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """GET /ledger/checkpoint: the signed note as it is, to be kept elsewhere."""
    del request
    found = entries.newest()
    if found is None:
        raise Http404
    name = f'attachment; filename="troth-checkpoint-{found.size}.txt"'
    return HttpResponse(found.note, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": name})


@needs("ledger:read")
@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """GET /ledger/entries/<index>"""
    found = entries.access_entry(actor_of(request), index)
    return render(request, "ledger/entry.html", {"section": "ledger", "entry": found, "proved": entries.proved(found)})


def _now() -> datetime:
    """The database's clock."""
    at: datetime = rows("SELECT troth.now_v1()")[0][0]
    return at
