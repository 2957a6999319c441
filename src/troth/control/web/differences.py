"""The pages' shell beside a change: two texts line by line, with the words that differ within a line. Pure.

`difference(old, new)` gives lines for one column; `.pairs` gives the same for two, side by side.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from troth.control.web.edits import Run, runs

_MOST = 3_000  # lines of a text that are compared
_EDITS = 800  # lines that go or come; with more, the middle is said to be replaced
_LONGEST = 600  # characters of a line within which words are compared
_WORD_EDITS, _WORD_PAIRS = 60, 400  # words that go or come in a line; lines whose words are compared
_ALIKE = 0.3  # share of a line that stays; with less, the whole line is marked rather than its pieces
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line: `mark` says whether this is what differs."""

    text: str
    mark: bool


@dataclass(frozen=True, slots=True)
class Line:
    """`sign`: "+", "-", " ", or "…" for `skipped` lines that are the same. Numbers from 1; None: not on that side."""

    sign: str
    old: int | None
    new: int | None
    parts: tuple[Part, ...]
    skipped: int = 0

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Difference:
    """`cut`: the texts were longer than what is compared, the rest was not looked at. `same`: to the last byte; no
    lines and not the same: they differ in line ends alone, or after the cut.
    """

    lines: tuple[Line, ...]
    removed: int
    added: int
    cut: bool
    same: bool

    @property
    def pairs(self) -> tuple[tuple[Line | None, Line | None], ...]:
        """Left and right: a removed line stands beside the added one in its place."""
        return tuple(_pairs(self.lines))


def difference(old: str, new: str, around: int = 3) -> Difference:
    """Line by line; `around`: how many same lines stay before and after each place that differs."""
    olds, news = old.splitlines(), new.splitlines()
    a, b = olds[:_MOST], news[:_MOST]
    lines: list[Line] = []
    found = runs(a, b, _EDITS)
    if any(not run.same for run in found):
        for n, run in enumerate(found):
            edges = (0 if n == 0 else around, 0 if n == len(found) - 1 else around)
            lines += _same(a, run, *edges) if run.same else _changed(a, b, run, max(_WORD_PAIRS - n, 0))
    signs = [line.sign for line in lines]
    cut = len(olds) > _MOST or len(news) > _MOST
    return Difference(tuple(lines), signs.count("-"), signs.count("+"), cut, old == new)


def _same(a: Sequence[str], run: Run, first: int, last: int) -> list[Line]:
    """The first and the last few; what is between them is counted."""
    shown = [Line(" ", i + 1, run.j1 + i - run.i1 + 1, (Part(a[i], mark=False),)) for i in range(run.i1, run.i2)]
    skipped = len(shown) - first - last
    if skipped < 2:  # a line that says so would be as long
        return shown
    gap = Line("…", run.i1 + first + 1, run.j1 + first + 1, (), skipped)
    return [*shown[:first], gap, *shown[len(shown) - last :]]


def _changed(a: Sequence[str], b: Sequence[str], run: Run, most: int) -> list[Line]:
    """All that goes, then all that comes, as people read it; the words of each pair of lines are compared."""
    gone, come = a[run.i1 : run.i2], b[run.j1 : run.j2]
    pairs = list(zip(gone, come, strict=False))[:most]
    marked = [_words(x, y) for x, y in pairs]
    olds = [pair[0] for pair in marked] + [_whole(x) for x in gone[len(marked) :]]
    news = [pair[1] for pair in marked] + [_whole(y) for y in come[len(marked) :]]
    out = [Line("-", run.i1 + n + 1, None, parts) for n, parts in enumerate(olds)]
    return out + [Line("+", None, run.j1 + n + 1, parts) for n, parts in enumerate(news)]


def _whole(text: str) -> tuple[Part, ...]:
    return (Part(text, mark=True),) if text else ()


def _words(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    if max(len(old), len(new)) > _LONGEST:
        return _whole(old), _whole(new)
    a, b = _WORD.findall(old), _WORD.findall(new)
    found = runs(a, b, _WORD_EDITS)
    stays = sum(len("".join(a[run.i1 : run.i2])) for run in found if run.same)
    if stays < _ALIKE * max(len(old), len(new)):
        return _whole(old), _whole(new)
    left = [Part("".join(a[run.i1 : run.i2]), not run.same) for run in found]
    right = [Part("".join(b[run.j1 : run.j2]), not run.same) for run in found]
    return tuple(part for part in left if part.text), tuple(part for part in right if part.text)


def _pairs(lines: Sequence[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    gone: list[Line] = []
    for line in lines:
        if line.sign == "-":
            gone.append(line)
        elif line.sign == "+":
            yield gone.pop(0) if gone else None, line
        else:
            yield from ((left, None) for left in gone)
            gone.clear()
            yield line, line
    yield from ((left, None) for left in gone)
