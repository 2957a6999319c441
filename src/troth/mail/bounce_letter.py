"""Feedback: a bounce's letter taken apart: what it says to people, what to machines, and the message it returns."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from troth.mail.bounce_rules import load, pattern
from troth.mail.parts import Part, read

WORDS = load("bounce_words.toml")
_TEXT = 65_536  # characters of what is said to people
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers", "message/partial", "message/rfc822-headers"})
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})

_frame_re = re.compile(r"[\s\-=*_|>#~+:.]+")
_returned_re = re.compile(f"(?:{pattern(WORDS['returned']).pattern})", re.IGNORECASE)
_header_re = re.compile(r">?[ ]?" + WORDS["header"], re.IGNORECASE)
_inside_re = re.compile(r"(?m)^--\S[^\n]{0,200}\n\s*content-type:", re.IGNORECASE)
_fields_re = re.compile(
    r"(?m)^[ \t>]*(?:reporting-mta|(?:final|original)-recipient|action|diagnostic-code): ?\S", re.IGNORECASE
)
_markup_re = re.compile(
    r"<(?:script|style|head|title)\b[^<]*(?:<(?!/)[^<]*)*|<!--[^<>]*>?|<(?P<tag>/?[a-z0-9]{1,12})[^<>]*>", re.IGNORECASE
)
_LINES = frozenset(
    ["br", "p", "div", "tr", "li", "td", "th", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote", "hr", "pre"]
)


@dataclass(slots=True)
class Letter:
    """notice: what is said to people, before the returned message; status: texts in RFC 3464's form."""

    top: Part
    notice: str = ""
    status: list[str] = field(default_factory=list)
    returned: Part | None = None
    copied: str = ""  # text that follows the notice: a returned message, if anything

    def header(self, name: str) -> str:
        return self.top.first(name)


def open_letter(top: Part, *, wrapped: bool = True) -> Letter:
    """wrapped: whether a MIME body inside its text is looked for, which happens once."""
    letter, texts, marked = Letter(top), list[str](), list[str]()
    for part in _own(top):
        if part.type in _STATUS:
            letter.status.append(part.text()[:_TEXT])
        elif part.type in _MESSAGES or part.type in _HEADERS:
            inner = part.parts[0] if part.parts else read(part.body)
            letter.returned = letter.returned or inner
        elif part.type == "text/html":
            marked.append(part.text()[: 2 * _TEXT])
        elif part.type.startswith("text/") and not part.first("content-disposition").lower().startswith("attachment"):
            texts.append(part.text()[:_TEXT])
    if not any(text.strip() for text in texts):
        texts = [without_markup(text) for text in marked]
    _cut(letter, "\n\n".join(texts)[:_TEXT], wrapped=wrapped)
    return letter


def _own(part: Part) -> Iterator[Part]:
    """Its parts without those of a message inside."""
    if part.type in _MESSAGES or not part.parts:
        yield part
    else:
        for inner in part.parts:
            yield from _own(inner)


def without_markup(text: str) -> str:
    """Lines of an HTML text; nothing of it is trusted, it is only read."""
    plain = _markup_re.sub(lambda tag: "\n" if (tag["tag"] or "").lower().strip("/") in _LINES else " ", text)
    return html.unescape(plain).replace("\xa0", " ")


def _cut(letter: Letter, text: str, *, wrapped: bool) -> None:
    at = _end_of_notice(text)
    letter.notice, letter.copied = text[:at], text[at:]
    if wrapped and (found := _inside_re.search(letter.notice)):
        _unpacked(letter, found.start())
    if letter.returned is None and letter.copied:
        letter.returned = read(_from_fields(letter.copied).encode("utf-8", "replace"))
    if not letter.status and (fields := _fields_re.search(letter.notice)):
        letter.status.append(
            "\n".join(
                line.lstrip("> \t") if ":" in line[:40] else line
                for line in letter.notice[fields.start() :].split("\n")
            )
        )


def _unpacked(letter: Letter, at: int) -> None:
    """A MIME body that nothing announces: each part as if it had been one."""
    body = letter.notice[at:] + letter.copied
    inner = open_letter(read(b"Content-Type: multipart/mixed\n\n" + body.encode("utf-8", "replace")), wrapped=False)
    if inner.top.parts:
        letter.notice = letter.notice[:at] + "\n" + inner.notice
        letter.status += inner.status
        letter.returned = letter.returned or inner.returned
        letter.copied = ""


def _end_of_notice(text: str) -> int:
    """Where the returned message begins: at a line that says so or at a field of a message's own header."""
    at = 0
    for line in text.split("\n"):
        if len(line) < 200 and _begins_returned(line) and text[:at].strip():
            return at
        at += len(line) + 1
    return len(text)


def _begins_returned(line: str) -> bool:
    return bool(_header_re.match(line) or _returned_re.fullmatch(_frame_re.sub(" ", line).strip().lower()))


def _from_fields(text: str) -> str:
    """From the first line that may be a field."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if re.match(r">?[A-Za-z][\w-]*: ?\S", line)), 0)
    return "\n".join(line.removeprefix(">") for line in lines[first:])
