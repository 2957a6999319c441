"""Feedback: a stranger's letter as a tree of parts, read by a reader of MIME that takes whatever comes.

RFC 2045, 2046, 5322. Nothing raises; time is linear in the octets, and depth, number of parts and headers are bounded:
what lies beyond stays unread, and `broken` says so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from troth.mail.parts_addresses import addresses
from troth.mail.parts_charsets import decode, from_base64, from_quoted_printable, is_known
from troth.mail.parts_fields import HEADER, Head, content_type, fields_of, read_head, value_of

__all__ = ["HEADER", "LEVELS", "PARTS", "Part", "addresses", "fields_of", "read"]

LEVELS = 20
PARTS = 1_000
_BOUNDARY = 1_000  # octets; RFC 2046 5.1.1 says 70
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_guess_re = re.compile(rb"(?<![^\r\n])--([^\s-][^\r\n]{0,199}?)[ \t]{0,9}(?>\r{0,2}\n|\r)content-", re.IGNORECASE)
_line_end_re = re.compile(r"\r{1,2}\n|\r")
_octets_end_re = re.compile(rb"\r{0,2}\n|\r")
_last_end_re = re.compile(rb"(?>\r{0,2}\n|\r)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """type: "text/plain" where missing or broken; body: transfer encoding undone, b"" of a multipart, and of a message
    inside a message; parts: of a multipart, and the one message inside message/rfc822.

    broken, as closed words: deep, many, long-header, no-field, no-empty-line, type, encoding, charset, no-boundary,
    no-end-boundary.
    """

    fields: tuple[tuple[str, str], ...]
    type: str
    parameters: Mapping[str, str]
    body: bytes
    parts: tuple["Part", ...]
    broken: tuple[str, ...]

    def first(self, name: str) -> str:
        """The first such field's value, "" without one; names have no case."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        wanted = name.lower()
        return tuple(value for each, value in self.fields if each.lower() == wanted)

    def text(self) -> str:
        """The body in its charset, whatever is wrong replaced; lines end with LF."""
        return _line_end_re.sub("\n", decode(self.body, self.parameters.get("charset", "")))

    def walk(self) -> Iterator["Part"]:
        """Itself and every part below, depth first."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(slots=True)
class _Reader:
    """One buffer of octets and what may still be read of the letter."""

    octets: bytes
    left: list[int]  # parts, over all buffers


@dataclass(slots=True)
class _Open:
    """A part whose header is read: where its body lies, and what it says of itself."""

    head: Head
    end: int
    level: int
    inside: bool  # a message already
    type: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


def read(octets: bytes) -> Part:
    """Any octets, lines ending with CRLF, LF or CR."""
    return _part(_Reader(octets, [PARTS]), 0, len(octets), level=0)


def _part(
    reader: _Reader, start: int, end: int, *, level: int, inside: bool = False, default: str = "text/plain"
) -> Part:
    reader.left[0] -= 1
    head = read_head(reader.octets, start, end, outermost=level == 0)
    part = _Open(head, end, level, inside, broken=set(head.broken))
    written = head.first("content-type")
    part.type, part.parameters = content_type(written) if written else (default, {})
    if not part.type:
        part.type = "text/plain"
        part.broken.add("type")
    if part.type.startswith("multipart/"):
        return _multipart(reader, part)
    if part.type in _MESSAGES:
        return _message(reader, part)
    return _leaf(reader, part)


def _leaf(reader: _Reader, part: _Open) -> Part:
    if part.type.startswith("text/") and not is_known(part.parameters.get("charset", "")):
        part.broken.add("charset")
    return _made(part, body=_body(reader, part))


def _encoding(part: _Open) -> bytes:
    """The word of RFC 2045 6.1 in lower case, b"" for octets as they are; an unknown one counts as none."""
    words = (part.head.first("content-transfer-encoding") or b"").lower().split(b";")[0].split()
    word = words[0] if words else b""
    if word not in (b"", b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable"):
        part.broken.add("encoding")
    return word if word in (b"base64", b"quoted-printable") else b""


def _body(reader: _Reader, part: _Open) -> bytes:
    octets = reader.octets[part.head.body : part.end]
    match _encoding(part):
        case b"base64":
            return from_base64(octets)
        case b"quoted-printable":
            return from_quoted_printable(octets)
    return octets


def _message(reader: _Reader, part: _Open) -> Part:
    """One copy of a message within messages, not one a level: memory stays a small multiple of the letter's."""
    coded = _encoding(part) != b""
    body = _body(reader, part) if coded or not part.inside else b""
    kept = b"" if part.inside else body
    if not _has_room(reader, part):
        return _made(part, body=kept)
    if coded:
        reader, start, end = _Reader(body, reader.left), 0, len(body)
    else:
        start, end = part.head.body, part.end
    return _made(part, body=kept, parts=(_part(reader, start, end, level=part.level + 1, inside=True),))


