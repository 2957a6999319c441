"""Evidence: the list by claim, state and words, a page at a time, the newest first; and what waits for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from urllib.parse import urlencode
from uuid import UUID

from troth.control.audit.asking import row, rows
from troth.control.evidence import reading, words
from troth.control.evidence.reading import COLUMNS, COUNTS, TODAY, Piece
from troth.rules.evidence_kinds import BY_CLAIM

PAGE = 25
_LAST = "least(e.valid_until, e.performed_on + troth.evidence_days_v1(e.programme_id, e.kind))"
_HERE = "e.withdrawn_at IS NULL"
_WAITS = f"e.accepted_at IS NULL AND {_HERE} AND {_LAST} >= {TODAY}"
_OF_STATE = {
    "": _HERE,
    "waits": _WAITS,
    "counts": COUNTS,
    "soon": f"{COUNTS} AND {_LAST} <= {TODAY} + {words.SOON.days}",
    "over": f"{_HERE} AND {_LAST} < {TODAY}",
    "withdrawn": "e.withdrawn_at IS NOT NULL",
}
_FROM = "FROM troth.evidence e"
_PROGRAMMES = "SELECT id, code, name FROM troth.programme ORDER BY code"
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """As the address bar has it; what is none of the choices is as if it were not there."""

    q: str = ""
    claim: str = ""
    state: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Asked":
        told = {each.name: given.get(each.name, "").replace("\0", "").strip()[:_LONGEST] for each in fields(cls)}
        good = {"q": True, "claim": told["claim"] in BY_CLAIM, "state": told["state"] in words.STATES,
                "before": _id(told["before"]) is not None}  # fmt: skip
        return cls(**{name: told[name] for name, is_good in good.items() if is_good})

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.claim or self.state)

    def href(self, **but: str) -> str:
        given = {"q": self.q, "claim": self.claim, "state": self.state} | but
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/evidence?{query}" if query else "/evidence"


def page(asked: Asked) -> tuple[list[Piece], str]:
    """The newest first, and the way to older ones."""
    where, values = [_OF_STATE[asked.state]], list[object]()
    if asked.claim:
        where.append("e.claim = %s")
        values.append(asked.claim)
    if asked.q:
        where.append("strpos(lower(e.title || ' ' || e.filename || ' ' || e.kind), lower(%s)) > 0")
        values.append(asked.q)
    if before := _id(asked.before):
        where.append("(e.submitted_at, e.id) < (SELECT submitted_at, id FROM troth.evidence WHERE id = %s)")
        values.append(before)
    query = (
        f"SELECT {COLUMNS} {_FROM} WHERE {' AND '.join(where)} ORDER BY e.submitted_at DESC, e.id DESC LIMIT {PAGE + 1}"
    )
    found = [reading.piece(each) for each in rows(query, *values)]
    older = asked.href(before=str(found[PAGE - 1].id)) if len(found) > PAGE else ""
    return found[:PAGE], older


def waiting(most: int) -> list[Piece]:
    """What a second person is to look at, whatever waits longest first."""
    query = f"SELECT {COLUMNS} {_FROM} WHERE {_WAITS} ORDER BY e.submitted_at, e.id LIMIT %s"
    return [reading.piece(each) for each in rows(query, most)]


def ending(most: int) -> list[Piece]:
    """What is over soon or was over last month, and that nothing newer of its kind replaces."""
    newer = """EXISTS (SELECT FROM troth.evidence n WHERE n.claim = e.claim AND n.kind = e.kind AND n.id <> e.id
        AND n.programme_id IS NOT DISTINCT FROM e.programme_id AND n.accepted_at IS NOT NULL AND n.withdrawn_at IS NULL
        AND (n.performed_on, n.id) > (e.performed_on, e.id))"""
    query = f"""SELECT {COLUMNS} {_FROM} WHERE e.accepted_at IS NOT NULL AND {_HERE} AND NOT {newer}
        AND {_LAST} <= {TODAY} + {words.SOON.days} ORDER BY {_LAST}, e.id LIMIT %s"""
    return [reading.piece(each) for each in rows(query, most)]


def any_there() -> bool:
    return row("SELECT FROM troth.evidence LIMIT 1") is not None


def programmes() -> list[tuple[UUID, str, str]]:
    """(id, code, name)"""
    return rows(_PROGRAMMES)


def now() -> datetime:
    found = row("SELECT troth.now_v1()")
    assert found is not None
    at: datetime = found[0]
    return at


def today() -> date:
    """By UTC, as a piece's last day is."""
    return now().astimezone(UTC).date()


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
