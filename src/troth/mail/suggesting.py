"""Submission's help with slips of the hand: what an address was probably meant to be ("gmial.com").

Only a proposal, shown to whoever typed it: nothing is corrected without being asked.
"""

import re
import unicodedata
from functools import lru_cache

from troth.mail import address_lists

_SLIPS = 2  # changes at most between what was typed and a long name; one for a short one
_LONG = 13  # characters of a domain
_LETTERS = 5  # of a name before its top-level domain; shorter ones have too many neighbours
_MAX = 320
_dots_re = re.compile(r"\.{2,}")
_at_re = re.compile(r"(?: ?[\[(]at[\])] ?|@{2,}|＠|﹫)")


def suggest(text: str) -> str | None:
    """An address that may have been meant, or None where none is near; the text need not be an address."""
    if len(text) > _MAX or text.count("@") > 2:
        return None
    tidy = _tidy(text)
    local, at, domain = tidy.rpartition("@")
    if not (at and local and domain) or "@" in local or domain.startswith("["):
        return None
    meant = f"{local}@{_meant(domain)}"
    return None if meant.casefold() == text.casefold() else meant


def _tidy(text: str) -> str:
    """Without what slips in by hand: blanks, a comma for a dot, two dots, a dot at an end, two @."""
    if '"' in text or _has_control(text.strip()):
        return text
    found = _at_re.sub("@", text.strip().strip("<>").removeprefix("mailto:"))
    local, _, domain = found.rpartition("@")
    domain = _dots_re.sub(".", domain.replace(",", ".").replace(" ", "")).strip(".")
    return f"{_dots_re.sub('.', local.replace(' ', '')).strip('.')}@{domain}" if local else found


def _has_control(text: str) -> bool:
    """Or half of a surrogate pair."""
    if text.isprintable():
        return False
    return any(unicodedata.category(one) in ("Cc", "Cs") for one in text)


@lru_cache(4096)
def _meant(domain: str) -> str:
    name = domain.lower()
    if not name.isascii() or name in address_lists.providers() or name in address_lists.near_misses():
        return name
    mended = _end(name)
    return _brand(mended) or _near(mended) or mended


def _brand(name: str) -> str | None:
    """A provider's name without its end, or with a usual one that is not its own: gmail, gmail.org."""
    first, _, end = name.partition(".")
    mine = [each for each in address_lists.providers() if each.partition(".")[0] == first]
    if len(first) < _LETTERS or not mine or end not in ("", "com", "net", "org", "co"):
        return None
    if len(mine) == 1:
        return mine[0]
    return f"{first}.com" if end in ("", "co") and f"{first}.com" in mine else None


def _end(name: str) -> str:
    for wrong, right in address_lists.ends().items():
        if name.endswith("." + wrong):
            return name.removesuffix(wrong) + right
    return name


def _near(name: str) -> str | None:
    """The one provider that is nearest, by slips of the hand; none where two are as near."""
    close = [each for each in address_lists.providers() if abs(len(name) - len(each)) <= _SLIPS]
    ranked = sorted((slips, each) for each in close if (slips := _slips(name, each)) <= _allowed(name, each))
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


def _allowed(name: str, provider: str) -> int:
    """Fewer slips in short names; none in the end of one that is written well: mail.ru is not mail.com."""
    (first, _, end), (other, _, right) = name.partition("."), provider.partition(".")
    well = first == other and len(end) > 1 and end != right and _slips(end, right) > 1
    if len(other) < _LETTERS or well:
        return 0
    return _SLIPS if len(provider) >= _LONG else 1


def _slips(one: str, other: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), counted to three."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row = (before, row), [i]
        for j, b in enumerate(other, 1):
            cost = min(last[1][j] + 1, row[j - 1] + 1, last[1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[0][j - 2] + 1)
            row.append(cost)
        before = last[1]
    return row[-1]
