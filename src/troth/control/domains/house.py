"""Domains: those of every client at once, for staff, the broken ones first."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.control.audit.asking import row, rows

MOST = 200
_HOUSE = "SELECT * FROM troth.domain_house_v1(%s, %s)"


@dataclass(frozen=True, slots=True)
class Housed:
    """`problems`: sentences; `broken_at`: since when it does not send any more, having sent; `word`: the look's."""

    id: UUID
    tenant: UUID
    client: str
    name: str
    word: str
    checked_at: datetime | None
    lookup_failed: bool
    problems: list[str]
    broken_at: datetime | None


def domains(*, shut: bool = False, most: int = MOST) -> tuple[list[Housed], int]:
    """As many as may be shown, and how many there are. shut: those from which nothing leaves."""
    found = rows(_HOUSE, shut, most)
    now = _now() if found else None
    return [_housed(each, now) for each in found], int(found[0][-1]) if found else 0


def _now() -> datetime:
    found = row("SELECT troth.now_v1()")
    assert found is not None
    at: datetime = found[0]
    return at


def _housed(each: tuple[Any, ...], now: datetime | None) -> Housed:
    id_, tenant, client, name, until, checked, good, failed, findings, retired, broken, _ = each
    told = json.loads(findings) if isinstance(findings, str) else findings or ()
    problems = [str(one["sentence"]) for one in told if not one.get("ok", False)]
    if retired:
        word = "retired"
    elif now is not None and until > now:
        word = "stale" if failed else "ready"
    else:
        word = "stopped" if good else "not ready" if checked else "not checked"
    return Housed(id_, tenant, client, name, word, checked, failed, problems, broken)
