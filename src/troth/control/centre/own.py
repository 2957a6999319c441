"""The trust centre, for anybody, under a client firm's own name: the part of its programme's promises that concerns it.

It is there only while the firm has chosen to show it (choosing.py), and is the programme's page in less: the same
models, templates and kept bytes. A firm that has not chosen reads like one that does not exist.
"""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.control.audit.asking import row
from troth.control.centre import kept
from troth.control.centre.answers import missing, public, rendered, whole
from troth.control.centre.asked import Asked, asked, frame, place_of, there
from troth.control.centre.concerning import named, part
from troth.control.centre.fitting import Spare, fitted
from troth.control.centre.gathered import gathered
from troth.control.centre.ground import Ground, Place, standing
from troth.control.centre.page_model import page, title
from troth.control.centre.views import body, framed

_FIRM = "SELECT troth.trust_page_v1(%s, %s)"


@public
def shown(request: HttpRequest, code: str, client: str) -> HttpResponse:
    """GET /trust/<code>/of/<client>: `state` and `lang` as on the programme's page."""
    want = asked(request)
    with standing() as ground:
        place = place_of(request, ground, code)
        firm = _firm(place, client) if place else ""
        if place is None or not firm:
            return missing()
        key = ("own", code, client, want.words.code, want.only)
        content = kept.page(key, f"{ground.mark} {firm}", ground.now, lambda: _page(want, place, client, firm, ground))
        return whole(request, content, ground.now)


def _firm(place: Place, client: str) -> str:
    """Its name; "" where it shows no page."""
    found = row(_FIRM, place.id, client)
    return str(found[0] or "") if found else ""


def _page(want: Asked, place: Place, client: str, firm: str, ground: Ground) -> tuple[bytes, datetime]:
    found = part(gathered(place, ground))
    home, path, words = f"/trust/{place.code}", f"/trust/{place.code}/of/{client}", want.words
    given = {**framed(frame(want, place, path, firm)), **dict(_words(want, place, firm)),
             "count": title(found, words, "own"), "paper": there(f"{home}/trust.json"),
             "absolute": f"{settings.TROTH_PUBLIC_URL}{home}"}  # fmt: skip

    def made(spare: Spare) -> bytes:
        said = page(found, words, want.only, spare, tuple(named(found)))
        said["title"] = words.say("own", "title", firm=firm)
        return rendered("own.html", **given, **body(want, place, found, path, said))

    return fitted(made), found.until


def _words(want: Asked, place: Place, firm: str) -> Iterator[tuple[str, str]]:
    yield "sent", want.words.say("own", "sent", firm=firm, name=place.name)
    yield "signed", want.words.say("own", "signed", name=place.name)
    yield "rest", want.words.say("own", "rest", name=place.name)
    yield "whole", want.words.say("page", "back", name=place.name)
