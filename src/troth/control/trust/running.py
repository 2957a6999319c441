"""Claims: a check: every control is run, each within its time, and what it found is kept (standing.py shows it).

A control that fails to look has no data: it never holds by accident. One that finds what it stands on gone fails. Here
the controls run one after the other; apart.py runs them in processes of their own.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import errors

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.control.trust.catalogue import Claim
from troth.control.trust.control import Control
from troth.control.trust.controls import CONTROLS
from troth.control.trust.found import Found, State
from troth.control.trust.look import Look, OutOfTime, Outside, Programme
from troth.control.trust.standing import Key, Part, Standing, chosen, named, stands, stored
from troth.control.trust.version import version
from troth.keys.errors import KeyringError, Undecryptable
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring, TenantKeys

PATIENCE = 100.0  # seconds for all controls together
_GONE = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName,
         errors.UndefinedObject, errors.WrongObjectType, errors.InsufficientPrivilege)  # fmt: skip
_OVER = "the check's time was over before this was looked at"
_RECORD = "SELECT claim_record_v2(%s, %s::uuid[], %s, %s, %s)"

type Job = tuple[Control, Programme | None]
type Runner = Callable[
    [Look, Sequence[Job]], Iterator[Found]
]  # what each job found, in their order; the last not begun


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


def here(look: Look, jobs: Sequence[Job]) -> Iterator[Found]:
    """In this process: one that hangs holds up the rest until the database or its own patience ends it."""
    return (_run(control, look, programme) for control, programme in jobs)


def check(
    look: Look, ids: Sequence[str] = (), programme: str | None = None, *, run: Runner = here,
    only: Collection[Key] | None = None,
) -> list[Standing]:  # fmt: skip
    """Run the controls of these claims (none named: of all) and keep what they find. `only`: these, in this order."""
    wanted, promising = named(ids), chosen(look.programmes, programme)
    wanting = _ordered(jobs(wanted, promising), only)
    # what is not begun in time is not looked at: it keeps its age, and is the first to be looked at next time
    found = dict(zip(map(key, wanting), run(look, wanting), strict=False))
    now = look.now
    try:
        now = _record(look.connection, found) if found else now
    except Refused as refused:
        found = {each: _unrecorded(one, refused) for each, one in found.items()}
    left = {} if only is not None else dict.fromkeys(map(key, wanting), Found(State.NO_DATA, (_OVER,), {}))
    kept = {each: (one.state, one.evidence(), now) for each, one in (left | found).items()}
    told = wanted if only is None else [claim for claim in wanted if any(claim.id == each for each, _ in found)]
    return [_of(stands(claim, promising, kept, now), only) for claim in told]


def _ordered(found: Iterable[Job], only: Collection[Key] | None) -> list[Job]:
    if only is None:
        return list(found)
    places = {each: at for at, each in enumerate(only)}
    return sorted((job for job in found if key(job) in places), key=lambda job: places[key(job)])


def key(job: Job) -> Key:
    control, programme = job
    return control.claim, programme.id if programme else None


def _of(found: Standing, only: Collection[Key] | None) -> Standing:
    """Of a claim that was looked at for some alone, those."""
    if only is None:
        return found
    parts = tuple(part for part in found.parts if part.checked_at)
    return replace(found, state=min((part.state for part in parts), key=_worst), parts=parts)


def _worst(state: State) -> int:
    return 0 if state is State.FAILS else 1


def jobs(wanted: Iterable[Claim], programmes: Sequence[Programme]) -> Iterator[Job]:
    """Whom each control is run for: each programme that promises its claim; once, where it is the installation's."""
    claims = {claim.id: claim for claim in wanted}
    for control in CONTROLS:
        claim = claims.get(control.claim)
        promised = [each for each in programmes if claim and claim.promised_by(each.profile)]
        if claim and promised:
            yield from ((control, each) for each in (promised if claim.scope != "installation" else (None,)))


def _run(control: Control, look: Look, programme: Programme | None) -> Found:
    try:
        return control.check(look, programme)
    except Exception as trouble:
        if look.connection.closed:
            raise  # the database is away: nothing can be said, nothing is kept
        return still(look, control, programme, _troubled(trouble))


def still(look: Look, control: Control, programme: Programme | None, found: Found) -> Found:
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


def _record(connection: Connection, found: dict[Key, Found]) -> datetime:
    """One transaction: the states, and the ledger's entries where a state changed or a day is over."""
    parts = [(claim, owner, str(one.state), _text(one.evidence())) for (claim, owner), one in found.items()]
    columns = [list(column) for column in zip(*parts, strict=True)]
    with refusals():
        row = connection.execute(_RECORD, (*columns, version())).fetchone()
    if row is None:
        raise Refused("The database recorded nothing.")
    at: datetime = row[0]
    return at


def _text(evidence: dict[str, Any]) -> str:
    return json.dumps(evidence, sort_keys=True, ensure_ascii=False, default=str)


__all__ = ["CONTROLS", "PATIENCE", "Part", "Standing", "check", "here", "look", "stored"]
