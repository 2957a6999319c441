"""Claims: a check: every control is run, each within its time, and what it found is kept; and what was kept is shown.

A control that fails to look has no data: it never holds by accident. One that finds what it stands on gone fails.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.control.trust import catalogue
from troth.control.trust.catalogue import Claim
from troth.control.trust.control import Control
from troth.control.trust.controls import CONTROLS
from troth.control.trust.found import Found, State, worst
from troth.control.trust.look import Look, OutOfTime, Outside, Programme
from troth.keys.errors import KeyringError, Undecryptable
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring, TenantKeys

PATIENCE = 25.0  # seconds for all controls together
_GONE = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName,
         errors.UndefinedObject, errors.WrongObjectType, errors.InsufficientPrivilege)  # fmt: skip
_PROGRAMMES = "SELECT id, code, profile FROM programme ORDER BY code"
_STORED = "SELECT claim, programme_id, state, evidence, checked_at FROM claim_state"
_RECORD = "SELECT claim_record_v1(%s, %s::uuid[], %s, %s)"


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


def look(
    connection: Connection, keys: tuple[Keyring, InstallationSecrets, TenantKeys], outside: Outside, *,
    patience: float = PATIENCE,
) -> Look:  # fmt: skip
    """What a check looks with; `connection` is of role troth_control and autocommits."""
    with refusals():
        row = connection.execute("SELECT id, now_v1() FROM installation").fetchone()
    if row is None:
        raise Refused("This database has no installation yet: run `troth init` first.")
    keyring, secrets, operator = keys
    return Look(connection, keyring, secrets, operator, outside, row[1], time.monotonic() + patience, row[0])


def check(look: Look, ids: Sequence[str] = (), programme: str | None = None) -> list[Standing]:
    """Run the controls of these claims (none named: of all) and keep what they find."""
    chosen, promising = _claims(ids), _promising(look.programmes, programme)
    found: dict[tuple[str, UUID | None], Found] = {}
    for control in CONTROLS:
        for subject in _subjects(control, chosen, promising):
            found[control.claim, subject.id if subject else None] = _run(control, look, subject)
    now = look.now
    try:
        now = _record(look.connection, found) if found else now
    except Refused as refused:
        found = {key: _unrecorded(one, refused) for key, one in found.items()}
    kept = {key: (one.state, one.evidence(), now) for key, one in found.items()}
    return [_standing(claim, promising, kept, now) for claim in chosen]


def stored(connection: Connection, ids: Sequence[str] = (), programme: str | None = None) -> list[Standing]:
    """What the last checks found; what is older than its control's interval is stale."""
    with refusals():
        programmes = [Programme(*row) for row in connection.execute(_PROGRAMMES).fetchall()]
        rows = connection.execute(_STORED).fetchall()
        clock = connection.execute("SELECT now_v1()").fetchone()
    if clock is None:
        raise Refused("The database does not say what time it is.")
    kept = {(claim, owner): (State(state), json.loads(evidence), at) for claim, owner, state, evidence, at in rows}
    promising = _promising(programmes, programme)
    return [_standing(claim, promising, kept, clock[0]) for claim in _claims(ids)]


def _claims(ids: Sequence[str]) -> list[Claim]:
    known = {claim.id: claim for claim in catalogue.claims()}
    wanted = [each.upper() for each in ids]
    if strange := [each for each in wanted if each not in known]:
        raise Refused(f"There is no claim {', '.join(strange)}; `troth claims list` shows those there are.")
    return [known[each] for each in dict.fromkeys(wanted)] if wanted else list(known.values())


def _promising(programmes: Iterable[Programme], code: str | None) -> list[Programme]:
    found = [each for each in programmes if code in (None, each.code)]
    if code and not found:
        raise Refused(f"There is no programme {code!r}.")
    return found


def _subjects(control: Control, chosen: Iterable[Claim], programmes: Iterable[Programme]) -> Iterator[Programme | None]:
    """Whom a control is run for: each programme that promises the claim; once, where it is the installation's."""
    claim = next((each for each in chosen if each.id == control.claim), None)
    promised = [each for each in programmes if claim and claim.promised_by(each.profile)]
    if claim and promised:
        yield from promised if claim.scope != "installation" else (None,)


