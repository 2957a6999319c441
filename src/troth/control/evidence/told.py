"""Evidence, compared with the ledger: every act on a piece has its entry, and every entry its piece, column by column.

Read twice round the entries: what was there before must be told, and what is told must be there afterwards, so that an
act in between is neither missed nor blamed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from troth.ledger.canonical import canonical
from troth.ledger.leaf import microseconds

KIND = "trust:evidence:"
TOLD = "SELECT kind, leaf FROM troth.evidence_told_v1()"
_ROWS = """
SELECT id, programme_id, claim, kind, title, filename, media_type, size, sha256, sha256(file_ct), performed_on,
       valid_until, public, digest, submitted_at, submitted_account, submitted_human, accepted_at, accepted_account,
       accepted_human, withdrawn_at, withdrawn_account, withdrawn_human, withdrawn_why
FROM troth.evidence ORDER BY id
"""
_OWN = frozenset({"at", "kind", "tenant"})  # the ledger's own words in an entry

type Act = tuple[str, str]  # the piece, and submit, accept or withdraw
type Fields = dict[str, str]


class Told:
    """One comparison. `connection`: of a role that may read `evidence`, psycopg's."""

    def __init__(self, connection: Any) -> None:
        self._before = _acts(connection)
        self._said: dict[Act, Fields] = {}
        self._entries: dict[Act, dict[str, str | int]] = {}
        self._twice: set[Act] = set()

    def told(self, fields: Mapping[str, str | int]) -> None:
        """One entry of the ledger or of the line."""
        kind = str(fields["kind"])
        if not kind.startswith(KIND):
            return
        act = str(fields.get("piece")), kind.removeprefix(KIND)
        said = {name: str(value) for name, value in fields.items() if name not in _OWN}
        if self._entries.setdefault(act, dict(fields)) != dict(fields):  # one that is sealed meanwhile comes twice
            self._twice.add(act)
        self._said[act] = said

    def entry(self, kind: str, leaf: str) -> None:
        """The same of a leaf as it lies."""
        self.told({**json.loads(leaf), "kind": kind})

    def claims(self, piece: str) -> set[str]:
        """Of which claims a piece is, by its row and by the ledger."""
        said = (self._before.get((piece, "submit"), {}), self._said.get((piece, "submit"), {}))
        return {each["claim"] for each in said if "claim" in each}

    def wrong(self, connection: Any) -> Iterator[tuple[str, str]]:
        """(piece, what is wrong with it); nothing: rows and entries say the same."""
        for piece, act in sorted(self._twice):
            yield piece, f"the evidence {piece} has more than one entry of the ledger that tells of its {_NAMES[act]}"
        after = _acts(connection)
        for (piece, act), said in sorted(self._said.items()):
            if (piece, act) not in after:
                what = "is not there" if (piece, "submit") not in after else f"does not show its {_NAMES[act]}"
                yield piece, f"the evidence {piece} {what}, of which the ledger tells"
            elif names := _differing(after[piece, act], said):
                yield piece, f"the evidence {piece} is not what the ledger says of it: {', '.join(names)} differs"
        for piece, act in sorted(self._before.keys() - self._said.keys()):
            yield piece, f"the evidence {piece} has no entry of the ledger that tells of its {_NAMES[act]}"

    def __len__(self) -> int:
        return sum(act == "submit" for _, act in self._before)


_NAMES = {"submit": "coming", "accept": "acceptance", "withdraw": "withdrawal"}


def _differing(kept: Fields, said: Fields) -> list[str]:
    return sorted(name for name in kept.keys() | said.keys() if kept.get(name) != said.get(name))


def _acts(connection: Any) -> dict[Act, Fields]:
    found: dict[Act, Fields] = {}
    for row in connection.execute(_ROWS).fetchall():
        found |= dict(_of(row))
    return found


def _of(row: Any) -> Iterator[tuple[Act, Fields]]:
    """What the ledger must say of one row: its own digest is made again from the columns, and compared as such."""
    (id_, programme, claim, kind, title, filename, type_, size, sha256, sealed, performed, until, public, digest,
     submitted, account, human, accepted, accepted_account, accepted_human, withdrawn, withdrawn_account,
     withdrawn_human, why) = row  # fmt: skip
    piece = str(id_)
    shared = {"claim": claim, "of": kind, "performed": str(performed), "programme": str(programme or ""),
              "sha256": bytes(sha256).hex(), "submitted": _time(submitted), "until": str(until)}  # fmt: skip
    by = {"account": str(account), "by": str(human), "piece": piece}
    whole = {**shared, **by, "file": filename, "public": str(public).lower(), "sealed": bytes(sealed).hex(),
             "size": str(size), "title": title, "type": type_}  # fmt: skip
    made = hashlib.sha256(canonical(whole)).hexdigest()
    if made != bytes(digest).hex():
        made = f"{made}, not its own"
    yield (piece, "submit"), {**shared, **by, "digest": made}
    if any((accepted, accepted_account, accepted_human)):
        who = {"account": str(accepted_account), "by": str(accepted_human), "piece": piece}
        yield (piece, "accept"), {**who, "accepted": _time(accepted), "digest": made}
    if any((withdrawn, withdrawn_account, withdrawn_human, why)):
        who = {"account": str(withdrawn_account), "by": str(withdrawn_human), "piece": piece}
        yield (piece, "withdraw"), {**who, "why": str(why), "withdrawn": _time(withdrawn)}


def _time(at: datetime | None) -> str:
    return str(microseconds(at.astimezone(UTC))) if at else ""
