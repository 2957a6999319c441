"""Feedback: header fields of a stranger's letter: where they end, what they say, and Content-Type's parameters.

RFC 5322 2.2, RFC 2045 5.1, RFC 2231, each with what is broken in the wild. Nothing raises; time is linear.
"""

import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field

from troth.mail.parts_charsets import decode, decode_words

HEADER = 65_536  # octets of one header section that are read

# A line and its end: LF, CRLF, CR, and the CRCRLF of a gateway. Atomic: CRCRLF is never an empty line.
_line_re = re.compile(rb"([^\r\n]*)(?>\r{0,2}\n|\r|\Z)")
_empty_re = re.compile(rb"(?>\r{0,2}\n|\r)(?>\r{0,2}\n|\r)")
_field_re = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:(.*)\Z", re.DOTALL)
_text_field_re = re.compile(r"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:(.*)\Z")
_mbox_re = re.compile(rb">?From ")

_type_re = re.compile(r"\s*([\w!#$&^.+-]{1,100})\s*/\s*([\w!#$&^.+-]{1,100})\s*(?=[;(\s]|\Z)")
_piece_re = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_quoted_re = re.compile(r'\s*"((?:[^"\\]|\\.)*)', re.DOTALL)
_escaped_re = re.compile(r"\\(.)", re.DOTALL)
# RFC 2231: title, title*, title*0, title*0*
_name_re = re.compile(r"(?P<name>[^*\s]{1,100})(?:\*(?P<at>\d{1,4}))?(?P<coded>\*)?")
_one_word_re = re.compile(r"[^\s,(]*")


@dataclass(slots=True)
class Head:
    """The fields of one header section, values in octets and unfolded, and where the body begins."""

    fields: list[tuple[str, bytes]]
    body: int
    broken: set[str] = field(default_factory=set)

    def first(self, name: str) -> bytes | None:
        return next((value for each, value in self.fields if each.lower() == name), None)


def read_head(octets: bytes, start: int, end: int, *, outermost: bool = False) -> Head:
    """The section at `start`; lines that are no field are passed over where a field follows, else they are the body."""
    at = _skipped(octets, start, end) if outermost else start
    head, lines = Head([], start), list[list[bytes]]()
    while at < end:
        line, after = _line(octets, at, end)
        if not line:
            at = after
            break
        if at - start > HEADER:
            head.broken.add("long-header")
            at = _after_empty(octets, at, end)
            break
        if found := _field_re.match(line):
            lines.append([found[1], found[2]])
        elif line[:1] in b" \t" and lines:
            lines[-1].append(line)
        elif _field_re.match(_line(octets, after, end)[0]):
            head.broken.add("no-field")
        else:
            head.broken.add("no-empty-line")
            break
        at = after
    head.fields = [(name.decode("ascii"), b"".join(value)[:HEADER].strip()) for name, *value in lines]
    head.body = at if lines else start
    return _bare(head, octets, end) if not lines else head


def _bare(head: Head, octets: bytes, end: int) -> Head:
    """No field: an empty line first ends an empty header, anything else is the body."""
    line, after = _line(octets, head.body, end)
    head.broken.clear()
    head.body = after if not line else head.body
    return head


def _line(octets: bytes, at: int, end: int) -> tuple[bytes, int]:
    """The line at `at` (its first 64 KiB) and where the next begins."""
    found = _line_re.match(octets, at, end)
    return (found[1], found.end()) if found else (b"", end)


def _skipped(octets: bytes, start: int, end: int) -> int:
    """Past empty lines and an mbox file's line before the first field."""
    at = start
    while at < min(end, start + HEADER):
        line, after = _line(octets, at, end)
        if line.strip() and not _mbox_re.match(line):
            break
        at = after
    return at


def _after_empty(octets: bytes, at: int, end: int) -> int:
    found = _empty_re.search(octets, at, end)
    return found.end() if found else end


def fields_of(text: str) -> tuple[tuple[str, str], ...]:
    """Fields of header-like blocks (delivery-status, feedback-report, returned headers); empty lines part nothing."""
    fields = list[list[str]]()
    for line in text.splitlines():
        if found := _text_field_re.match(line):
            fields.append([found[1], found[2]])
        elif line[:1] in (" ", "\t") and fields:
            fields[-1].append(line)
    return tuple((name, value_of("".join(value).encode("utf-8", "replace"))) for name, *value in fields)


def value_of(octets: bytes) -> str:
    """A field's value as text, encoded words decoded, without blanks at its ends."""
    return decode_words(octets).strip()


def content_type(value: bytes) -> tuple[str, dict[str, str]]:
    """Type ("" where broken) and parameters, names in lower case."""
    pieces = [found[0] for found in _piece_re.finditer(value.decode("latin-1"))]
    found = _type_re.match(pieces[0]) if pieces else None
    kind = f"{found[1]}/{found[2]}".lower() if found else ""
    # A missing semicolon after the type is common: what follows it is a parameter all the same.
    rest = [pieces[0][found.end() :], *pieces[1:]] if found else pieces
    return kind, _joined(_parameters(rest))


def _parameters(pieces: list[str]) -> Iterator[tuple[str, int, bool, str]]:
    """Name, place (RFC 2231 3), whether it is percent-coded (4), and value, still in Latin-1."""
    for piece in pieces[:200]:
        name, equals, value = piece.partition("=")
        found = _name_re.fullmatch(name.strip().lower())
        if equals and found:
            yield found["name"], int(found["at"] or 0), found["coded"] is not None, _value(found["name"], value)


def _value(name: str, value: str) -> str:
    if quoted := _quoted_re.match(value):
        return _escaped_re.sub(r"\1", quoted[1])
    plain = value.strip()
    one = _one_word_re.match(plain) if name == "charset" else None
    return one[0] if one else plain


def _joined(parameters: Iterator[tuple[str, int, bool, str]]) -> dict[str, str]:
    places: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, at, coded, value in parameters:
        places.setdefault(name, {}).setdefault(at, (coded, value))
    return {name: _text([pieces[at] for at in sorted(pieces)]) for name, pieces in places.items()}


def _text(pieces: list[tuple[bool, str]]) -> str:
    charset = ""
    coded, first = pieces[0]
    if coded and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
        pieces = [(coded, first), *pieces[1:]]
    octets = b"".join(_octets(value, coded=coded) for coded, value in pieces)
    return decode(octets, charset) if coded else decode_words(octets)


def _octets(value: str, *, coded: bool) -> bytes:
    octets = value.encode("latin-1")
    return urllib.parse.unquote_to_bytes(octets) if coded else octets
