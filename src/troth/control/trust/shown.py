"""Claims: what the pages show of them: how each stands for one programme, each day of the last weeks, and what turned.

A connection is any of role troth_control, a page's own, too. Nothing is checked here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection
from troth.control.trust.catalogue import claims
from troth.control.trust.controls import control_of
from troth.control.trust.found import WORST_FIRST, State
from troth.control.trust.look import Programme
from troth.control.trust.standing import Part, part, read

# By day (UTC) a claim's states, and whether it still failed as the day began; then the newest before the first day.
_DAYS = """
WITH clock AS (SELECT (troth.now_v1() AT TIME ZONE 'UTC')::date AS today),
     edge AS (SELECT (today - %(days)s + 1)::timestamp AT TIME ZONE 'UTC' AS first FROM clock),
     mine AS MATERIALIZED (
        SELECT h.claim, h.checked_at, h.state, h.was FROM troth.claim_history h
        WHERE h.programme_id = %(programme)s AND h.checked_at >= (SELECT first FROM edge)
        UNION ALL
        SELECT h.claim, h.checked_at, h.state, h.was FROM troth.claim_history h
        WHERE h.programme_id IS NULL AND h.checked_at >= (SELECT first FROM edge))
SELECT m.claim, (m.checked_at AT TIME ZONE 'UTC')::date, array_agg(m.state ORDER BY m.checked_at),
       bool_or(coalesce(m.was, '') = 'fails'), (SELECT today FROM clock)
FROM mine m GROUP BY 1, 2
UNION ALL
SELECT b.claim, (b.checked_at AT TIME ZONE 'UTC')::date, ARRAY[b.state], false, (SELECT today FROM clock)
FROM unnest(%(claims)s::text[]) AS c(claim) CROSS JOIN LATERAL (
    (SELECT h.claim, h.checked_at, h.state FROM troth.claim_history h WHERE h.claim = c.claim
     AND h.programme_id = %(programme)s AND h.checked_at < (SELECT first FROM edge) ORDER BY h.checked_at DESC LIMIT 1)
    UNION ALL
    (SELECT h.claim, h.checked_at, h.state FROM troth.claim_history h WHERE h.claim = c.claim
     AND h.programme_id IS NULL AND h.checked_at < (SELECT first FROM edge) ORDER BY h.checked_at DESC LIMIT 1)) AS b
"""
_CHANGES = """
SELECT checked_at, claim, was, state FROM troth.claim_history
WHERE (programme_id = %(programme)s OR programme_id IS NULL) AND claim = ANY(%(claims)s)
  AND was <> state AND (NOT first OR state = 'fails')
ORDER BY id DESC LIMIT %(most)s
"""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A claim that stood otherwise from then on; a first look is none, nor is a new version's first unless it fails."""

    at: datetime
    claim: str
    was: str
    state: str


def standing(connection: Connection, programme: Programme) -> dict[str, Part]:
    """By claim, in the order of the catalogue: those that this programme promises and a control looks at."""
    kept, now = read(connection)
    found = ((claim, control_of(claim.id)) for claim in claims() if claim.promised_by(programme.profile))
    return {
        claim.id: part(control, None if claim.scope == "installation" else programme, kept, now)
        for claim, control in found
        if control
    }


def days(connection: Connection, programme: Programme, n: int = 60) -> dict[str, tuple[str | None, ...]]:
    """By claim the worst state of each of the last `n` days (UTC), oldest first. None: before its first look. A day on
    which nobody looked is stale, and one between failures failed.
    """
    promised = _promised(programme)
    with refusals():
        rows = connection.execute(_DAYS, {"programme": programme.id, "days": n, "claims": promised}).fetchall()
    found: dict[str, dict[date, tuple[str, str]]] = {}
    for claim, day, states, failing, _ in rows:
        found.setdefault(claim, {})[day] = ("fails" if failing else _worst(states), states[-1])
    return {claim: tuple(_filled(found[claim], rows[0][-1], n)) for claim in promised if claim in found}


def _promised(programme: Programme) -> list[str]:
    return [claim.id for claim in claims() if claim.promised_by(programme.profile)]


def _worst(states: list[str]) -> str:
    return min(states, key=lambda state: WORST_FIRST.index(State(state)))


def _filled(looked: Mapping[date, tuple[str, str]], today: date, n: int) -> Iterator[str | None]:
    first = today - (n - 1) * _ONE_DAY
    last = next((state for day, (_, state) in looked.items() if day < first), None)
    for day in (first + at * _ONE_DAY for at in range(n)):
        worst, ended = looked.get(day, (None, last))
        yield worst or _unlooked(last, goes_on=day == today and day - _ONE_DAY in looked)
        last = ended


def _unlooked(last: str | None, *, goes_on: bool) -> str | None:
    """Today is not over: until its first look it stands as the day before ended."""
    return last if goes_on or last in (None, "fails", "no data yet") else "stale"


def changes(connection: Connection, programme: Programme, most: int = 50) -> list[Turn]:
    """The newest turns of what this programme promises, the newest first."""
    asked = {"programme": programme.id, "most": most, "claims": _promised(programme)}
    with refusals():
        rows = connection.execute(_CHANGES, asked).fetchall()
    return [Turn(*row) for row in rows]


__all__ = ["Part", "Turn", "changes", "days", "standing"]
