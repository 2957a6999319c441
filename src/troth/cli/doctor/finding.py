"""Around the house: what a check of the doctor finds: one sentence, one of three states, and the way to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from troth.cli.doctor.patient import Patient


class State(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` is what to do, where there is something to do."""

    state: State
    what: str
    fix: str | None = None


def ok(what: str) -> Finding:
    return Finding(State.OK, what)


def wrong(what: str, fix: str) -> Finding:
    return Finding(State.WRONG, what, fix)


def unknown(what: str, fix: str | None = None) -> Finding:
    return Finding(State.UNKNOWN, what, fix)


Findings = Iterator[Finding]
_LATE = unknown("no answer in time", "Run `troth doctor` again when the machine has less to do.")


@dataclass(frozen=True, slots=True)
class Check:
    """`look` yields findings as it goes; what it has not said when `seconds` are over is `late`."""

    name: str
    look: "Callable[[Patient], Findings]"
    seconds: float = 5.0
    late: Finding = _LATE
