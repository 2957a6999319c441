"""The simulator's sum: what would have become of the messages, by client, template and hour, and which they were."""

from collections import Counter as Sum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from troth.control.simulator.reading import Kind, Mail
from troth.rules.decision import Outcome
from troth.rules.replay import ANOMALY, Result

CHANGES = ("refused", "held", "slowed", "suppressed", "accepted")  # what would be otherwise, the gravest first
_STATES = ("accepted", "held", "suppressed", "refused")
_EXAMPLES = 20  # messages shown of each client's changes of one kind and reason
_REFUSE, _ACCEPT = int(Outcome.REFUSE), int(Outcome.ACCEPT)

type Place = tuple[str, str, int]  # category, template ("" for none), hour of the epoch


@dataclass(frozen=True, slots=True)
class Example:
    """One message that would have fared otherwise. id: its own, or its request's where it was refused (request)."""

    id: bytes
    request: bool
    client: str
    category: str
    template: str
    at: int
    then: str
    now: str
    change: str
    code: str

    def to_document(self, wire: Callable[[str, UUID], str]) -> dict[str, Any]:
        """As JSON-able values; wire: how an id is written on the API."""
        value = UUID(bytes=self.id)
        return {
            "id": str(value) if self.request else wire("msg", value),
            "request": self.request,
            "client": self.client,
            "category": self.category,
            "template": self.template or None,
            "at": moment(self.at / 1000),
            "then": self.then,
            "now": self.now,
            "change": self.change,
            "code": self.code,
        }


@dataclass(slots=True)
class Tally:
    """One client's. tell: is given every message that would have fared otherwise."""

    client: str
    tell: Callable[[Example], None] | None = None
    messages: Sum[Place] = field(default_factory=Sum)
    changed: Sum[tuple[str, str, str, int]] = field(default_factory=Sum)  # change, then a place
    reasons: Sum[tuple[str, str, str]] = field(default_factory=Sum)  # change, code, check
    then: Sum[str] = field(default_factory=Sum)
    now: Sum[str] = field(default_factory=Sum)
    examples: list[Example] = field(default_factory=list)
    sealed: int = 0
    tests: int = 0
    sample: int = 0
    equal_then: int = 0
    equal_now: int = 0
    _shown: Sum[tuple[str, str]] = field(default_factory=Sum)

    def take(
        self, mail: Mail, kinds: Sequence[Kind], results: Sequence[Result], *, slow: bool, then: bool, now: bool
    ) -> None:
        """Take one email. then, now: whether the gate let its request through, and whether this policy does."""
        hour = mail.at // 3_600_000
        why = None if now else next((one for one in results if one.outcome == _REFUSE), _TOGETHER)
        for place, (kind, result) in enumerate(zip(kinds, results, strict=True)):
            self.messages[kind.category or "", kind.template or "", hour] += 1
            before, after = kind.then.outcome if then else _REFUSE, result.outcome if now else _REFUSE
            slow_then = before == _ACCEPT and kind.paused == ANOMALY
            slow_now = slow and after == _ACCEPT
            self.then["slowed" if slow_then else _STATES[before]] += 1
            self.now["slowed" if slow_now else _STATES[after]] += 1
            if before != after or slow_then != slow_now:
                reason = result if now or result.outcome == _REFUSE else why or result
                self._changed(mail, place, kind, reason, (before, after, slow_now))
            self._compare(mail.messages[place].decided, result)

    def _changed(self, mail: Mail, place: int, kind: Kind, why: Result, what: tuple[int, int, bool]) -> None:
        before, after, slow = what
        change = "slowed" if slow else _STATES[after]
        category, template = kind.category or "", kind.template or ""
        self.changed[change, category, template, mail.at // 3_600_000] += 1
        self.reasons[change, why.code, why.check] += 1
        shown = self._shown[change, why.code] < _EXAMPLES
        if not shown and self.tell is None:
            return
        one = Example(mail.messages[place].id, mail.refused, self.client, category, template, mail.at,
                      _STATES[before], change, change, why.code)  # fmt: skip
        if shown:
            self._shown[change, why.code] += 1
            self.examples.append(one)
        if self.tell is not None:
            self.tell(one)

    def _compare(self, decided: tuple[Result, Result] | None, result: Result) -> None:
        if decided is None:
            return
        said, day = decided
        self.sample += 1
        self.equal_then += said == day
        self.equal_now += said == result


_TOGETHER = Result(_REFUSE, "refused-together", "request")


def moment(second: float) -> str:
    """A second of the epoch as RFC 3339 has it."""
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="milliseconds" if second % 1 else "seconds")