def _run(control: Control, look: Look, programme: Programme | None) -> Found:
    try:
        return control.check(look, programme)
    except Exception as trouble:
        if look.connection.closed:
            raise  # the database is away: nothing can be said, nothing is kept
        return _still(look, control, programme, _troubled(trouble))


def _still(look: Look, control: Control, programme: Programme | None, found: Found) -> Found:
    """A failure that was found stays one until a look that comes to its end finds none."""
    if found.state is not State.NO_DATA or look.state(control.claim, programme) != State.FAILS:
        return found
    return replace(found, state=State.FAILS, why=("it failed when it was last looked at", *found.why))


def _troubled(trouble: Exception) -> Found:
    """A control that fails must not take the others along."""
    if isinstance(trouble, _GONE):
        return Found(State.FAILS, (f"what it stands on is not there: {trouble.diag.message_primary}",), {})
    if isinstance(trouble, Undecryptable):
        return Found(State.FAILS, (f"something that is sealed does not open: {trouble}",), {})
    if isinstance(trouble, OutOfTime):
        return Found(State.NO_DATA, (str(trouble),), {})
    if isinstance(trouble, errors.QueryCanceled):
        return Found(State.NO_DATA, ("the database took too long to answer",), {})
    if isinstance(trouble, psycopg.Error | KeyringError):
        return Found(State.NO_DATA, (f"it could not look: {type(trouble).__name__}: {_first_line(trouble)}",), {})
    return Found(State.NO_DATA, (f"the control itself failed: {type(trouble).__name__}: {_first_line(trouble)}",), {})


def _unrecorded(found: Found, refused: Refused) -> Found:
    """What cannot be written down does not hold: nobody could see later that it did."""
    state = State.NO_DATA if found.state is State.HOLDS else found.state
    return replace(found, state=state, why=(*found.why, f"it could not be recorded: {refused.sentence}"))


def _first_line(trouble: Exception) -> str:
    return (str(trouble).splitlines() or [""])[0]


def _record(connection: Connection, found: dict[tuple[str, UUID | None], Found]) -> datetime:
    """One transaction: the states, and the ledger's entries where a state changed or a day is over."""
    parts = [(claim, owner, str(one.state), _text(one.evidence())) for (claim, owner), one in found.items()]
    with refusals():
        row = connection.execute(_RECORD, tuple(list(column) for column in zip(*parts, strict=True))).fetchone()
    if row is None:
        raise Refused("The database recorded nothing.")
    at: datetime = row[0]
    return at


def _text(evidence: dict[str, Any]) -> str:
    return json.dumps(evidence, sort_keys=True, ensure_ascii=False, default=str)


type _Kept = dict[tuple[str, UUID | None], tuple[State, dict[str, Any], datetime]]


def _standing(claim: Claim, programmes: Iterable[Programme], kept: _Kept, now: datetime) -> Standing:
    control = next((each for each in CONTROLS if each.claim == claim.id), None)
    promised = [each for each in programmes if claim.promised_by(each.profile)]
    if not promised:
        return Standing(claim, control, State.NOT_PROMISED)
    if control is None:
        return Standing(claim, None, State.NO_CONTROL)
    owners = promised if claim.scope != "installation" else [None]
    parts = tuple(_part(control, owner, kept, now) for owner in owners)
    return Standing(claim, control, worst(part.state for part in parts), parts)


def _part(control: Control, owner: Programme | None, kept: _Kept, now: datetime) -> Part:
    name = owner.code if owner else None
    found = kept.get((control.claim, owner.id if owner else None))
    if found is None:
        return Part(name, State.NO_DATA, {"why": ["it was never checked"], "seen": {}}, None)
    part = Part(name, *found)
    if part.state is State.HOLDS and now - found[2] > control.interval:
        return replace(part, state=State.STALE, evidence=_aged(part.evidence, now - found[2]))
    return part


def _aged(evidence: dict[str, Any], age: timedelta) -> dict[str, Any]:
    hours = age / timedelta(hours=1)
    return {**evidence, "why": [*evidence.get("why", []), f"it was last checked {hours:.1f} hours ago"]}
