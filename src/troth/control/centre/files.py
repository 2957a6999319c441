"""The trust centre: what is taken away from it: the badge, the signed document, and evidence that may be public."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.control.audits.ledgers import NoLedger
from troth.control.audits.papers import paper
from troth.control.centre import kept
from troth.control.centre.answers import attached, later, missing, public_file, rendered, whole
from troth.control.centre.asked import asked, place_of, places_of
from troth.control.centre.gathered import Gathered, gathered
from troth.control.centre.ground import Ground, Place, standing
from troth.control.centre.words import Words
from troth.control.evidence.reading import Damaged, piece_file
from troth.control.people.actor import raw
from troth.control.trust.found import State
from troth.ledger.signed_file import WrongKey
from troth.ledger.trust_file import together

_LETTER = 6.6  # the width of a letter of 11 px, about; the text is given its length, so that it fits whatever the font
_PAD = 10
_FRESH = timedelta(seconds=60)


@public_file
def badge(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>/badge.svg: how many promises hold, in words, for a client's own page."""
    want = asked(request)
    with standing() as ground:
        place = place_of(request, ground, code)
        if place is None:
            return missing()
        found = gathered(place, ground)
        response = whole(request, _drawn(found, want.words), ground.now, "image/svg+xml")
        response["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is made to be shown elsewhere
        return response


def badge_words(found: Gathered, words: Words) -> str:
    holds, fails, n = found.count(State.HOLDS), found.count(State.FAILS), len(found.lines)
    if not n:
        return str(words.told["badge"]["none"])
    if not fails:
        return words.say("badge", "kept", holds=holds, n=n)
    return words.many("badge", "broken", fails, holds=holds, n=n, fails=fails)


def _drawn(found: Gathered, words: Words) -> bytes:
    title, told = str(words.told["badge"]["title"]), badge_words(found, words)
    left, right = (round(len(text) * _LETTER) for text in (title, told))
    whole_left = left + 2 * _PAD
    fails, all_hold = found.count(State.FAILS), found.count(State.HOLDS) == len(found.lines)
    return rendered(
        "badge.svg", w=words, name=found.place.name, title=title, told=told, left=left, right=right,
        first=whole_left, width=whole_left + right + 2 * _PAD + 16, glyph_at=whole_left + _PAD - 2,
        text_at=whole_left + _PAD + 14, glyph="broken" if fails else "kept" if all_hold and found.lines else "none",
    )  # fmt: skip


@public_file
def document(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>/trust.json: the page as a signed file, which `troth verify trust` checks offline."""
    with standing() as ground:
        place = place_of(request, ground, code)
        return _signed(request, ground, (place,) if place else ())


@public_file
def documents(request: HttpRequest) -> HttpResponse:
    """GET /trust.json: that of each programme in one file; on a programme's own host its own."""
    with standing() as ground:
        return _signed(request, ground, places_of(request, ground))


def _signed(request: HttpRequest, ground: Ground, places: tuple[Place, ...]) -> HttpResponse:
    if not places:
        return missing()
    try:
        content = together([_paper(place, ground) for place in places])
    except (NoLedger, WrongKey):
        return later()
    return whole(request, content, ground.now, "application/json")


def _paper(place: Place, ground: Ground) -> bytes:
    def made() -> tuple[bytes, datetime]:
        until = min(ground.now + _FRESH, gathered(place, ground).until)
        return paper(raw(), settings.TROTH_KEYS(), place.programme), until

    return kept.page(("paper", place.code), ground.mark, ground.now, made)


@public_file
def evidence(request: HttpRequest, code: str, piece: UUID) -> HttpResponse:
    """GET /trust/<code>/evidence/<id>: a file that two people accepted and that is public, of this programme alone."""
    with standing() as ground:
        place = place_of(request, ground, code)
        lines = gathered(place, ground).lines if place else ()
        line = next((line for line in lines if any(each.id == piece for each in line.pieces)), None)
        if line is None or line.withdrawn:
            return missing()
        try:
            told, content = piece_file(raw(), settings.TROTH_KEYS().operator, piece)
        except Damaged:
            return later()  # the check of its claim says what is wrong with it
        return attached(content, told.filename)
