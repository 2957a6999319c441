"""Claims: what a control finds, as findings that are gathered and weighed into one state.

one finding is wrong          fails
else, one is too old          stale
else, there is nothing yet    no data yet
else                          holds
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_MOST = 12  # sentences kept of what is wrong


class State(StrEnum):
    """Whether a claim holds, as far as its control can say. The last two come without a control's work."""

    HOLDS = "holds"
    FAILS = "fails"
    STALE = "stale"
    NO_DATA = "no data yet"
    NO_CONTROL = "no control yet"
    NOT_PROMISED = "not promised"


# The worst of several programmes is the whole's.
WORST_FIRST = (State.FAILS, State.STALE, State.NO_DATA, State.HOLDS, State.NOT_PROMISED)


def worst(states: Iterable[State]) -> State:
    """The state of a whole; of nobody's promise, not promised."""
    return min(states, key=WORST_FIRST.index, default=State.NOT_PROMISED)


@dataclass(slots=True)
class Findings:
    """What a control gathers. `seen`: counts, numbers, ids; never personal data. The sentences are for people."""

    wrong: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)

    def need(self, holds: object, sentence: str) -> None:
        """`sentence` says what is wrong unless `holds`."""
        if not holds:
            self.wrong.append(sentence)

    def take(self, sentences: Iterable[str]) -> None:
        """Each sentence is something wrong."""
        self.wrong += sentences

    def done(self) -> "Found":
        if self.wrong:
            return Found(State.FAILS, tuple(dict.fromkeys(self.wrong)), self.seen)
        if self.old:
            return Found(State.STALE, tuple(self.old), self.seen)
        if self.missing:
            return Found(State.NO_DATA, tuple(self.missing), self.seen)
        return Found(State.HOLDS, (), self.seen)


@dataclass(frozen=True, slots=True)
class Found:
    """A state, why it is not `holds`, and what was seen."""

    state: State
    why: tuple[str, ...]
    seen: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        return self.state is State.HOLDS

    def evidence(self) -> dict[str, Any]:
        """JSON-able: what is kept and shown."""
        more = len(self.why) - _MOST
        why = [*self.why[:_MOST], *([f"and {more} more"] if more > 0 else [])]
        return {"why": why, "seen": dict(self.seen)}
