"""Evidence, looked at before it is kept: a PDF (ISO 32000) that only shows itself: no script, no start, no file inside.

Names are compared after their `#xx` are undone. Object streams are unpacked and looked into; what cannot be looked into
(encrypted, packed otherwise) is refused.
"""

import re
import zlib
from collections.abc import Iterator
from functools import cache

from troth.control.evidence.unfit import Unfit

_DELIMITER = rb"\x00\t\n\x0c\r ()<>\[\]{}/%"
_ESCAPED = re.compile(rb"/([^#" + _DELIMITER + rb"]*#[^" + _DELIMITER + rb"]*)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n?")
_BLANKS = (b" ", b"\n", b"\r", b"\t", b"\x0c", b"\x00")
_MANY = 100_000  # streams, or names with an escape, that are looked at
_LAST = 1024  # octets in which the end is looked for
_ZIP_END, _ZIP_TAIL = b"PK\x05\x06", 66_000
_UNPACKED = 32 << 20  # octets of all object streams
# what makes a viewer act: the short ones may come by chance in packed octets, so they count outside of streams alone
_LONG = frozenset({
    b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"FileAttachment", b"OpenAction", b"RichMedia",
    b"SubmitForm", b"ImportData", b"GoToE", b"Encrypt",
})  # fmt: skip
_SHORT = frozenset({b"JS", b"AA", b"EF", b"XFA"})
_OBJECTS, _DEFLATED = frozenset({b"ObjStm"}), frozenset({b"FlateDecode", b"Fl"})
_PACKED = frozenset({
    b"ASCIIHexDecode", b"AHx", b"ASCII85Decode", b"A85", b"LZWDecode", b"LZW", b"RunLengthDecode", b"RL", b"Crypt",
    b"DecodeParms", b"DP",
})  # fmt: skip


def scan(content: bytes) -> None:
    """Raise Unfit."""
    _ends(content)
    _harmless(content, _LONG)
    outside, streams = _split(content)
    _harmless(outside, _SHORT)
    there, looked, left = sum(1 for _ in named(outside, _OBJECTS)), 0, _UNPACKED
    for head, packed in streams:
        if any(named(head, _OBJECTS)):
            plain = _unpacked(set(named(head, _PACKED | _DEFLATED)), packed, left)
            _harmless(plain, _LONG | _SHORT)
            looked, left = looked + 1, left - len(plain)
    if looked < there:
        raise _closed()


def named(content: bytes, words: frozenset[bytes]) -> Iterator[bytes]:
    """Those of `words` that stand here as names, as a reader understands them."""
    for found in _names(words).finditer(content):
        yield found[1]
    escaped = _ESCAPED.finditer(content) if b"#" in content else iter(())
    for n, found in enumerate(escaped):
        if n == _MANY:
            raise _closed()
        if (name := _ESCAPE.sub(lambda each: bytes([int(each[1], 16)]), found[1])) in words:
            yield name


@cache
def _names(words: frozenset[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"/(" + b"|".join(sorted(words)) + rb")(?![^" + _DELIMITER + rb"])")


def _ends(content: bytes) -> None:
    """It is a PDF from its first octet to its last, and no archive at the same time."""
    at = content.rfind(b"%%EOF", max(0, len(content) - _LAST))
    if at < 0 or content[at + 5 :].strip(b"\r\n \t\x00"):
        raise Unfit("The PDF does not end as one does, or something stands behind its end. Save it again.")
    if _ZIP_END in content[-_ZIP_TAIL:] or b"<script" in content[:_LAST].lower() or b"<html" in content[:_LAST].lower():
        raise Unfit("The file is a PDF and something else at the same time. Print it to a new PDF.")


def _harmless(content: bytes, forbidden: frozenset[bytes]) -> None:
    for name in named(content, forbidden):
        if name == b"Encrypt":
            raise _closed()
        word = name.decode("ascii")
        raise Unfit(f"The PDF does something when it is opened, or carries a file (/{word}). Print it to a new PDF.")


def _split(content: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """What stands outside of streams; and each stream with what its object says of it."""
    outside: list[bytes] = []
    streams: list[tuple[bytes, bytes]] = []
    at = 0
    while found := _STREAM.search(content, at):
        if len(streams) == _MANY:
            raise _closed()
        end = content.find(b"endstream", found.end())
        end = len(content) if end < 0 else end
        before = content[at : found.start()]
        outside.append(before)
        streams.append((_head(before), content[found.end() : end]))
        at = min(end + len(b"endstream"), len(content))
    outside.append(content[at:])
    return b"\n".join(outside), streams


def _head(before: bytes) -> bytes:
    """From the last object's beginning on."""
    return before[max(0, *(before.rfind(blank + b"obj") for blank in _BLANKS)) :]


def _unpacked(said: set[bytes], packed: bytes, most: int) -> bytes:
    if said & _PACKED:
        raise _closed()
    if not said:
        return packed
    try:
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(packed, max(1, most))
    except zlib.error:
        raise _closed() from None
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise _closed()
    return plain


def _closed() -> Unfit:
    return Unfit("Parts of the PDF are locked or packed so that nobody can look into them. Print it to a new PDF.")
