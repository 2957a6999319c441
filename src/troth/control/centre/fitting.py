"""The trust centre: a page that stays small whatever happened: what each promise's own page has too goes first."""

from collections.abc import Callable
from enum import IntEnum

MOST = 88_000  # bytes of a page; with the style sheet and the icon under 100 kB in all


class Spare(IntEnum):
    """What is left out; each leaves out the ones before it, too."""

    NOTHING = 0
    PICTURES = 1  # of the days: how many held is said in words
    REASONS = 2  # beyond their first words
    FIGURES = 3


def fitted(make: Callable[[Spare], bytes]) -> bytes:
    """The fullest page that fits, or else the shortest."""
    content = b""
    for spare in Spare:
        content = make(spare)
        if len(content) <= MOST:
            break
    return content
