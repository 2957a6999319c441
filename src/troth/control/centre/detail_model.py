"""The trust centre: one promise on a page of its own, in one language: its figures, its days, who answers for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from troth.control.centre import said
from troth.control.centre.claim_model import shown
from troth.control.centre.drawn import DAYS
from troth.control.centre.gathered import Line
from troth.control.centre.words import Words


def detail(line: Line, words: Words, now: datetime) -> dict[str, Any]:
    told = words.told["detail"]
    return {
        "claim": shown(line, words, now),
        "figures": said.figures(line.seen or {}),
        "days": list(_days(line, words, now)),
        "facts": list(_facts(line, words)),
        "kind": told[f"kind_{line.claim.kind}"],
    }


def _days(line: Line, words: Words, now: datetime) -> Iterator[tuple[str, str, str]]:
    """The sixty days as rows: from, to, and how it stood; the newest first."""
    padded = [None] * (DAYS - len(line.days)) + list(line.days)[-DAYS:]
    today, at = now.astimezone(UTC).date(), 0
    for state, same in groupby(reversed(padded)):
        n = len(list(same))
        newest, oldest = today - timedelta(days=at), today - timedelta(days=at + n - 1)
        yield words.day(oldest), words.day(newest), _word(state, words)
        at += n


def _word(state: str | None, words: Words) -> str:
    if state is None:
        return str(words.told["detail"]["unknown"])
    return str(words.told["state"][state.replace(" ", "-").removesuffix("-yet")])


def _facts(line: Line, words: Words) -> Iterator[tuple[str, str]]:
    told, claim = words.told["detail"], line.claim
    yield told["id"], claim.id
    yield told["scope"], told[claim.scope]
    yield told["checked"], words.moment(line.checked_at) if line.checked_at else told["never"]
    if line.since:
        yield told["since"], words.moment(line.since)
    yield told["owner"], words.told["owner"].get(claim.owner, claim.owner)
    yield told["frameworks"], "; ".join(claim.frameworks) or told["none"]
