"""The trust centre: a programme's whole page, in one language: the count, the pillars, the chapters of promises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from troth.control.centre import chapters, drawn
from troth.control.centre.claim_model import Shown, shown
from troth.control.centre.fitting import Spare
from troth.control.centre.gathered import Gathered, Line
from troth.control.centre.words import Words
from troth.control.trust.catalogue import CHAPTERS
from troth.control.trust.found import State
from troth.control.trust.strokes import Strokes, strokes

STATES = {
    "holds": State.HOLDS,
    "fails": State.FAILS,
    "stale": State.STALE,
    "no-data": State.NO_DATA,
    "no-control": State.NO_CONTROL,
}
_APART = {"no_data": State.NO_DATA, "stale": State.STALE, "no_control": State.NO_CONTROL}


@dataclass(frozen=True, slots=True)
class Chapter:
    """`parts`: heading and promises; headings are shown where there are several. `count`: "28", or "5 of 6"."""

    id: str
    title: str
    says: str
    count: str
    caption: str
    tally: Strokes
    parts: list[tuple[str, list[Shown]]]


@dataclass(frozen=True, slots=True)
class Pillar:
    title: str
    says: str
    state: str
    tone: str
    glyph: str


def page(
    there: Gathered, words: Words, only: str = "", spare: Spare = Spare.NOTHING, named: Sequence[str] = CHAPTERS
) -> dict[str, Any]:
    """`only`: the state whose promises are shown; the counts are of all. `named`: the chapters that the page has."""
    all_chapters = [_chapter(there, chapter, words, only, spare) for chapter in named]
    return {
        "title": title(there, words),
        "fails": _fails(there, words),
        "apart": _apart(there, words),
        "checked": _checked(there, words),
        "pillars": [_pillar(there, pillar, words) for pillar in chapters.PILLARS],
        "chapters": all_chapters,
        "shown": [chapter for chapter in all_chapters if chapter.parts or (not only and chapter.id == "contact")],
        "pictures": _pictures(all_chapters),
        "filters": [(name, words.told["state"][name], there.count(state)) for name, state in STATES.items()],
    }


def title(there: Gathered, words: Words, section: str = "hero") -> str:
    """The first thing that is said: how many hold, and how many do not. `section`: of the words for those that do."""
    if not there.lines:
        return str(words.told["page"]["no_promise"])
    holds, fails = there.count(State.HOLDS), there.count(State.FAILS)
    withdrawn = any(line.withdrawn for line in there.lines)
    first = words.many(section, "holds", holds, holds=holds, n=len(there.lines))
    if not fails:
        return f"{first} {words.told['hero']['fails_none']}"
    return f"{first} {words.many('hero', 'withdrawn' if withdrawn else 'fails', fails)}"


def _fails(there: Gathered, words: Words) -> tuple[str, str] | None:
    """A link to the first that fails."""
    wrong = [line for line in there.lines if line.state is State.FAILS]
    return (wrong[0].claim.id, words.say("hero", "read_one" if len(wrong) == 1 else "read_many")) if wrong else None


def _apart(there: Gathered, words: Words) -> str:
    """Those that neither hold nor fail."""
    counts = {key: there.count(state) for key, state in _APART.items()}
    told = [words.many("hero", key, n) for key, n in counts.items() if n]
    return words.say("hero", "apart", list=words.listed(told)) if told else ""


def _checked(there: Gathered, words: Words) -> str:
    if there.checked_at is None:
        return str(words.told["hero"]["never"])
    return words.say("hero", "checked", when=words.moment(there.checked_at))


def _chapter(there: Gathered, chapter: str, words: Words, only: str, spare: Spare) -> Chapter:
    told, lines = words.told["chapter"], chapters.of_chapter(there.lines, chapter)
    there_now = [line for line in lines if only in ("", line.word) or STATES.get(only) is line.state]
    parts = [
        (words.told["section"].get(section, section), [shown(line, words, there.now, spare) for line in same])
        for section, same in chapters.parts(there_now)
    ]
    return Chapter(
        chapter, told[chapter], told[f"{chapter}_says"], _count(lines, words),
        _caption(words.told["tally"][chapter], lines, words),
        strokes(line.state for line in lines), parts,
    )  # fmt: skip


def _holding(lines: Iterable[Line]) -> int:
    return sum(line.state is State.HOLDS for line in lines)


def _count(lines: list[Line], words: Words) -> str:
    """28 where all hold, else 5 of 6."""
    holds = _holding(lines)
    return str(len(lines)) if holds == len(lines) else words.say("hero", "part", holds=holds, n=len(lines))


def _caption(name: str, lines: list[Line], words: Words) -> str:
    return f"{name}, {_count(lines, words)}"


def _pillar(there: Gathered, pillar: str, words: Words) -> Pillar:
    told, lines = words.told["pillars"], chapters.of_pillar(there.lines, pillar)
    holds, fails = _holding(lines), any(line.state is State.FAILS for line in lines)
    if lines and holds == len(lines):
        state, tone, glyph = words.many("pillars", "all", len(lines)), "kept", "g-kept"
    else:
        state = words.say("pillars", "some", holds=holds, n=len(lines))
        tone, glyph = ("broken", "g-broken") if fails else ("none", "g-none")
    return Pillar(told[pillar], told[f"{pillar}_says"], state, tone, glyph)


def _pictures(all_chapters: Iterable[Chapter]) -> dict[str, drawn.Past]:
    """Each different picture of sixty days once, by the name that promises show it under."""
    return {one.picture: one.past for chapter in all_chapters for _, same in chapter.parts for one in same if one.past}
