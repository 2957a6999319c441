"""The pages' shell beside a change: the shortest edit from one sequence to another, in bounded time. Pure.

Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), greedy and forward. difflib can take minutes on what
somebody wrote to that end; this gives up beyond `most` edits and calls the middle replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """old[i1:i2] against new[j1:j2]: the same, or the one in the other's place (either may be empty)."""

    same: bool
    i1: int
    i2: int
    j1: int
    j2: int


def runs(old: Sequence[str], new: Sequence[str], most: int) -> list[Run]:
    """In order, without gaps, same and changed in turn. Time grows with len * `most` at worst."""
    head, tail = _head(old, new), 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    i2, j2 = len(old) - tail, len(new) - tail
    inner = _kept(old[head:i2], new[head:j2], most)
    kept = [(0, 0, head), *((head + x, head + y, n) for x, y, n in inner), (i2, j2, tail)]
    return _filled([each for each in kept if each[2]], len(old), len(new))


def _head(old: Sequence[str], new: Sequence[str]) -> int:
    return next((n for n, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new)))


def _kept(a: Sequence[str], b: Sequence[str], most: int) -> list[tuple[int, int, int]]:
    """(where in a, where in b, how many) of what stays; nothing where more than `most` edits would be needed."""
    reach, trace = {1: 0}, []
    for d in range(min(most, len(a) + len(b)) + 1):
        trace.append(dict(reach))
        for k in range(-d, d + 1, 2):
            x = reach[k + 1] if k == -d or (k != d and reach[k - 1] < reach[k + 1]) else reach[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if x >= len(a) and x - k >= len(b):
                return _walked(trace, len(a), len(b))
    return []


def _walked(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int, int]]:
    """Back along the furthest reaching paths; each diagonal is something that stays."""
    found = []
    for d in range(len(trace) - 1, -1, -1):
        reach, k = trace[d], x - y
        before = k + 1 if k == -d or (k != d and reach[k - 1] < reach[k + 1]) else k - 1
        px = reach[before] if d else 0
        py = px - before if d else 0
        start = px + (1 if before < k else 0) if d else 0
        if x > start:
            found.append((start, start - k, x - start))
        x, y = px, py
    return found[::-1]


def _filled(kept: list[tuple[int, int, int]], olds: int, news: int) -> list[Run]:
    out, i, j = [], 0, 0
    for x, y, n in [*kept, (olds, news, 0)]:
        if x > i or y > j:
            out.append(Run(same=False, i1=i, i2=x, j1=j, j2=y))
        if n:
            out.append(Run(same=True, i1=x, i2=x + n, j1=y, j2=y + n))
        i, j = x + n, y + n
    return out
