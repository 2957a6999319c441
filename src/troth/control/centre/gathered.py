"""The trust centre: what one programme's page says, in no language yet: each promise with its state, its check, its
last sixty days and its public evidence, from one snapshot of the database. Kept until anything of it changes, or grows
old.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from troth.control.audit.asking import rows
from troth.control.centre.ground import Ground, Place
from troth.control.evidence.reading import Piece, public_pieces
from troth.control.people.actor import raw
from troth.control.trust import promised, shown
from troth.control.trust.catalogue import Claim
from troth.control.trust.control import Control
from troth.control.trust.controls import control_of
from troth.control.trust.found import State
from troth.control.trust.promised import Promised
from troth.control.trust.shown import Part, Turn
from troth.rules.policy import Policy

_TURNS = 500
_SINCE = """
SELECT claim, since FROM troth.claim_state WHERE programme_id = %s OR programme_id IS NULL
ORDER BY programme_id NULLS FIRST
"""
_ONE_DAY = timedelta(days=1)
_WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Line:
    """A promise as it stands. `withdrawn`: it fails, and policy says that it is then not shown as a promise."""

    claim: Claim
    sentence: str
    state: State
    control: Control | None = None
    checked_at: datetime | None = None
    since: datetime | None = None
    seen: Mapping[str, Any] | None = None
    why: tuple[str, ...] = ()
    days: tuple[str | None, ...] = ()
    withdrawn: bool = False
    pieces: tuple[Piece, ...] = ()

    @property
    def word(self) -> str:
        """The state as the words and the filter name it."""
        return "withdrawn" if self.withdrawn else str(self.state).replace(" ", "-").removesuffix("-yet")


@dataclass(frozen=True, slots=True)
class Gathered:
    """`until`: when something here grows old by itself: then it is gathered anew, whatever the mark says."""

    place: Place
    now: datetime
    checked_at: datetime | None
    lines: tuple[Line, ...]
    turns: tuple[Turn, ...]
    until: datetime

    def line(self, claim: str) -> Line | None:
        return next((line for line in self.lines if line.claim.id == claim), None)

    def count(self, state: State) -> int:
        return sum(line.state is state for line in self.lines)


_kept: dict[UUID, tuple[str, Gathered]] = {}


def gathered(place: Place, ground: Ground) -> Gathered:
    """From memory while the mark is the same and nothing has grown old; inside `ground.standing()`."""
    there = _kept.get(place.id)
    if there is not None and there[0] == ground.mark and there[1].now <= ground.now < there[1].until:
        return there[1]
    made = gather(place, ground)
    _kept[place.id] = (ground.mark, made)
    return made


def gather(place: Place, ground: Ground) -> Gathered:
    connection, programme = raw(), place.programme
    policy = promised.in_force(connection, programme)
    parts, days = shown.standing(connection, programme), shown.days(connection, programme)
    since = dict(rows(_SINCE, programme.id))
    told = promised.said(policy, place.profile) if policy else []
    lines = _with_pieces(
        (_line(each, policy, parts, days, since, ground.now) for each in told), public_pieces(connection, programme.id)
    )
    mine = {line.claim.id for line in lines}
    turned = (turn for turn in shown.changes(connection, programme, _TURNS) if turn.claim in mine)
    turns = tuple(sorted(turned, key=lambda turn: turn.at, reverse=True))
    return Gathered(place, ground.now, _newest(lines), lines, turns, min(_ends(lines, ground.now)))


def _with_pieces(lines: Iterable[Line], pieces: Iterable[Piece]) -> tuple[Line, ...]:
    by_claim: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_claim.setdefault(piece.claim, []).append(piece)
    return tuple(replace(line, pieces=tuple(by_claim.get(line.claim.id, ()))) for line in lines)


def _line(
    each: Promised, policy: Policy | None, parts: Mapping[str, Part], days: Mapping[str, tuple[str | None, ...]],
    since: Mapping[str, datetime], now: datetime,
) -> Line:  # fmt: skip
    claim = each.claim
    control, part = control_of(claim.id), parts.get(claim.id)
    past = days.get(claim.id, ())
    if control is None:
        return Line(claim, each.sentence, State.NO_CONTROL)
    if part is None:
        return Line(claim, each.sentence, State.NO_DATA, control, days=past)
    state = _believed(part, control, now)
    withdrawn = state is State.FAILS and policy is not None and policy.trust.failing == _WITHDRAW
    why = tuple(str(reason) for reason in part.evidence.get("why", ()))
    return Line(
        claim, each.sentence, state, control, part.checked_at, since.get(claim.id), part.evidence.get("seen"), why,
        past, withdrawn,
    )  # fmt: skip


def _believed(part: Part, control: Control, now: datetime) -> State:
    """What holds was looked at, of late, and not in the future: whatever the room below says."""
    if part.state is not State.HOLDS:
        return part.state
    if part.checked_at is None or not now - control.interval <= part.checked_at <= now:
        return State.STALE
    return State.HOLDS


def _newest(lines: tuple[Line, ...]) -> datetime | None:
    return max((line.checked_at for line in lines if line.checked_at), default=None)


def _ends(lines: tuple[Line, ...], now: datetime) -> Iterator[datetime]:
    """The next day, which the graphs begin, and each moment in which a check grows too old."""
    yield datetime.combine(now.astimezone(UTC).date() + _ONE_DAY, datetime.min.time(), UTC)
    for line in lines:
        if line.state is State.HOLDS and line.checked_at and line.control:
            yield line.checked_at + line.control.interval
