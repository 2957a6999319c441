"""The names of certificates that firms are given by others, found in a text in whatever spelling. Pure.

What is looked for is what a reader sees: letters of other alphabets that look like ours, wide and circled ones, signs
without width, accents, and letters set apart by dots, blanks or hyphens all read as what they look like.
"""

import re
import unicodedata
from collections.abc import Iterator

# the only words in which we ourselves may speak of having one
ALLOWED = ("claims no certification",)
_ALIKE = str.maketrans(
    "авсԁеɡнікӏмոорԛѕтսѵԝхујһ" "αβεηικνορτυχϲς" "ᴀʙᴄᴅᴇꜰʜɪᴋʟᴍɴᴏᴘʀꜱᴛᴜ" "ıłøđ",
    "abcdeghiklmnopqstuvwxyjh" "abehiknoptuxcs" "abcdefhiklmnoprstu" "ilod",
)  # fmt: skip
_RINGS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # letters in circles and squares that NFKC leaves as they are
_EMPTY = "\u115f\u1160\u3164\uffa0\u034f"  # letters that show nothing
_TURNED = ("\u202d", "\u202e")  # what is shown the other way round
_LEET = {"o": "o0", "i": "i1l|!", "s": "s5$", "e": "e3", "a": "a4@", "t": "t7", "l": "l1i|", "b": "b8"}
_GAP = r"[\W_]{0,3}"
_ROMAN = r"(?:[1-3]|i{1,3}|one|two|three)(?![a-z0-9])"
_ISO = rf"(?:9001|14001|20000|22301|42001|27{_GAP}0(?:01|02|17|18)|27701)"
_NAMES = {  # words, what may follow them
    "SOC": (("soc",), rf"{_GAP}(?:type{_GAP})?(?:[1-3](?![0-9])|{_ROMAN})"),
    "System and Organization Controls": (("organi[sz]ation",), rf"{_GAP}control(?:s|{_GAP}[1-3])"),
    "SSAE": (("ssae",), r"\W*\d\d"),
    "ISAE": (("isae",), r"\W*\d\d"),
    "ISO": (("iso",), rf"(?:{_GAP}iec)?{_GAP}{_ISO}"),
    "IEC": (("iec",), rf"{_GAP}{_ISO}"),
    "PCI": (("pci",), r"(?![a-z])|(?=dss)"),
    "Payment Card Industry": (("payment", "card", "industry"), ""),
    "HIPAA": (("hipaa",), ""),
    "Health Insurance Portability": (("health", "insurance", "portability"), ""),
    "HITRUST": (("hitrust",), ""),
    "Cyber Essentials": (("cyber", "essentials?"), ""),
    "FedRAMP": (("fedramp",), ""),
    "StateRAMP": (("stateramp",), ""),
    "CMMC": (("cmmc",), ""),
    "TISAX": (("tisax",), ""),
    "IRAP": (("irap",), r"(?![a-z])"),
    "SecNumCloud": (("secnumcloud",), ""),
    "C5": (("bsi",), rf"{_GAP}c{_GAP}5"),
    "CSA STAR": (("csa",), rf"{_GAP}s{_GAP}t{_GAP}a{_GAP}r(?![a-z])"),
    "FIPS": (("fips",), rf"{_GAP}140"),
    "NIST": (("nist",), rf"{_GAP}(?:sp{_GAP})?800"),
    "Common Criteria": (("common", "criteria"), ""),
    "TrustArc": (("trustarc",), ""),
    "Privacy Shield": (("privacy", "shield"), ""),
    "Data Privacy Framework": (("data", "privacy", "framework"), ""),
    "a certification": (("certifications?",), r"(?![a-z])"),
    "being certified": (("certified",), ""),
    "an accreditation": (("accredit",), r"(?:ed|ation)"),
}


def claimed(text: str) -> list[str]:
    """The certificates that a text speaks of, each once; what is ALLOWED is no claim, and no id and no digest is."""
    found = dict[str, None]()
    for read in _readings(text):
        words = _NO_WORDS.sub(" ", read)
        found |= dict.fromkeys(name for name, pattern in _PATTERNS.items() if pattern.search(words))
    return list(found)


def _readings(text: str) -> Iterator[str]:
    """As it is seen; where signs turn the direction of writing, the other way round, too."""
    plain = _plain(text)
    yield plain
    if any(sign in text for sign in _TURNED):
        yield plain[::-1]


def _plain(text: str) -> str:
    ringed = "".join(_unringed(sign) for sign in text)
    apart = unicodedata.normalize("NFKD", ringed).casefold()
    kept = (sign for sign in apart if unicodedata.category(sign) not in ("Cf", "Mn", "Me") and sign not in _EMPTY)
    return re.sub(r"\s+", " ", "".join(kept).translate(_ALIKE))


def _unringed(sign: str) -> str:
    for first, size in _RINGS:
        if first <= ord(sign) < first + size:
            return chr(ord("a") + ord(sign) - first)
    return sign


def _parts(word: str) -> list[str]:
    return re.findall(r"\[[^]]*\]|.\??", word)


def _spelt(word: str) -> str:
    """Its letters, close together or a little apart; what is written as a pattern already stays so."""
    return _GAP.join(f"[{re.escape(_LEET[part])}]" if part in _LEET else part for part in _parts(word))


def _figures(word: str) -> str:
    """Not where all its letters would be figures: 15:43:12 is a time, and 154,312 a number of letters."""
    return f"(?!{_GAP.join('[0-9]' for _ in _parts(word))})"


def _pattern(words: tuple[str, ...], after: str) -> re.Pattern[str]:
    begin = r"(?<![a-z0-9])" + _figures(words[0])
    return re.compile(begin + _GAP.join(map(_spelt, words)) + (f"(?:{after})" if after else ""))


# figures read as letters make a word of chance's octets: 50c2 of a UUID is no SOC 2
_MADE = r"(?<![a-z0-9])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3})?[0-9a-f]{12,}(?![a-z0-9])"
_NO_WORDS = re.compile("|".join([*map(re.escape, ALLOWED), _MADE]))
_PATTERNS = {name: _pattern(*given) for name, given in _NAMES.items()}
