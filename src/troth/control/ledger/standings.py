"""Evidence against what claims stand at: each row of their history is what its own entry of the ledger says, and each
state is what the newest row says.

claim_history   one row, one entry: all columns, in the same order; no entry without its row
claim_state     state, since and told_at by the newest row; looked at since, and not in the future

Rows from before entries named them (`entry` empty) are paired with the entries of that time, in their order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from troth.control.ledger.rows import Connection
from troth.ledger.canonical import canonical
from troth.ledger.leaf import leaf_hash, microseconds
from troth.ledger.verify import Found

CHECKED = "trust:claim:check"
_NOW = "SELECT now_v1()"
_ROWS = """
SELECT id, claim, coalesce(programme_id::text, ''), state, encode(sha256(convert_to(evidence, 'UTF8')), 'hex'),
       checked_at, was, first, version, entry
FROM claim_history WHERE id > %s ORDER BY id LIMIT 5000
"""
_STATES = """
SELECT claim, coalesce(programme_id::text, ''), state, encode(sha256(convert_to(evidence, 'UTF8')), 'hex'), checked_at,
       since, told_at
FROM claim_state ORDER BY 1, 2
"""
_BEFORE_ALL = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SLOW = timedelta(minutes=10)  # from a check's clock to its entry's, at most, where the entry does not hold the former

type _Whose = tuple[str, str]  # a claim, and the programme or ""
type _Entry = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of claim_history; `evidence` is its hash."""

    id: int
    claim: str
    programme: str
    state: str
    evidence: str
    checked_at: datetime
    was: str | None
    first: bool | None
    version: str | None
    entry: bytes | None

    @property
    def whose(self) -> _Whose:
        return self.claim, self.programme

    def says(self) -> dict[str, str]:
        """What its entry says of it."""
        return {
            "row": str(self.id), "claim": self.claim, "programme": self.programme, "state": self.state,
            "evidence": self.evidence, "was": self.was or "", "first": "yes" if self.first else "no",
            "version": self.version or "", "checked_at": str(microseconds(self.checked_at)),
        }  # fmt: skip


@dataclass(slots=True)
class _Newest:
    """The newest row of one claim, and since when it says the same."""

    row: _Row
    since: datetime


