"""Evidence, looked at before it is kept: a file of one of six types, that and nothing else,
to its last octet, and one that does nothing.

What a person gives is believed in nothing: the type comes from the octets, and the name's ending must agree with it.

Unfit    permanent: the file is not taken; the sentence says what to do
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from troth.control.evidence import scanning_pdf, scanning_pictures
from troth.control.evidence.unfit import Unfit

MOST = 20 << 20  # octets
TEXT = 4 << 20  # of what is read as text
_STEM = 80  # characters of a name before its ending
_ENDINGS = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
    "json": "application/json",
}
TYPES = "PDF, PNG, JPEG, plain text in UTF-8, CSV or JSON"
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|script|svg|iframe|\?xml|\?php)|\A#!", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufff9-\uffff]")
_NUMBER = re.compile(r"[+-]?[\d.,]+%?\Z")


@dataclass(frozen=True, slots=True)
class Scanned:
    """A name that is one, and the type that the octets are of."""

    filename: str
    media_type: str


def scan(name: str, content: bytes) -> Scanned:
    """What a file is; raise Unfit."""
    if not content:
        raise Unfit("The file is empty. Choose another.")
    if len(content) > MOST:
        raise Unfit(f"The file has more than {MOST >> 20} MiB: hand in a smaller one, or its parts.")
    stem, ending = _parts(name)
    kind = _ENDINGS.get(ending)
    if kind is None:
        raise Unfit(f"A file is {TYPES}, and its name ends so. Save it as one of these.")
    found = next((type_ for magic, type_ in _MAGIC if content.startswith(magic)), None)
    if found != kind and (found or kind in dict(_MAGIC).values()):
        raise Unfit(f"The name ends in .{ending}, and the file is something else. Choose the right one, or rename it.")
    _SCANS[kind](content)
    return Scanned(f"{stem}.{ending}", kind)


def _parts(name: str) -> tuple[str, str]:
    """Of a path or a name: letters, digits and few signs, in ASCII; what else there was is a dash."""
    last = re.split(r"[/\\]", name)[-1]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    stem, _, ending = plain.rpartition(".")
    kept = re.sub(r"[^A-Za-z0-9 _.-]+", "-", stem).strip(" ._-")
    kept = re.sub(r"\.{2,}", ".", kept)[:_STEM].strip(" ._-")
    return kept or "evidence", ending.strip().lower()


def _text(content: bytes) -> str:
    if len(content) > TEXT:
        raise Unfit(f"A text, table or JSON file has at most {TEXT >> 20} MiB: hand in its parts, or a PDF.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unfit("The text is not in UTF-8. Save it in that encoding.") from None
    if found := _CONTROL.search(text):
        raise Unfit(f"The text has a character that nobody can see (U+{ord(found[0]):04X}). Remove it.")
    if _MARKUP.search(text[:4096]):
        raise Unfit("The text begins as a web page or a program does. Save it as a PDF.")
    return text


def _plain(content: bytes) -> None:
    _text(content)


def _csv(content: bytes) -> None:
    """A table that a spreadsheet opens without computing anything."""
    try:
        for n, cells in enumerate(csv.reader(io.StringIO(_text(content), newline=""), strict=True), 1):
            _cells(n, cells)
    except csv.Error as wrong:
        raise Unfit(f"The table cannot be read: {wrong}. Save it as CSV again.") from None


def _cells(line: int, cells: list[str]) -> None:
    for cell in cells:
        if cell.lstrip()[:1] in ("=", "+", "-", "@") and not _NUMBER.match(cell.strip()):
            raise Unfit(f"Row {line} has a cell that a spreadsheet would compute. Put an apostrophe before it.")


def _json(content: bytes) -> None:
    try:
        json.loads(_text(content), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unfit("The file is not JSON (RFC 8259). Save it again.") from None


def _no_number(word: str) -> None:
    raise ValueError(word)


_SCANS: dict[str, Callable[[bytes], None]] = {
    "application/pdf": scanning_pdf.scan,
    "image/png": scanning_pictures.png,
    "image/jpeg": scanning_pictures.jpeg,
    "text/plain": _plain,
    "text/csv": _csv,
    "application/json": _json,
}
