"""Before the river: what a template's expression can be and how large it can get, computed without running it.

A shape has *sources*, each the most characters that one evaluation can give, and the loops on which it depends. Within
those loops it names different data in every turn, so together they cannot exceed the variables' own limit; every
other loop round it multiplies. That sum is what refuses a bomb, however it is spelt.
"""

from dataclasses import dataclass, replace
from typing import Any

from troth.mail.schema import DEFAULT_ITEMS, MAX_BYTES, string_room

NUMBER = frozenset({"integer", "number"})
TEXT = frozenset({"string", "url", "date", "datetime", "mixed", "integer", "number"})
SCALAR = TEXT | {"boolean", "none"}


@dataclass(frozen=True, slots=True)
class Source:
    """size: characters of one evaluation; growth: characters a byte of variables (0: a constant); loops: by number."""

    size: int
    growth: int = 0
    loops: frozenset[int] = frozenset()

    def cost(self, turns: dict[int, int]) -> int:
        """Characters over all turns of the loops round it; turns: loop number -> most turns."""
        own, other = 1, 1
        for loop, count in turns.items():
            if loop in self.loops:
                own *= count
            else:
                other *= count
        once = self.size * own
        return (min(once, MAX_BYTES * self.growth) if self.growth else once) * other


@dataclass(frozen=True, slots=True)
class Shape:
    """kind: a schema type, or mixed, none; a list has at most `count` items.

    `schema` is a list's item schema or an object's properties; `item` replaces it where a list is not a variable;
    `chosen` are the loops whose turn decides which list or object this is; `literal` is the text of a constant.
    """

    kind: str
    sources: tuple[Source, ...] = ()
    count: int = 0
    item: "Shape | None" = None
    schema: dict[str, Any] | None = None
    chosen: frozenset[int] = frozenset()
    literal: str | None = None

    def items(self) -> "Shape":
        """What one item of a list is."""
        if self.item is not None:
            return self.item
        return of_schema(self.schema or {}, self.chosen)

    def grown(self, kind: str, factor: int) -> "Shape":
        """The same data made into another kind, each character becoming up to `factor`."""
        sources = (replace(one, size=one.size * factor, growth=one.growth * factor) for one in self.sources)
        return Shape(kind, tuple(sources))

    def inside(self, loop: int) -> "Shape":
        """The same data, another in each turn of that loop."""
        sources = tuple(replace(one, loops=one.loops | {loop}) if one.growth else one for one in self.sources)
        return replace(self, sources=sources, chosen=self.chosen | {loop})

    def cost(self, turns: dict[int, int]) -> int:
        return sum(source.cost(turns) for source in self.sources)


def of_schema(one: dict[str, Any], loops: frozenset[int] = frozenset()) -> Shape:
    """The shape of a variable whose schema this is, as chosen by those loops."""
    kind = one["type"]
    if kind == "object":
        return Shape("object", schema=one["properties"], chosen=loops)
    if kind == "list":
        return Shape("list", count=one.get("max_items", DEFAULT_ITEMS), schema=one["items"], chosen=loops)
    # Written out, 1e15 is longer than its JSON.
    growth = 1 if kind in ("string", "url") else 10
    return Shape(kind, (Source(string_room(one), growth, loops),))


def constant(kind: str, text: str) -> Shape:
    return Shape(kind, (Source(len(text) + 1),), literal=text)


def number() -> Shape:
    """The result of a sum: no variable is longer."""
    return Shape("number", (Source(400),))


def boolean() -> Shape:
    return Shape("boolean", (Source(5),))


def either(one: Shape, other: Shape) -> Shape | None:
    """What `one or other` can be; None when a list or an object meets something else."""
    if one.kind in SCALAR and other.kind in SCALAR:
        kind = one.kind if one.kind == other.kind else "number" if {one.kind, other.kind} <= NUMBER else "mixed"
        return Shape(kind, one.sources + other.sources)
    return one if one == other else None