@dataclass(slots=True)
class Standings:
    """The tables as they are now; then what the ledger was told, which is read after them: what is recorded meanwhile
    is in the second reading of the rows.
    """

    _rows: dict[int, _Row] = field(default_factory=dict)
    _states: list[tuple[Any, ...]] = field(default_factory=list)
    _now: datetime = _EPOCH
    _told: dict[int, bytes] = field(default_factory=dict)  # row -> its entry's hash, in the ledger's order
    _older: dict[bytes, _Entry] = field(default_factory=dict)  # entries that name no row
    _waits: list[_Entry] = field(default_factory=list)
    _later: list[tuple[int, _Entry, bytes]] = field(
        default_factory=list
    )  # of rows that were not there yet, or are gone

    @classmethod
    def read(cls, connection: Connection) -> "Standings":
        """The states and the rows are of one moment."""
        made = cls()
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            made._states = connection.execute(_STATES).fetchall()
            made._more(connection)
            made._now = connection.execute(_NOW).fetchall()[0][0]
        return made

    def _more(self, connection: Connection) -> None:
        after = max(self._rows, default=_BEFORE_ALL)
        while found := connection.execute(_ROWS, (after,)).fetchall():
            self._rows |= {row[0]: _Row(*row) for row in found}
            after = found[-1][0]

    def waits(self, fields: Mapping[str, str | int]) -> None:
        """One entry of the line, which comes after all of the ledger's; it may be among those, too, by then."""
        if fields["kind"] == CHECKED:
            self._waits.append(dict(fields))

    def told(self, fields: Mapping[str, str | int]) -> None:
        """One entry of the ledger."""
        if fields["kind"] == CHECKED:
            self._take(dict(fields))

    def _take(self, entry: _Entry) -> None:
        hashed = leaf_hash(canonical(entry))
        if "row" not in entry:
            if self._told and hashed not in self._older:
                raise Found("an entry that names no row of claim_history comes after one that does")
            self._older[hashed] = entry
            return
        row = int(entry["row"]) if str(entry["row"]).lstrip("-").isdecimal() else 0
        if self._told.setdefault(row, hashed) != hashed:
            raise Found(f"the row {row} of claim_history has a second entry in the ledger")
        self._compare(row, entry, hashed)

    def _compare(self, row: int, entry: _Entry, hashed: bytes) -> None:
        kept = self._rows.get(row)
        if kept is None:
            self._later.append((row, entry, hashed))
            return
        for name, own in kept.says().items():
            if entry.get(name) != own:
                raise Found(
                    f"the row {row} of claim_history ({kept.claim}) is not what its entry says: its {name} differs"
                )
        if kept.entry is None or bytes(kept.entry) != hashed:
            raise Found(f"the row {row} of claim_history ({kept.claim}) names another entry than its own")

    def check(self, connection: Connection) -> int:
        """Raise Found for what is not as it was told; how many rows there are."""
        for entry in self._waits:
            self._take(entry)
        known = max(self._rows, default=_BEFORE_ALL)
        newest = self._newest()
        self._more(connection)
        for row, entry, hashed in self._later:
            if row not in self._rows:
                raise Found(f"the row {row} of claim_history is gone: the ledger has its entry")
            self._compare(row, entry, hashed)
        if list(self._told) != sorted(self._told):
            raise Found("the rows of claim_history are in another order than their entries")
        self._named(known)
        self._unnamed()
        self._stand(newest)
        return len(self._rows)

    def failing(self) -> list[str]:
        """The claims that failed at their last look; true once check() has found nothing."""
        return sorted({claim for claim, _, state, *_ in self._states if state == "fails"})

    def _named(self, known: int) -> None:
        for row in self._rows.values():
            if row.entry is not None and row.id not in self._told and row.id <= known:
                raise Found(f"the row {row.id} of claim_history ({row.claim}) has no entry in the ledger that says so")

    def _unnamed(self) -> None:
        """Rows and entries from before: the same, in the same order, as many."""
        rows = [row for row in self._rows.values() if row.entry is None]
        for row, entry in zip(rows, self._older.values(), strict=False):
            at = _EPOCH + timedelta(microseconds=int(entry["at"]))
            said = tuple(entry.get(name) for name in ("claim", "programme", "state", "evidence"))
            if said != (row.claim, row.programme, row.state, row.evidence) or not (
                timedelta(0) <= at - row.checked_at <= _SLOW
            ):
                raise Found(f"the row {row.id} of claim_history ({row.claim}) is not what the entry of its place says")
        if len(rows) != len(self._older):
            raise Found(
                f"claim_history has {len(rows)} rows of a time of which the ledger has {len(self._older)} entries"
            )

    def _newest(self) -> dict[_Whose, _Newest]:
        """Of the first reading, since the states are of its moment."""
        found: dict[_Whose, _Newest] = {}
        for row in self._rows.values():
            before = found.get(row.whose)
            same = before is not None and before.row.state == row.state
            found[row.whose] = _Newest(row, before.since if before and same else row.checked_at)
        return found

    def _stand(self, newest: dict[_Whose, _Newest]) -> None:
        for state in self._states:
            for what in _wrong(newest.pop(state[:2], None), self._now, *state[2:]):
                raise Found(f"what {_of(state[:2])} stands at {what}")
        for whose in newest:
            raise Found(f"what {_of(whose)} stands at is gone from claim_state")


def _of(whose: _Whose) -> str:
    claim, programme = whose
    return f"{claim} of the programme {programme}" if programme else claim


def _wrong(
    newest: _Newest | None, now: datetime, state: str, evidence: str, checked: datetime, since: datetime, told: datetime
) -> Iterator[str]:
    if newest is None:
        yield "has no row in claim_history"
        return
    if state != newest.row.state:
        yield "is not what the newest row of claim_history says: its state differs"
    if since != newest.since or told != newest.row.checked_at:
        yield "is not since when the rows of claim_history say"
    if checked - told >= _DAY:
        yield "was looked at on a day of which the ledger was not told"
    if checked > now:
        yield "was looked at in the future"
    if checked < told or (checked == told and evidence != newest.row.evidence):
        yield "is not what was seen when the ledger was told"