def _multipart(reader: _Reader, part: _Open) -> Part:
    spans = _spans(reader, part)
    if not spans:
        part.broken.add("no-boundary")
        part.type = "text/plain"
        return _leaf(reader, part)
    default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
    parts = []
    for start, end in spans:
        if not _has_room(reader, part):
            break
        parts.append(_part(reader, start, end, level=part.level + 1, inside=part.inside, default=default))
    return _made(part, parts=tuple(parts))


def _has_room(reader: _Reader, part: _Open) -> bool:
    if part.level >= LEVELS:
        part.broken.add("deep")
    if reader.left[0] <= 0:
        part.broken.add("many")
    return part.level < LEVELS and reader.left[0] > 0


def _spans(reader: _Reader, part: _Open) -> list[tuple[int, int]]:
    """Where each part lies, by the boundary that is given or, where that never comes, by one that looks like it."""
    given = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    spans = _between(reader, part, given) if 0 < len(given) <= _BOUNDARY else []
    if not spans and (found := _guess_re.search(reader.octets, part.head.body, part.end)):
        part.broken.add("no-boundary")
        spans = _between(reader, part, found[1])
    return spans


def _between(reader: _Reader, part: _Open, boundary: bytes) -> list[tuple[int, int]]:
    """RFC 2046 5.1.1: the line end before a delimiter is the delimiter's. One look a line, at most PARTS parts."""
    spans, start, ended = list[tuple[int, int]](), None, False
    for before, after, ended in _delimiters(reader.octets, part.head.body, part.end, b"--" + boundary):
        if start is not None:
            spans.append((start, max(start, before)))
        start = after
        if ended or len(spans) > PARTS:
            break
    if start is not None and not ended:
        part.broken.add("no-end-boundary")
        spans.append((start, part.end))
    return spans


def _delimiters(octets: bytes, at: int, end: int, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Of each delimiter: where the line before it ends, where the line after it begins, whether it is the last."""
    while (found := octets.find(delimiter, at, end)) >= 0:
        line_end = _octets_end_re.search(octets, found, end)
        at = line_end.end() if line_end else end
        if found > 0 and octets[found - 1] not in b"\r\n":
            continue
        match octets[found + len(delimiter) : line_end.start() if line_end else end].rstrip(b" \t"):
            case b"" | b"--" as dashes:
                yield _before(octets, found), at, dashes != b""


def _before(octets: bytes, found: int) -> int:
    """Without the line end before it."""
    before = octets[max(0, found - 3) : found]
    return found - len(before) + len(_last_end_re.sub(b"", before))


def _made(part: _Open, *, body: bytes = b"", parts: tuple[Part, ...] = ()) -> Part:
    fields = tuple((name, value_of(value)) for name, value in part.head.fields)
    broken = tuple(sorted(part.broken))
    return Part(fields, part.type, part.parameters, body, parts, broken)
