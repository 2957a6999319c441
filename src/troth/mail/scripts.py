"""Submission's look at scripts: does one part of a domain mix letters that can pass for one another?

After UTS 39 5.2, "highly restrictive": one script a label, or Latin with the Japanese, Chinese or Korean set. A
letter's script is the first word of its Unicode name.
"""

import unicodedata
from functools import lru_cache

_OF_NAME = {
    "CJK": "HAN",
    "HANGUL": "HANGUL",
    "HIRAGANA": "KANA",
    "KATAKANA": "KANA",
    "HALFWIDTH": "KANA",
    "KATAKANA-HIRAGANA": "KANA",
    "IDEOGRAPHIC": "HAN",
    "FULLWIDTH": "LATIN",
    "MODIFIER": "",
    "COMBINING": "",
}
_TOGETHER = (
    frozenset({"LATIN", "HAN", "KANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)


def scripts(text: str) -> frozenset[str]:
    """The scripts of the letters; digits, marks and signs have none."""
    found = (_script(one) for one in text if unicodedata.category(one).startswith("L"))
    return frozenset(name for name in found if name)


def _script(letter: str) -> str:
    word = unicodedata.name(letter, "").partition(" ")[0]
    return _OF_NAME.get(word, word)


@lru_cache(4096)
def is_mixed(text: str) -> bool:
    """Whether any of the dotted parts mixes scripts that do not belong together."""
    for part in text.split("."):
        found = scripts(part)
        if len(found) > 1 and not any(found <= together for together in _TOGETHER):
            return True
    return False
