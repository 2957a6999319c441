"""The gate's answer: verdicts of single checks, and the decision that they make together.

Nothing here may hold personal data: `saw` carries codes, numbers and ids, never an address, a variable or its value.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from troth.rules.facts import FieldProblem

Plain = str | int | bool | None | tuple[str, ...]
Saw = Mapping[str, Plain]
_NOTHING: Saw = MappingProxyType({})

UNKNOWN = "store-unavailable"
_UNKNOWN_RETRY_SECONDS = 5


class Outcome(IntEnum):
    """What becomes of a message; the larger one wins."""

    ACCEPT = 0
    HOLD = 1
    SUPPRESS = 2
    REFUSE = 3


_WORDS = tuple(outcome.name.lower() for outcome in Outcome)


class Verdict(Struct, frozen=True):
    """What one check says. code: 'ok' or a registered word; field: the request's; retry_after: seconds; until: when
    a hold ends by itself.
    """

    check: str
    outcome: Outcome
    code: str
    sentence: str
    saw: Saw = _NOTHING
    field: str | None = None
    retry_after: int | None = None
    until: datetime | None = None

    def to_document(self) -> dict[str, Any]:
        """Give the verdict as JSON-able values with ASCII keys; absent parts are left out."""
        document: dict[str, Any] = {
            "check": self.check,
            "outcome": _WORDS[self.outcome],
            "code": self.code,
            "sentence": self.sentence,
            "saw": {key: list(value) if isinstance(value, tuple) else value for key, value in self.saw.items()},
        }
        if self.field is not None:
            document["field"] = self.field
        if self.retry_after is not None:
            document["retry_after"] = self.retry_after
        if self.until is not None:
            document["until"] = self.until.isoformat()
        return document


class Decision(Struct, frozen=True):
    """The verdicts in the chain's order, and the worst outcome among them. facts: what is kept of what they were made
    of (rules/kept.py), so that another policy can be tried on it.
    """

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    facts: bytes = b""

    @property
    def deciding(self) -> Verdict:
        """Give the first verdict with the decision's outcome: the reason that is told."""
        return next(verdict for verdict in self.verdicts if verdict.outcome is self.outcome)

    @property
    def until(self) -> datetime | None:
        """Give when its holds are over by themselves; None for any other decision, and while one waits for people."""
        ends = [verdict.until for verdict in self.verdicts if verdict.outcome is Outcome.HOLD]
        return max((end for end in ends if end), default=None) if self.outcome is Outcome.HOLD and all(ends) else None

    def to_document(self) -> dict[str, Any]:
        """Give the decision as JSON-able values with ASCII keys: what is stored and shown."""
        return {
            "outcome": _WORDS[self.outcome],
            "code": self.deciding.code,
            "verdicts": [verdict.to_document() for verdict in self.verdicts],
        }


def combine(verdicts: Sequence[Verdict]) -> Decision:
    """Make the decision; ValueError without a verdict, since nothing passes unchecked."""
    if not verdicts:
        raise ValueError("No check was run, so nothing can be decided.")
    return Decision(max(verdict.outcome for verdict in verdicts), tuple(verdicts))


def accept(check: str, sentence: str, saw: Saw = _NOTHING) -> Verdict:
    return Verdict(check, Outcome.ACCEPT, "ok", sentence, saw)


def hold(check: str, code: str, sentence: str, saw: Saw = _NOTHING, *, until: datetime | None = None) -> Verdict:
    """Hold the message: until a moment, or until two people let it go."""
    return Verdict(check, Outcome.HOLD, code, sentence, saw, until=until)


def suppress(check: str, code: str, sentence: str, saw: Saw = _NOTHING) -> Verdict:
    return Verdict(check, Outcome.SUPPRESS, code, sentence, saw)


def refuse(
    check: str, code: str, sentence: str, saw: Saw = _NOTHING, *, at: str | None = None, retry_after: int | None = None
) -> Verdict:
    """Refuse, naming the request's field (`at`) and the seconds after which the same request may pass."""
    return Verdict(check, Outcome.REFUSE, code, sentence, saw, plain_field(at), retry_after)


def unknown(check: str, what: str) -> Verdict:
    """Refuse because a fact is missing: what is not known is never taken for granted."""
    sentence = f"We could not look up {what} just now, so nothing was accepted. Send the same request again."
    return refuse(check, UNKNOWN, sentence, {"missing": what}, retry_after=_UNKNOWN_RETRY_SECONDS)


# A request chooses the names of its own variables, so a name can be an address; only names that look like one of a
# schema are repeated.
_PLAIN_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z_][A-Za-z0-9_-]{0,63}|\[[0-9]{1,6}\])*", re.ASCII)


def plain_field(name: str | None) -> str | None:
    """Give the field's name when it can be stored as it is, else a question mark in its place."""
    if name is None or (len(name) <= 200 and _PLAIN_FIELD.fullmatch(name)):
        return name
    return "?"


def told(problems: Sequence[FieldProblem]) -> tuple[str, ...]:
    """Give problems as field:code, fit to be stored; at most 20."""
    return tuple(f"{plain_field(problem.field)}:{problem.code}" for problem in problems[:20])


def seconds_until(moment: datetime, now: datetime) -> int:
    """Give whole seconds from now to the moment, rounded up, at least 1."""
    return max(1, -int((now - moment).total_seconds() // 1))
