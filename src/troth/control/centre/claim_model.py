"""The trust centre: one promise as a page shows it, in one language. What a template prints is decided here."""

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.safestring import SafeString

from troth.control.centre import drawn, said
from troth.control.centre.fitting import Spare
from troth.control.centre.gathered import Line
from troth.control.centre.words import Words
from troth.control.evidence.reading import Piece
from troth.control.trust.found import State
from troth.control.trust.pending import pending

_LOOKS = {
    State.HOLDS: ("kept", "g-kept"),
    State.FAILS: ("broken", "g-broken"),
    State.STALE: ("waiting", "g-clock"),
    State.NO_DATA: ("none", "g-none"),
    State.NO_CONTROL: ("none", "g-unsure"),
}
_SHORT = 60  # characters of a reason where room is spared
_FIRST = 3  # figures on the page; the promise's own page has all


@dataclass(frozen=True, slots=True)
class Shown:
    """`says`: the sentence, its amounts in bold; None while the promise is withdrawn. `struck`: it is not kept now."""

    id: str
    tone: str
    glyph: str
    state: str
    says: SafeString | None
    struck: bool
    lead: str
    checked: str
    how: str
    figures: str
    found: tuple[str, ...]
    will: str
    kept: str
    label: str
    past: drawn.Past
    pieces: tuple[tuple[str, str, str], ...] = ()

    @property
    def picture(self) -> str:
        """The name of its days' picture; the same days have the same."""
        return f"d{zlib.crc32(repr(self.past).encode()):x}"


def shown(line: Line, words: Words, now: datetime, spare: Spare = Spare.NOTHING) -> Shown:
    tone, glyph = _LOOKS[line.state]
    return Shown(
        line.claim.id,
        tone,
        glyph,
        words.told["state"][line.word],
        None if line.withdrawn else said.strong(line.sentence),
        line.state is State.FAILS,
        _lead(line, words, now),
        checked(line, words, now),
        line.control.how if line.control else "",
        "" if spare >= Spare.FIGURES else "; ".join(said.figures(line.seen or {})[:_FIRST]),
        ()
        if line.state is State.HOLDS
        else tuple(said.reasons(line.why, *([_SHORT] if spare >= Spare.REASONS else []))),
        "" if line.control else pending(line.claim.id),
        kept(line, words),
        label(line, words, now),
        () if spare >= Spare.PICTURES else drawn.past(line.days),
        tuple(_piece(each, words) for each in line.pieces),
    )


def _piece(each: Piece, words: Words) -> tuple[str, str, str]:
    """Its number, its name, and how long it counts."""
    day = words.day(each.accepted_at or each.submitted_at)
    told = words.say("claim", "valid", day=day, until=words.day(each.valid_until))
    return str(each.id), each.title, told


def _lead(line: Line, words: Words, now: datetime) -> str:
    since = words.moment(line.since or line.checked_at or now)
    return words.say("claim", line.word, when=since)


def checked(line: Line, words: Words, now: datetime) -> str:
    """How it is known, and when that was last done."""
    kind = words.told["kind"][line.claim.kind]
    if line.control is None:
        return ""
    if line.checked_at is None:
        return words.say("claim", "unchecked", kind=kind)
    return words.say("claim", "checked", kind=kind, when=words.moment(line.checked_at, now))


def _recorded(line: Line) -> list[str]:
    return [day for day in line.days if day]


def kept(line: Line, words: Words) -> str:
    """58 of 60 days"""
    there = _recorded(line)
    if not there:
        return str(words.told["past"]["none"]) if line.control else ""
    return words.say("past", "of", kept=there.count(State.HOLDS), n=len(there))


def label(line: Line, words: Words, now: datetime) -> str:
    """What the picture of the days shows, in a sentence."""
    there = _recorded(line)
    count = {"kept": there.count(State.HOLDS), "n": len(there)}
    if not there:
        return words.say("past", "nothing")
    if State.FAILS in there:
        return words.say("past", "broken", day=words.day(_broken(line, now)), **count)
    return words.say("past", "kept" if count["kept"] == count["n"] else "unsure", **count)


def _broken(line: Line, now: datetime) -> date:
    """The last day on which it did not hold; the last of the days is today's."""
    ago = line.days[::-1].index(State.FAILS)
    return now.astimezone(UTC).date() - timedelta(days=ago)
