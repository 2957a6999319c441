"""Suppressions, for people: the list as a file, as it is filtered, page by page, so that no snapshot grows old."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from troth.control.access import exporting
from troth.control.audit.accesses import looked
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.suppressions import reading, words
from troth.control.suppressions.asked import Asked, keys_of
from troth.control.suppressions.reading import Entry, Place
from troth.control.suppressions.words import REASONS
from troth.keys.keyring import TenantKeys

_HEADER = ("address", "index", "reason", "category", "source", "since", "override_until", "taken_back_at")
_CODES = {number: code for code, number in REASONS.items()}
_BATCH = 1000


@needs("suppression:export")
@require_safe
def export(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """GET /suppressions/export.csv, .json?who=&reason=&sort=: addresses for whoever may see what mail said."""
    actor = actor_of(request)
    keys = keys_of(actor.scope)
    asked = Asked.read(request.GET, keys)
    if form not in exporting.FORMATS or asked.faults or actor.scope is None:
        raise Http404
    looked("access:suppression:export", actor.scope, actor.account_id, format=form, asked=" ".join(sorted(asked.given)))
    shown = {name: value for name, value in asked.given.items() if name in ("reason", "sort")}
    about = {"tenant": actor.scope, "asked": shown, "taken_at": actor.session.now.isoformat()}
    pages = exporting.batches(actor, _pages(actor, actor.scope, keys, asked))
    return exporting.answer(f"suppressions-{actor.session.now:%Y-%m-%d}", form, _HEADER, pages, **about)


def _pages(actor: Actor, tenant: UUID, keys: TenantKeys, asked: Asked) -> Iterator[list[dict[str, Any]]]:
    content, who = allowed(actor, "message:content"), asked.indexes
    more: Place | None = asked.after
    while True:
        page = reading.page(tenant, keys, who, asked.reason, more, None, oldest=asked.oldest, most=_BATCH)
        codes = reading.categories(tenant)
        yield [_row(each, codes, content=content) for each in page.found]
        if page.on is None:
            return
        more = page.on


def _row(each: Entry, codes: dict[UUID, str], *, content: bool) -> dict[str, Any]:
    return {
        "address": each.address if content else None,
        "index": each.place.index.hex(),
        "reason": _CODES[each.reason],
        "category": codes.get(each.category) if each.category else None,
        "source": _source(each),
        "since": each.place.at.isoformat(),
        "override_until": each.override.isoformat() if each.override else None,
        "taken_back_at": each.back.isoformat() if each.back else None,
    }


def _source(each: Entry) -> str:
    """As it is written, ids and all: each leads to its page."""
    found = words.source(each.source, each.way)
    return each.source if found.kind != "name" else found.told
