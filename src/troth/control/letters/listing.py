"""Letters: the list by desk, reason, state and day, a page at a time, and how many came; each query bounded."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from troth.control.audit.asking import row, rows
from troth.control.letters import words
from troth.control.letters.opening import Letter

PAGE = 25
DAYS = 14  # that the counts are of
STATES = {"open": "Not done yet", "unread": "Not read yet", "done": "Done with", "all": "All"}
_OF_STATE = {"open": "done_at IS NULL", "unread": "read_at IS NULL AND done_at IS NULL", "done": "done_at IS NOT NULL"}
_WAITING = """
SELECT desk, reason, count(*), count(*) FILTER (WHERE read_at IS NULL), min(at) FROM inbound_letter
WHERE done_at IS NULL GROUP BY 1, 2 ORDER BY 5
"""
_COUNTS = """
SELECT desk, reason, coalesce(sum(n) FILTER (WHERE day = %s), 0), sum(n), sum(dropped) FROM inbound_count
WHERE day > %s GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 100
"""
_COLUMNS = "SELECT id, desk, reason, at, size, read_at, done_at FROM inbound_letter"
_NOW = "SELECT now_v1()"


@dataclass(frozen=True, slots=True)
class Asked:
    """As the address bar has it; what is none of the choices is as if it were not there."""

    desk: str = ""
    reason: str = ""
    state: str = "open"
    day: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Asked":
        told = {each.name: given.get(each.name, "").strip() for each in fields(cls)}
        good = {
            "desk": told["desk"] in words.DESKS, "reason": _is_word(told["reason"]), "state": told["state"] in STATES,
            "day": _day(told["day"]) is not None, "before": _id(told["before"]) is not None,
        }  # fmt: skip
        return cls(**{name: told[name] for name, is_good in good.items() if is_good})

    @property
    def narrowed(self) -> bool:
        return bool(self.desk or self.reason or self.day or self.state != "open")

    def href(self, **but: str) -> str:
        given = {"desk": self.desk, "reason": self.reason, "state": self.state, "day": self.day} | but
        query = urlencode({k: v for k, v in given.items() if v and (k, v) != ("state", "open")})
        return f"/letters?{query}" if query else "/letters"


@dataclass(frozen=True, slots=True)
class Line:
    """A letter of the list, in words."""

    letter: Letter
    desk: str
    reason: str
    look: str
    state: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Letters of one desk and reason that nobody is done with."""

    desk: str
    reason: str
    desk_words: str
    reason_words: str
    meaning: str
    n: int
    unread: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What came in by desk and reason: today (UTC) and in the last days; `dropped` of these were not kept."""

    desk: str
    reason: str
    today: int
    n: int
    dropped: int


def page(asked: Asked) -> tuple[list[Line], str]:
    """The newest first, and the way to older ones."""
    where = [_OF_STATE[asked.state]] if asked.state in _OF_STATE else []
    values: list[object] = []
    for column in ("desk", "reason"):
        if value := getattr(asked, column):
            where.append(f"{column} = %s")
            values.append(value)
    if (day := _day(asked.day)) is not None:
        where.append("at >= %s AND at < %s")
        values += [day, day + timedelta(days=1)]
    if before := _id(asked.before):
        where.append("(at, id) < (SELECT at, id FROM inbound_letter WHERE id = %s)")
        values.append(before)
    narrowed = f"WHERE {' AND '.join(where)}" if where else ""
    found = [
        Letter(*each) for each in rows(f"{_COLUMNS} {narrowed} ORDER BY at DESC, id DESC LIMIT {PAGE + 1}", *values)
    ]
    older = asked.href(before=str(found[PAGE - 1].id)) if len(found) > PAGE else ""
    return [_line(each) for each in found[:PAGE]], older


def waiting() -> list[Waiting]:
    """What nobody is done with, whoever waits longest first."""
    return [
        Waiting(desk, reason, words.desk(desk), words.reason(reason), words.meaning(reason), n, unread, oldest)
        for desk, reason, n, unread, oldest in rows(_WAITING)
    ]


def counts(now: datetime) -> list[Count]:
    today = now.astimezone(UTC).date()
    found = rows(_COUNTS, today, today - timedelta(days=DAYS))
    return [Count(words.desk(desk), words.reason(reason), *map(int, numbers)) for desk, reason, *numbers in found]


def one(letter: UUID) -> Letter | None:
    found = row(f"{_COLUMNS} WHERE id = %s", letter)
    return Letter(*found) if found else None


def now() -> datetime:
    found = row(_NOW)
    assert found is not None
    moment: datetime = found[0]
    return moment


def _line(letter: Letter) -> Line:
    look, state = ("delivered", "Done with") if letter.done_at else ("accepted", "Read")
    if not letter.done_at and not letter.read_at:
        look, state = "pending", "Not read"
    return Line(letter, words.desk(letter.desk), words.reason(letter.reason), look, state)


def _is_word(text: str) -> bool:
    return text.isascii() and text.replace("-", "").isalnum() and len(text) <= 40


def _day(text: str) -> datetime | None:
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if found and 2000 <= found.year <= 2200 else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
