"""Before the river: a template as a person writes it becomes what is approved and sent: the final HTML and the text.

    layout and body -> tags hidden -> MJML -> rules into elements -> tags back -> preview line -> text

Deterministic: the same source makes the same bytes, so that an approver's digest covers both (`matches`).

    BuildError(Exception)   problems: what is wrong, each with its field, line and fix
"""

import re
from html import escape
from typing import Literal

import msgspec

from troth.mail import inlining, mjml
from troth.mail.html_pieces import pieces
from troth.mail.masking import Masked
from troth.mail.plain import plain_template
from troth.mail.problem import Problem
from troth.mail.template_scan import TemplateFault, scan

MAX_SOURCE = 200_000  # characters, as lint allows
MAX_DEPTH = 120  # elements within one another
GMAIL_SHOWS = 102 * 1024  # bytes of HTML; the rest is behind "View entire message"
_SLOT = re.compile(r"\{\{-?\s*content\s*-?\}\}")
_PADDING = "&#847;&zwnj;&nbsp;" * 60  # so that no reader fills the line with the mail's first words
_HIDE = "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all"
_BEGINNINGS = {("other", ""): 1, ("start", "html"): 2, ("end", "head"): 3, ("start", "body"): 4}
_strings_re = re.compile(r"(\"[^\"]*\"|'[^']*')|\|\s*(?:nl2br|escape|e)\b(?!\s*\()")


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client's mail has in common: a whole document with one {{ content }}. `version`: the approved one's."""

    body: str
    version: int = 0


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As written. An empty `text` is made from the HTML; `text` as kind means that there is no HTML at all."""

    kind: Literal["mjml", "html", "text"]
    body: str
    preheader: str = ""
    text: str = ""
    layout: Layout | None = None


class Built(msgspec.Struct, frozen=True):
    html: str | None
    text: str


class BuildError(Exception):
    """`problems` has at least one."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0].hint)
        self.problems = problems


def build(source: Source) -> Built:
    """The parts that are sent; raises BuildError. Whether the tags themselves are sound is for `lint` to say."""
    if source.kind == "text":
        return Built(None, source.body)
    text, _ = composed(source)
    try:
        html = _html(source.kind, text, source.preheader)
    except TemplateFault as fault:
        raise BuildError([problem_at(source, fault.code, fault.line, fault.hint)]) from None
    return Built(html, source.text or _text(html))


def matches(source: Source, html: str | None, text: str | None) -> bool:
    """Whether these parts are what the source makes; raises BuildError."""
    built = build(source)
    return (built.html, built.text) == (html, text)


def clipped(html: str) -> tuple[int, bool]:
    """Bytes of a rendered HTML part, and whether Gmail cuts it off."""
    size = len(html.encode())
    return size, size > GMAIL_SHOWS


def composed(source: Source) -> tuple[str, int]:
    """The whole document, and in which of its lines the body begins; raises BuildError."""
    for field, text in (("source", source.body), ("layout", source.layout.body if source.layout else "")):
        if len(text) > MAX_SOURCE:
            raise BuildError([Problem(field, "too_large", f"This is longer than {MAX_SOURCE} characters.")])
    if source.layout is None:
        return source.body, 1
    slots = list(_SLOT.finditer(source.layout.body))
    if len(slots) != 1:
        raise BuildError(
            [Problem("layout", "slot", "A layout has {{ content }} once, where each template's body goes.")]
        )
    if re.match(r"\s*(?:<!doctype|<html|<mjml)", source.body, re.IGNORECASE):
        hint = (
            "The client's layout goes round this: leave out <mjml> or <html>, and begin with what goes into the body."
        )
        raise BuildError([Problem("source", "layout", hint)])
    before, after = source.layout.body[: slots[0].start()], source.layout.body[slots[0].end() :]
    return before + source.body + after, 1 + before.count("\n")


def problem_at(source: Source, code: str, line: int, hint: str) -> Problem:
    """A fault of the whole document, in the line of the part that it was written in."""
    first = composed(source)[1]
    lines = source.body.count("\n")
    if source.layout is None or first <= line <= first + lines:
        return Problem("source", code, f"Line {line - first + 1}: {hint}")
    return Problem("layout", code, f"Line {line if line < first else line - lines} of the layout: {hint}")


def _html(kind: str, text: str, preheader: str) -> str:
    masked = Masked(text)
    line = _line(masked, preheader)
    if kind == "mjml":
        return _from_mjml(masked, line)
    _shallow(masked)
    inlining.check_sheets(masked.pieces)
    if not inlining.has_sheet(masked.pieces):
        return masked.raw(_with_line(masked.text, line))
    masked.hide(styled=True)
    inlining.check_tables(masked)
    return masked.restore(_with_line(inlining.inlined_sheets(masked.text), line))


def _from_mjml(masked: Masked, line: str) -> str:
    masked.pieces, rules = mjml.take_inline_styles([mjml.double_quoted(one) for one in masked.pieces])
    styled = bool(rules.strip())
    masked.hide(styled=styled)
    mjml.check(masked.pieces)
    if styled:
        inlining.check_tables(masked)
    html = mjml.compile_mjml(masked.text)
    return masked.restore(_with_line(inlining.inlined_rules(html, rules) if styled else html, line))


def _shallow(masked: Masked) -> None:
    depth = 0
    for one in masked.pieces:
        depth += {"start": 0 if one.closes_itself else 1, "end": -1}.get(one.kind, 0)
        if depth > MAX_DEPTH:
            raise TemplateFault("too_complex", one.line, f"Elements may be nested {MAX_DEPTH} deep at most.")


def _line(masked: Masked, preheader: str) -> str:
    """The line that lists of mails show beside the subject, as a mark; seen by nobody who reads on."""
    if not preheader.strip():
        return ""
    try:
        parts = list(scan(preheader.strip()))
    except TemplateFault as fault:
        raise BuildError([Problem("preheader", fault.code, fault.hint)]) from None
    line = "".join(escape(one.text, quote=False) if one.kind == "text" else one.text for one in parts)
    return masked.add(f'<div style="{_HIDE}">{line}{_PADDING}</div>')


def _with_line(html: str, line: str) -> str:
    """At the body's beginning, or where one would begin."""
    if not line:
        return html
    best, at, end = 0, 0, 0
    for piece in pieces(html):
        end += len(piece.text)
        rank = _BEGINNINGS.get((piece.kind, piece.name), 0)
        if rank > best:
            best, at = rank, end
    return html[:at] + line + html[at:]


def _text(html: str) -> str:
    """The text of a template's HTML, as a template."""
    masked = Masked(html)
    masked.hide(styled=False)
    text = plain_template(masked.text, masked.word_of, masked.raw)
    text = re.sub(rf"\{{(?=[{{%#]|(?:<!--)?{masked.prefix})", '{{ "{" }}', text)
    return masked.raw(text, _unescaped)


def _unescaped(tag: str) -> str:
    """A tag of HTML in text, where nothing is escaped and lines break by themselves."""
    return _strings_re.sub(lambda found: found[0] if found[1] else "", tag)
