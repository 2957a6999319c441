"""Four eyes, what a change shows a person before they decide: words first, then the two versions beside each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

type Row = tuple[str, str, str, str]  # what, before, after, a note below it
NOTHING = "approvals/pictures/rows.html"


@dataclass(frozen=True, slots=True)
class Picture:
    """`says`: what becomes of it, in one sentence. `rows`: old and new in words. `then`: what follows from an approval,
    read once more before the button. `lists`: (heading, entries). `template` draws it, with `more`.
    """

    says: str
    then: str
    rows: tuple[Row, ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""
    href: str = ""
    act: str = ""
    template: str = NOTHING
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether any row has something that it was before."""
        return any(before for _, before, _, _ in self.rows)


def told(value: object) -> str:
    """A value of a document, as a person reads it."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(told(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {told(each)}" for name, each in value.items())
    return str(value)


def rows(before: Mapping[str, Any] | None, after: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[Row, ...]:
    """The named fields; what is the same in both stays, so that the whole is read."""
    old = before or {}
    return tuple((label, told(old.get(name)), told(after.get(name)), "") for name, label in labels.items()
                 if told(old.get(name)) or told(after.get(name)))  # fmt: skip


def differing(found: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(each for each in found if each[1] != each[2])
