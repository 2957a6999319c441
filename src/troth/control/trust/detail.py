"""Claims, for people: one: its sentences, how it is known, what was seen for each programme, and its last days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from troth.control.audit.scope import Connection
from troth.control.trust import promised, shown
from troth.control.trust.catalogue import Claim
from troth.control.trust.look import Programme
from troth.control.trust.shown import Part, Turn
from troth.control.trust.standing import Standing, programmes, stored
from troth.control.trust.strokes import Strokes, strokes

DAYS = 60
_ASKED = "SELECT at FROM troth.claim_ask WHERE claim = %s"
_TODAY = "SELECT (troth.now_v1() AT TIME ZONE 'UTC')::date"


@dataclass(frozen=True, slots=True)
class Day:
    """`state` None: before its first look."""

    day: date
    state: str | None


@dataclass(frozen=True, slots=True)
class Of:
    """One claim for one programme that promises it. `seen`: name and value, as the control told."""

    programme: Programme
    sentence: str
    part: Part | None
    seen: tuple[tuple[str, Any], ...]
    days: tuple[Day, ...]
    picture: Strokes
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """`asked_at`: since when somebody waits for a look."""

    standing: Standing
    of: tuple[Of, ...]
    asked_at: datetime | None

    @property
    def claim(self) -> Claim:
        return self.standing.claim


def detail(connection: Connection, name: str) -> Detail:
    """Raise Refused where there is no such claim."""
    (standing,) = stored(connection, [name])
    asked = connection.execute(_ASKED, (standing.claim.id,)).fetchone()
    return Detail(standing, tuple(_each(connection, standing)), asked[0] if asked else None)


def _each(connection: Connection, standing: Standing) -> Iterator[Of]:
    (today,) = connection.execute(_TODAY).fetchone() or (date.min,)
    claim = standing.claim
    parts = {part.programme: part for part in standing.parts}
    for programme in programmes(connection):
        if claim.promised_by(programme.profile):
            part = parts.get(None if claim.scope == "installation" else programme.code)
            yield _of(connection, claim, programme, part, today)


def _of(connection: Connection, claim: Claim, programme: Programme, part: Part | None, today: date) -> Of:
    policy = promised.in_force(connection, programme)
    sentence = claim.sentence(policy, programme.profile) if policy else claim.shipped(programme.profile)
    states = shown.days(connection, programme, DAYS).get(claim.id, (None,) * DAYS)
    days = tuple(Day(today - timedelta(days=DAYS - 1 - n), state) for n, state in enumerate(states))
    turns = tuple(each for each in shown.changes(connection, programme, 500) if each.claim == claim.id)[:20]
    seen = (
        tuple((name.replace("_", " "), value) for name, value in (part.evidence.get("seen") or {}).items())
        if part
        else ()
    )
    return Of(programme, sentence, part, seen, days, strokes(states), turns)
