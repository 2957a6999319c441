"""Claims: what the last checks found, as it is kept, and how each claim stands by that. Nothing is checked here."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.control.trust import catalogue
from troth.control.trust.catalogue import Claim
from troth.control.trust.control import Control
from troth.control.trust.controls import control_of
from troth.control.trust.found import State, worst
from troth.control.trust.look import Programme

_PROGRAMMES = "SELECT id, code, profile FROM troth.programme ORDER BY code"
_STORED = "SELECT claim, programme_id, state, evidence, checked_at FROM troth.claim_state"

type Key = tuple[str, UUID | None]  # a claim, and for whom
type Kept = dict[Key, tuple[State, dict[str, Any], datetime]]


@dataclass(frozen=True, slots=True)
class Part:
    """What was found for one programme (None: the installation). `checked_at` None: never."""

    programme: str | None
    state: State
    evidence: dict[str, Any]
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim as it stands, over the programmes that promise it."""

    claim: Claim
    control: Control | None
    state: State
    parts: tuple[Part, ...] = field(default=())

    @property
    def checked_at(self) -> datetime | None:
        """The oldest of its parts."""
        times = [part.checked_at for part in self.parts]
        return min((at for at in times if at), default=None) if all(times) else None

    def to_document(self) -> dict[str, Any]:
        """JSON-able: one claim of `troth claims`."""
        told = {part.programme or "installation": part for part in self.parts}
        return {
            "id": self.claim.id,
            "scope": self.claim.scope,
            "state": self.state,
            "kind": self.claim.kind,
            "control": self.control.name if self.control else None,
            "evidence": {name: {"state": part.state, **part.evidence} for name, part in told.items()} or None,
            "checked_at": self.checked_at,
        }


def stored(connection: Connection, ids: Sequence[str] = (), programme: str | None = None) -> list[Standing]:
    """What the last checks found; what is older than its control's interval is stale."""
    kept, now = read(connection)
    promising = chosen(programmes(connection), programme)
    return [stands(claim, promising, kept, now) for claim in named(ids)]


def programmes(connection: Connection) -> list[Programme]:
    with refusals():
        return [Programme(*row) for row in connection.execute(_PROGRAMMES).fetchall()]


def read(connection: Connection) -> tuple[Kept, datetime]:
    """Everything that is kept, and the database's clock."""
    with refusals():
        rows = connection.execute(_STORED).fetchall()
        clock = connection.execute("SELECT troth.now_v1()").fetchone()
    if clock is None:
        raise Refused("The database does not say what time it is.")
    return {(claim, owner): (State(state), json.loads(told), at) for claim, owner, state, told, at in rows}, clock[0]


def named(ids: Sequence[str]) -> list[Claim]:
    """The claims of these ids, or all; raise Refused for one that there is not."""
    known = {claim.id: claim for claim in catalogue.claims()}
    wanted = [each.upper() for each in ids]
    if strange := [each for each in wanted if each not in known]:
        raise Refused(f"There is no claim {', '.join(strange)}; `troth claims list` shows those there are.")
    return [known[each] for each in dict.fromkeys(wanted)] if wanted else list(known.values())


def chosen(found: Iterable[Programme], code: str | None) -> list[Programme]:
    """The programme of a code, or all; raise Refused for one that there is not."""
    wanted = [each for each in found if code in (None, each.code)]
    if code and not wanted:
        raise Refused(f"There is no programme {code!r}.")
    return wanted


def stands(claim: Claim, promising: Iterable[Programme], kept: Kept, now: datetime) -> Standing:
    """One claim, over those of these programmes that promise it."""
    control = control_of(claim.id)
    promised = [each for each in promising if claim.promised_by(each.profile)]
    if not promised:
        return Standing(claim, control, State.NOT_PROMISED)
    if control is None:
        return Standing(claim, None, State.NO_CONTROL)
    owners = promised if claim.scope != "installation" else [None]
    parts = tuple(part(control, owner, kept, now) for owner in owners)
    return Standing(claim, control, worst(each.state for each in parts), parts)


def part(control: Control, owner: Programme | None, kept: Kept, now: datetime) -> Part:
    """What is kept for one programme, or (None) for the installation."""
    name = owner.code if owner else None
    found = kept.get((control.claim, owner.id if owner else None))
    if found is None:
        return Part(name, State.NO_DATA, {"why": ["it was never checked"], "seen": {}}, None)
    made = Part(name, *found)
    if made.state is not State.HOLDS:
        return made
    if found[2] > now:
        return replace(made, state=State.STALE, evidence=_why(made, "its last check is said to lie in the future"))
    if now - found[2] > control.interval:
        hours = (now - found[2]) / timedelta(hours=1)
        return replace(made, state=State.STALE, evidence=_why(made, f"it was last checked {hours:.1f} hours ago"))
    return made


def _why(made: Part, sentence: str) -> dict[str, Any]:
    return {**made.evidence, "why": [*made.evidence.get("why", []), sentence]}
