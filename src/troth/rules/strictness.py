"""The house of policy: what "stricter" means, one small class a kind of value.

Every policy field carries one of these beside its type, so that levels are compared by data and not by code. Values in
documents are integers, booleans, strings and lists of these; frozen ones are the same with tuples for lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.rules.business_time import parse_span

Value = int | bool | str | tuple[int, ...] | tuple[str, ...]
Json = int | bool | str | list[int] | list[str]


class Strictness(Protocol):
    """How the values of one field are checked and compared."""

    def problem(self, value: object) -> str | None:
        """Say in words what is wrong with a document's value, or None."""
        ...

    def looser(self, above: Value, below: Value) -> bool:
        """Tell whether the lower level's value permits something that the one above does not."""
        ...

    def meet(self, one: Value, other: Value) -> Value:
        """Give the loosest value that is looser than neither."""
        ...

    @property
    def words(self) -> str:
        """Say what a lower level may do, for the documentation."""
        ...


def freeze(value: object) -> Value:
    """Turn a document's checked value into the frozen one."""
    return tuple(value) if isinstance(value, list | tuple) else value  # type: ignore[return-value]  # checked before


def thaw(value: Value) -> Json:
    """Turn a frozen value into the document's one."""
    return list(value) if isinstance(value, tuple) else value  # type: ignore[return-value]  # lists of one type


def _number(value: Value) -> int:
    assert isinstance(value, int)  # problem() saw to it
    return value


def _words(value: Value) -> frozenset[str]:
    assert isinstance(value, tuple)  # problem() saw to it
    return frozenset(str(item) for item in value)


def _numbers(value: Value) -> tuple[int, ...]:
    assert isinstance(value, tuple)  # problem() saw to it
    return tuple(_number(each) for each in value)


_LONG = 10**12  # beyond it a number is not repeated


def _integer(value: object, low: int, high: int) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return "must be an integer (use minutes, percent or bytes: fractions are not allowed)"
    if not low <= value <= high:
        return f"must be from {low} to {high}, not {value}" if abs(value) < _LONG else f"must be from {low} to {high}"
    return None


def _strings(value: object, choices: Sequence[str] | None) -> str | None:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        return "must be a list of strings"
    if list(value) != sorted(set(value)):
        return "must be sorted, each entry once"
    if choices is None:
        return None if all(_plain(item) for item in value) else "must hold plain ASCII words"
    unknown = [item for item in value if item not in choices]
    return f"may hold only {', '.join(choices)}" if unknown else None


def _plain(item: str) -> bool:
    return bool(item) and len(item) <= 100 and item.isascii() and item.isprintable() and " " not in item


@dataclass(frozen=True, slots=True)
class AtMost:
    """An integer from low to high; a smaller one is stricter."""

    low: int
    high: int

    def problem(self, value: object) -> str | None:
        return _integer(value, self.low, self.high)

    def looser(self, above: Value, below: Value) -> bool:
        return _number(below) > _number(above)

    def meet(self, one: Value, other: Value) -> Value:
        return min(_number(one), _number(other))

    @property
    def words(self) -> str:
        return "lower"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """An integer from low to high; a larger one is stricter."""

    low: int
    high: int

    def problem(self, value: object) -> str | None:
        return _integer(value, self.low, self.high)

    def looser(self, above: Value, below: Value) -> bool:
        return _number(below) < _number(above)

    def meet(self, one: Value, other: Value) -> Value:
        return max(_number(one), _number(other))

    @property
    def words(self) -> str:
        return "raise"


@dataclass(frozen=True, slots=True)
class Switch:
    """A boolean of which one position is the stricter."""

    strict: bool

    def problem(self, value: object) -> str | None:
        return None if isinstance(value, bool) else "must be true or false"

    def looser(self, above: Value, below: Value) -> bool:
        return above is self.strict and below is not self.strict

    def meet(self, one: Value, other: Value) -> Value:
        return self.strict if self.strict in (one, other) else not self.strict

    @property
    def words(self) -> str:
        return f"set to {str(self.strict).lower()}"


