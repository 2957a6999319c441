"""The trust centre, for anybody: the programmes, a programme's page, one promise. No session, no cookie, no script."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.utils.safestring import mark_safe

from troth.control.centre import kept
from troth.control.centre.answers import missing, public, rendered, whole
from troth.control.centre.asked import Asked, asked, frame, place_of, places_of, query, there
from troth.control.centre.detail_model import detail
from troth.control.centre.files import badge_words
from troth.control.centre.fitting import fitted
from troth.control.centre.gathered import Gathered, gathered
from troth.control.centre.ground import Ground, Place, own, standing
from troth.control.centre.page_model import page
from troth.control.centre.words import Words
from troth.control.trust.found import State

_DESKS = ("security", "abuse", "privacy")


@public
def programmes(request: HttpRequest) -> HttpResponse:
    """GET /trust: every programme, or on a programme's own host the way to its page."""
    want = asked(request)
    with standing() as ground:
        mine = own(request.get_host(), ground.places)
        if mine is not None:
            return HttpResponseRedirect(f"/trust/{mine.code}{want.tail}")
        found = [gathered(place, ground) for place in places_of(request, ground)]
        listed = [_row(each, want) for each in found]
        content = rendered("programmes.html", **framed(frame(want, None, "/trust")), listed=listed)
        return whole(request, content, ground.now)


def _row(each: Gathered, want: Asked) -> tuple[str, str, str, str, str]:
    """Its link, its name, how it stands in words, with tone and glyph."""
    holds, fails, n = each.count(State.HOLDS), each.count(State.FAILS), len(each.lines)
    told = badge_words(each, want.words)
    look = ("broken", "g-broken") if fails else ("kept", "g-kept") if n and holds == n else ("none", "g-none")
    return f"/trust/{each.place.code}{want.tail}", each.place.name, told, *look


@public
def shown(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>: all that a programme promises; ?state= shows those in one state, ?lang= in a language."""
    want = asked(request)
    with standing() as ground:
        place = place_of(request, ground, code)
        if place is None:
            return missing()
        key = ("page", code, want.words.code, want.only)
        content = kept.page(key, ground.mark, ground.now, lambda: _page(want, place, ground))
        return whole(request, content, ground.now)


def _page(want: Asked, place: Place, ground: Ground) -> tuple[bytes, datetime]:
    found = gathered(place, ground)
    home = f"/trust/{place.code}"
    given = {**framed(frame(want, place, home)), "paper": there(f"{home}/trust.json"),
             "absolute": f"{settings.TROTH_PUBLIC_URL}{home}"}  # fmt: skip
    content = fitted(lambda spare: rendered(
        "page.html", **given, **body(want, place, found, home, page(found, want.words, want.only, spare))))  # fmt: skip
    return content, found.until


def body(want: Asked, place: Place, found: Gathered, path: str, said: dict[str, Any]) -> dict[str, Any]:
    """What a programme's page and a firm's have in common; `path`: where its filters lead."""
    words, home = want.words, f"/trust/{place.code}"
    filters = [(*each, f"{path}{query(state=each[0], lang=words.code)}") for each in said["filters"]]
    return {"said": said, "pictures": said["pictures"], "filters": filters, "only": want.only, "n": len(found.lines),
            "contacts": contacts(place, words), "more": more(home, want)}  # fmt: skip


def contacts(place: Place, words: Words) -> list[tuple[str, str]]:
    """The desks that have an address, each by its name."""
    return [(words.told["contact"][desk], place.mail(desk)) for desk in _DESKS if place.mail(desk)]


def more(home: str, want: Asked) -> list[tuple[str, str]]:
    """The pages of the desk that belong to the contacts."""
    told = want.words.told["contact"]
    pages = ((f"{home}/contacts", told["page"]), (f"{home}/questions", told["questions"]))
    return [(path, name) for path, name in pages if there(path)]


@public
def unslashed(request: HttpRequest, rest: str = "") -> HttpResponse:
    """GET /trust/ and what is below, with a slash at its end: where it is."""
    query = request.META.get("QUERY_STRING", "")
    where = quote(f"/trust/{rest}".rstrip("/"))
    return HttpResponsePermanentRedirect(f"{where}?{query}" if query else where)


@public
def claim(request: HttpRequest, code: str, claim: str) -> HttpResponse:
    """GET /trust/<code>/claims/<ID>: one promise, with all that is known of it."""
    want = asked(request)
    with standing() as ground:
        place = place_of(request, ground, code)
        found = gathered(place, ground) if place else None
        line = found.line(claim) if found else None
        if place is None or found is None or line is None:
            return missing()
        told = detail(line, want.words, found.now)
        path = f"/trust/{code}/claims/{claim}"
        content = rendered(
            "detail.html", **framed(frame(want, place, path)), said=told,
            pictures={told["claim"].picture: told["claim"].past},
            back=want.words.say("page", "back", name=place.name),
        )  # fmt: skip
        return whole(request, content, ground.now)


def framed(given: dict[str, object]) -> dict[str, object]:
    """The attributes are ours."""
    return {**given, "en": mark_safe(str(given["en"])), "mine": mark_safe(str(given["mine"]))}  # noqa: S308 - our own words
