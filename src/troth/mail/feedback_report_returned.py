"""Feedback: the message that a feedback report gives back: whole, its header alone, or copied into a text. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from troth.mail.parts import Part, fields_of
from troth.mail.parts import read as read_parts

_PARAGRAPHS = 200  # of a text that are looked at
_KNOWN = frozenset(
    {
        "received",
        "from",
        "subject",
        "message-id",
        "date",
        "to",
        "return-path",
        "dkim-signature",
        "mime-version",
        "x-mailer",
    }
)
_ENOUGH = 3  # such fields make a header
_FIELDS = 1_000
_quote_re = re.compile(r"^>[> ]?", re.MULTILINE)
_file_re = re.compile(r"\.(?:eml|msg|txt)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Returned:
    """fields: its header; part: the message, None where only its header came; whole: it is a message, not a copy of a
    header; at: where in the text it begins, -1 for what was no text.
    """

    fields: tuple[tuple[str, str], ...] = ()
    part: Part | None = None
    whole: bool = False
    at: int = -1

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.fields if key.lower() == name.lower())


def of_parts(parts: Sequence[Part]) -> Returned:
    """The first message, or header of one, in these parts; looked for in all of them before what is inside them."""
    for part in parts:
        found = _of_part(part)
        if found.fields:
            return found
    for part in parts:
        if part.type.startswith("multipart/") and (found := of_parts(part.parts)).fields:
            return found
    return Returned()


def _of_part(part: Part) -> Returned:
    if part.type in ("message/rfc822", "message/global") and part.parts:
        return Returned(part.parts[0].fields[:_FIELDS], part.parts[0], whole=True)
    if part.type in (
        "text/rfc822-headers",
        "text/rfc822-header",
        "message/rfc822",
        "message/global-headers",
        "text/rfc822",
    ):
        return Returned(fields_of(part.text().lstrip())[:_FIELDS])
    if part.type in ("application/octet-stream", "application/rfc822") and _file_re.search(
        part.parameters.get("name", "eml.eml")
    ):
        inside = read_parts(part.body)
        if _is_header(inside.fields):
            return Returned(inside.fields[:_FIELDS], inside, whole=True)
    return Returned()


def in_text(text: str) -> Returned:
    """The first paragraph that is a header; text with LF."""
    for start, paragraph in islice(_paragraphs(text), _PARAGRAPHS):
        plain = _quote_re.sub("", paragraph) if paragraph.startswith(">") else paragraph
        fields = fields_of(plain)
        if _is_header(fields):
            return Returned(fields[:_FIELDS], at=start)
    return Returned()


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Where each begins, and its lines; by lines, not by a pattern, which runs of blanks would make slow."""
    at, start = 0, -1
    for line in text.split("\n"):
        blank = not line or line.isspace()
        if blank and start >= 0:
            yield start, text[start:at]
        start = -1 if blank else at if start < 0 else start
        at += len(line) + 1
    if start >= 0:
        yield start, text[start:]


def _is_header(fields: Sequence[tuple[str, str]]) -> bool:
    return len({name.lower() for name, _ in fields} & _KNOWN) >= _ENOUGH