@dataclass(frozen=True, slots=True)
class Ordered:
    """One of some words, loosest first."""

    loosest_first: tuple[str, ...]

    def problem(self, value: object) -> str | None:
        return None if value in self.loosest_first else f"must be one of {', '.join(self.loosest_first)}"

    def looser(self, above: Value, below: Value) -> bool:
        return self._rank(below) < self._rank(above)

    def meet(self, one: Value, other: Value) -> Value:
        return max(one, other, key=self._rank)

    def _rank(self, value: Value) -> int:
        return self.loosest_first.index(str(value))

    @property
    def words(self) -> str:
        return f"move to the right in {' < '.join(self.loosest_first)}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """A sorted list of what is permitted; a subset is stricter. choices None: any plain ASCII word."""

    choices: tuple[str, ...] | None = None

    def problem(self, value: object) -> str | None:
        return _strings(value, self.choices)

    def looser(self, above: Value, below: Value) -> bool:
        return not _words(below) <= _words(above)

    def meet(self, one: Value, other: Value) -> Value:
        return tuple(sorted(_words(one) & _words(other)))

    @property
    def words(self) -> str:
        return "remove entries"


@dataclass(frozen=True, slots=True)
class Required:
    """A sorted list of what must hold; a superset is stricter."""

    choices: tuple[str, ...]

    def problem(self, value: object) -> str | None:
        return _strings(value, self.choices)

    def looser(self, above: Value, below: Value) -> bool:
        return not _words(below) >= _words(above)

    def meet(self, one: Value, other: Value) -> Value:
        return tuple(sorted(_words(one) | _words(other)))

    @property
    def words(self) -> str:
        return "add entries"


@dataclass(frozen=True, slots=True)
class Waits:
    """A list of minutes that never falls: each of as many waits as above may be shorter, none longer."""

    low: int
    high: int
    count: int

    def problem(self, value: object) -> str | None:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= self.count:
            return f"must be a list of 1 to {self.count} integers"
        hint = next((hint for item in value if (hint := _integer(item, self.low, self.high))), None)
        if hint is None and list(value) != sorted(value):
            return "must not fall"
        return hint

    def looser(self, above: Value, below: Value) -> bool:
        theirs, ours = _numbers(above), _numbers(below)
        return len(theirs) != len(ours) or any(mine > yours for yours, mine in zip(theirs, ours, strict=True))

    def meet(self, one: Value, other: Value) -> Value:
        if len(_numbers(one)) != len(_numbers(other)):
            raise ValueError("As many waits as were promised stay: fewer are not stricter than more.")
        return tuple(map(min, _numbers(one), _numbers(other)))

    @property
    def words(self) -> str:
        return "shorten, each of as many"


@dataclass(frozen=True, slots=True)
class LockedNumber:
    """An integer that only the promise may set."""

    low: int
    high: int

    def problem(self, value: object) -> str | None:
        return _integer(value, self.low, self.high)

    def looser(self, above: Value, below: Value) -> bool:
        return above != below

    def meet(self, one: Value, other: Value) -> Value:
        return _same(one, other)

    @property
    def words(self) -> str:
        return "not change it: locked by the promise"


def _same(one: Value, other: Value) -> Value:
    if one != other:
        raise ValueError("A locked value has no stricter one: it belongs to one promise and cannot be combined.")
    return one


NONE = "none"  # of a length: nothing is promised


@dataclass(frozen=True, slots=True)
class Within:
    """A length of time as rules/business_time.py writes it; a shorter one is stricter, "none" (if `optional`) loosest.

    Business time and the clock's are compared by what they may take at most (Span.longest).
    """

    optional: bool = False

    def problem(self, value: object) -> str | None:
        if not isinstance(value, str):
            return "must be a length in words, such as 4 h or 1 business day"
        if value == NONE:
            return None if self.optional else "must be a length: there is no leaving it out"
        try:
            written = str(parse_span(value))
        except ValueError as wrong:
            return str(wrong)
        return None if written == value else f"must be written as {written}"

    def looser(self, above: Value, below: Value) -> bool:
        return _longest(below) > _longest(above)

    def meet(self, one: Value, other: Value) -> Value:
        return min(one, other, key=_longest)

    @property
    def words(self) -> str:
        return "shorten"


def _longest(value: Value) -> float:
    return float("inf") if value == NONE else parse_span(str(value)).longest


@dataclass(frozen=True, slots=True)
class Named:
    """A fact in words, neither strict nor loose, such as a time zone: a programme's own promise says it, no other."""

    wrong: Callable[[str], str | None]  # what is wrong with it, or None

    def problem(self, value: object) -> str | None:
        return self.wrong(value) if isinstance(value, str) else "must be a text"

    def looser(self, above: Value, below: Value) -> bool:  # noqa: ARG002 - the protocol's; facts are not compared
        return False

    def meet(self, one: Value, other: Value) -> Value:  # noqa: ARG002 - as above
        return one

    @property
    def words(self) -> str:
        return "not change it: the programme's promise says it"


@dataclass(frozen=True, slots=True)
class Figure:
    """A fact in a number, neither strict nor loose: a programme's own promise says it, no other."""

    low: int
    high: int

    def problem(self, value: object) -> str | None:
        return _integer(value, self.low, self.high)

    def looser(self, above: Value, below: Value) -> bool:  # noqa: ARG002 - the protocol's; facts are not compared
        return False

    def meet(self, one: Value, other: Value) -> Value:  # noqa: ARG002 - as above
        return one

    @property
    def words(self) -> str:
        return "not change it: the programme's promise says it"
