"""The trust centre: what a request asks for: whose page, in which language, which of its promises.

A programme's own host shows that programme alone: any other is not there.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from troth.control.centre.ground import Ground, Place, own
from troth.control.centre.page_model import STATES
from troth.control.centre.words import LANGUAGES, Words, words


@dataclass(frozen=True, slots=True)
class Asked:
    """`only`: a state; "" for all. `tail`: what keeps the language in a link."""

    words: Words
    only: str

    @property
    def tail(self) -> str:
        return query(lang=self.words.code)


def asked(request: HttpRequest) -> Asked:
    """What is not known is read as not asked: there is one page for it, and not a new one."""
    only = request.GET.get("state", "")
    return Asked(words(request.GET.get("lang", "")), only if only in STATES else "")


def query(**given: str) -> str:
    """The query of a link; English and all promises need none."""
    return f"?{told}" if (told := urlencode({k: v for k, v in given.items() if v and v != LANGUAGES[0]})) else ""


def place_of(request: HttpRequest, ground: Ground, code: str) -> Place | None:
    """The programme of a code, where this host shows it."""
    found, mine = ground.place(code), own(request.get_host(), ground.places)
    return found if mine is None or found == mine else None


def places_of(request: HttpRequest, ground: Ground) -> tuple[Place, ...]:
    mine = own(request.get_host(), ground.places)
    return (mine,) if mine else ground.places


def languages(path: str, only: str = "") -> list[tuple[str, str, str]]:
    """Each language by its code, in its own name, with where it is."""
    return [(code, words(code).told["name"], f"{path}{query(state=only, lang=code)}") for code in LANGUAGES]


def there(path: str) -> bool:
    """Whether the platform has a page at a path."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def frame(asked: Asked, place: Place | None, path: str, firm: str = "") -> dict[str, Any]:
    """What every page of the trust centre shows round its own content. `firm`: under whose name instead."""
    shown = asked.words
    home = f"/trust/{place.code}" if place else "/trust"
    named = [("documents", f"{home}/documents"), ("subprocessors", f"{home}/subprocessors"), ("ask", f"{home}/ask")]
    doors = [(href, shown.told["page"][name]) for name, href in named if place and there(href)]
    feed = [(f"{home}/changes.atom{asked.tail}", shown.told["page"]["feed"])] if place else []
    whole = [(f"{home}{asked.tail}", shown.say("page", "back", name=place.name))] if place else []
    foreign = shown.code != LANGUAGES[0]
    return {
        "w": shown,
        "place": place,
        "home": home,
        "here": path,
        "brand": firm or (place.name if place else ""),
        "front": path if firm else home,
        "tail": asked.tail,
        "doors": whole if firm else doors + feed,
        "languages": languages(path, asked.only),
        "en": ' lang="en"' if foreign else "",
        "mine": f' lang="{shown.code}"' if foreign else "",
    }
