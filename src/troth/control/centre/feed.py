"""The trust centre: the feed of what turned (Atom, RFC 4287). One entry a promise and day: what flaps fills no feed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.control.centre import kept
from troth.control.centre.answers import missing, public_file, rendered, whole
from troth.control.centre.asked import asked, place_of
from troth.control.centre.gathered import Gathered, gathered
from troth.control.centre.ground import standing
from troth.control.centre.words import Words
from troth.control.trust.shown import Turn

_MOST = 50
_KIND = "application/atom+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Entry:
    """`id`: the same all day long, so that a reader shows one entry, with its newest text."""

    id: str
    claim: str
    at: datetime
    title: str
    text: str


@public_file
def changes(request: HttpRequest, code: str) -> HttpResponse:
    """GET /trust/<code>/changes.atom"""
    want = asked(request)
    with standing() as ground:
        place = place_of(request, ground, code)
        if place is None:
            return missing()

        def made() -> tuple[bytes, datetime]:
            found = gathered(place, ground)
            return _rendered(found, want.words), found.until

        content = kept.page(("feed", code, want.words.code), ground.mark, ground.now, made)
        return whole(request, content, ground.now, _KIND)


def _rendered(found: Gathered, words: Words) -> bytes:
    entries = list(merged(found, words))[:_MOST]
    midnight = found.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return rendered(
        "feed.xml", w=words, place=found.place, entries=entries, updated=entries[0].at if entries else midnight,
        home=f"{settings.TROTH_PUBLIC_URL}/trust/{found.place.code}",
        title=words.say("feed", "title", name=found.place.name),
        tail="" if words.code == "en" else f"?lang={words.code}",
    )  # fmt: skip


def merged(found: Gathered, words: Words) -> Iterator[Entry]:
    """The newest first."""
    by_day: dict[tuple[str, str], list[Turn]] = {}
    for turn in found.turns:
        by_day.setdefault((turn.claim, turn.at.astimezone(UTC).date().isoformat()), []).append(turn)
    for (claim, day), turns in by_day.items():
        yield _entry(found, claim, day, turns, words)


def _entry(found: Gathered, claim: str, day: str, turns: list[Turn], words: Words) -> Entry:
    """`turns` of one day, the newest first."""
    last, before = turns[0], turns[-1].was
    key = "again" if last.state == before else _key(last.state)
    line = found.line(claim)
    told = {"was": _word(before, words), "state": _word(last.state, words), "when": words.moment(last.at)}
    if line is None or line.withdrawn:
        text = words.say("feed", "text_withdrawn", **told)
    else:
        text = words.say("feed", "text", sentence=line.sentence, **told)
    return Entry(f"tag:{found.place.domain},{day}:{found.place.code}/{claim}", claim, last.at,
                 words.say("feed", key, id=claim), text)  # fmt: skip


def _key(state: str) -> str:
    return state.replace(" ", "-").removesuffix("-yet")


def _word(state: str, words: Words) -> str:
    return str(words.told["state"][_key(state)])
