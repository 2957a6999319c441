"""The trust centre: its ten sections, in their order, and which promises stand in which. Pure.

Overview and pillars come first; each promise is in the chapter that the catalogue gives it.
"""

from collections.abc import Iterable
from itertools import groupby

from troth.control.centre.gathered import Line
from troth.control.trust.catalogue import CHAPTERS

SECTIONS = ("overview", "pillars", *CHAPTERS)
# the catalogue's sections whose promises a pillar counts
PILLARS = {
    "changes": ("changes",),
    "sending": ("email", "recipients", "suppression", "limits", "sending"),
    "encryption": ("encryption",),
    "logs": ("logs",),
}


def of_chapter(lines: Iterable[Line], chapter: str) -> list[Line]:
    return [line for line in lines if line.claim.chapter == chapter]


def of_pillar(lines: Iterable[Line], pillar: str) -> list[Line]:
    return [line for line in lines if line.claim.section in PILLARS[pillar]]


def parts(lines: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    """A chapter's promises under its headings: the catalogue's sections, as they follow one another."""
    return [(section, list(same)) for section, same in groupby(lines, key=lambda line: line.claim.section)]