def document(tallies: Sequence[Tally], wire: Callable[[str, UUID], str]) -> dict[str, Any]:
    """Everything of all clients, as JSON-able values."""
    then: Sum[str] = sum((each.then for each in tallies), Sum())
    now: Sum[str] = sum((each.now for each in tallies), Sum())
    rows = [_row(each.client, place, n) for each in tallies for place, n in sorted(each.changed.items())]
    return {
        "messages": sum(sum(each.messages.values()) for each in tallies),
        "then": _states(then),
        "now": _states(now),
        "changes": _sums(rows),
        "reasons": _reasons(tallies),
        "by_client": [_group(each, {"client": each.client}, rows) for each in tallies],
        "by_template": _by_template(tallies, rows),
        "by_hour": _by_hour(tallies, rows),
        "cells": rows,
        "examples": [one.to_document(wire) for each in tallies for one in each.examples],
        "left_out": {"sealed": sum(each.sealed for each in tallies), "test_keys": sum(each.tests for each in tallies)},
        "agreement": {
            "sample": sum(each.sample for each in tallies),
            "policy_of_the_day": sum(each.equal_then for each in tallies),
            "this_policy": sum(each.equal_now for each in tallies),
        },
    }


def _row(client: str, place: tuple[str, str, str, int], n: int) -> dict[str, Any]:
    change, category, template, hour = place
    return {"client": client, "category": category, "template": template or None, "hour": moment(hour * 3600),
            "change": change, "messages": n}  # fmt: skip


def _states(found: Mapping[str, int]) -> dict[str, int]:
    return {state: found.get(state, 0) for state in ("accepted", "slowed", "held", "suppressed", "refused")}


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: Sum[str] = Sum()
    for row in rows:
        found[row["change"]] += row["messages"]
    return {change: found[change] for change in CHANGES}


def _group(one: Tally, named: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {**named, "messages": sum(one.messages.values()), **_sums([r for r in rows if r["client"] == one.client])}


def _reasons(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    found = [
        {"client": each.client, "change": change, "code": code, "check": check, "messages": n}
        for each in tallies
        for (change, code, check), n in each.reasons.items()
    ]
    return sorted(found, key=lambda row: (-row["messages"], row["client"], row["change"], row["code"]))


def _by_template(tallies: Sequence[Tally], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    messages: Sum[tuple[str, str, str | None]] = Sum()
    for each in tallies:
        for (category, template, _), n in each.messages.items():
            messages[each.client, category, template or None] += n
    named = ("client", "category", "template")
    parts = _parts(rows, named)
    return [
        {**dict(zip(named, place, strict=True)), "messages": n, **_sums(parts.get(place, []))}
        for place, n in sorted(messages.items(), key=lambda item: (item[0][0], -item[1]))
    ]


def _by_hour(tallies: Sequence[Tally], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    messages: Sum[int] = Sum()
    for each in tallies:
        for (_, _, hour), n in each.messages.items():
            messages[hour] += n
    parts = _parts(rows, ("hour",))
    return [
        {"hour": moment(hour * 3600), "messages": n, **_sums(parts.get((moment(hour * 3600),), []))}
        for hour, n in sorted(messages.items())
    ]


def _parts(rows: Sequence[Mapping[str, Any]], named: Sequence[str]) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in named), []).append(row)
    return found
