"""Delivery, composing: text as header words: atoms, quoted strings and RFC 2047 encoded-words.

Everything returned is printable ASCII. Text that holds "=?" is itself encoded, so that an encoded-word which a
caller wrote reaches the reader as those very characters and is never decoded on the way.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

# phrase made of plain atoms (RFC 5322 3.2.5), one blank between
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_atoms_re = re.compile(rf"{_ATEXT}+(?: {_ATEXT}+)*\Z")
_printable_re = re.compile(r"[\x20-\x7e]*\Z")

WORD = 75  # characters, the longest encoded-word (RFC 2047 2)
_FRAME = len("=?utf-8?q??=")
# The octets that stand for themselves in a Q word inside a phrase (RFC 2047 5 (3)), the strictest of the three places.
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = [chr(n) if n in _Q_SAFE else "_" if n == 0x20 else f"={n:02X}" for n in range(256)]


def plain(text: str) -> bool:
    """Whether text may stand in an unstructured header as it is."""
    return bool(_printable_re.match(text)) and "=?" not in text


def phrase(name: str) -> tuple[str, ...]:
    """A display name as words to be joined by blanks or folds (RFC 5322 3.2.5)."""
    if not plain(name):
        return encoded_words(name, first=WORD - len("Reply-To: "))
    if _atoms_re.match(name):
        return tuple(name.split(" "))
    return ('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"',)


def encoded_words(text: str, first: int = WORD) -> tuple[str, ...]:
    """RFC 2047 words that decode, joined, to text; the first is at most `first` characters long, the rest 75.

    No word splits a character (RFC 2047 5).
    """
    raw = text.encode()
    if 4 * -(-len(raw) // 3) < sum(len(_Q[octet]) for octet in raw):
        return tuple(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in _base64_chunks(text, first))
    return tuple(f"=?utf-8?q?{chunk}?=" for chunk in _q_chunks(text, first))


def _q_chunks(text: str, first: int) -> Iterator[str]:
    room, line = first - _FRAME, ""
    for character in text:
        piece = "".join(_Q[octet] for octet in character.encode())
        if len(line) + len(piece) > room and line:
            yield line
            room, line = WORD - _FRAME, ""
        line += piece
    yield line


def _base64_chunks(text: str, first: int) -> Iterator[bytes]:
    room, line = (first - _FRAME) // 4 * 3, b""
    for character in text:
        piece = character.encode()
        if len(line) + len(piece) > room and line:
            yield line
            room, line = (WORD - _FRAME) // 4 * 3, b""
        line += piece
    yield line
