"""Letters: one of them as text that is safe to look at: never as HTML, without what would steer a page or an eye."""

import re
from dataclasses import dataclass

from troth.mail.parts import Part, read

_FIELDS = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted")
_LONGEST = 2_000  # characters of a field
_TEXT, _SOURCE = 50_000, 200_000  # characters that are shown
_PARTS = 100
# control characters, and those that turn the reading direction round
_STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")


@dataclass(frozen=True, slots=True)
class Shown:
    """`envelope` and `fields`: name and value; `parts`: type, name and octets; `cut`: there is more than is shown."""

    envelope: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    text: str
    parts: list[tuple[str, str, int]]
    source: str
    cut: bool


def shown(octets: bytes) -> Shown:
    """Total: any octets."""
    envelope, letter = _split(octets)
    part = read(letter)
    source = _clean(letter.decode("utf-8", "replace"))
    return Shown(
        envelope,
        [(name, _clean(part.first(name))[:_LONGEST]) for name in _FIELDS if part.first(name)],
        _clean(_text(part))[:_TEXT],
        [(each.type[:100], _name(each), len(each.body)) for each in list(part.walk())[:_PARTS] if not each.parts],
        source[:_SOURCE],
        len(source) > _SOURCE,
    )


def _split(octets: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Our own lines above the letter, and the letter."""
    envelope, rest = [], octets
    for name in ("Return-Path", "X-Troth-Peer", "X-Troth-To"):
        while rest.startswith(f"{name}: ".encode()):
            line, _, rest = rest.partition(b"\r\n")
            envelope.append((name, _clean(line.partition(b": ")[2].decode("utf-8", "replace"))))
    return envelope, rest


def _text(part: Part) -> str:
    """What a person wrote, or the machine's plain words; empty when there is no plain text."""
    plain = [each for each in part.walk() if each.type == "text/plain" and not each.parts and each.body.strip()]
    return plain[0].text() if plain else ""


def _name(part: Part) -> str:
    return _clean(part.parameters.get("name", ""))[:200]


def _clean(text: str) -> str:
    return _STEERING.sub("�", text.replace("\r\n", "\n").replace("\r", "\n"))
