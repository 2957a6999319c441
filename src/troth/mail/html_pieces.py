"""Before the river: HTML or MJML cut into tags, comments and text, each with its line; nothing is lost or moved.

The source has no template tags any more: `masking` has put marks in their place, which hold none of < > " '.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.mail.template_scan import TemplateFault

RAW = frozenset({"style", "script", "mj-style"})  # the same for every reader: no tag may stand inside
SHOWN = frozenset({"title", "textarea", "mj-title", "mj-preview"})  # text in which a comment is no comment
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)

_open_re = re.compile(r"<(?:!--|!|\?|/?[A-Za-z])")
_tag_re = re.compile(r"</?([A-Za-z][^\s/>\"'<=]*)((?:[^\"'<>]|\"[^\"]*\"|'[^']*')*)>")
attribute_re = re.compile(r"([^\s\"'<>/=]+)(?:(\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?")


@dataclass(frozen=True, slots=True)
class Piece:
    """kind: text, raw (inside an element of RAW or SHOWN), comment, other (doctype), start, end; `rest`: attributes."""

    kind: str
    text: str
    line: int
    name: str = ""
    rest: str = ""

    @property
    def closes_itself(self) -> bool:
        return self.name in VOID or self.rest.rstrip().endswith("/")


def pieces(source: str, first: int = 1) -> Iterator[Piece]:
    """In their order; raises TemplateFault for a tag or comment that is not closed."""
    at, line = 0, first
    while found := _open_re.search(source, at):
        if found.start() > at:
            yield Piece("text", source[at : found.start()], line)
            line += source.count("\n", at, found.start())
        piece = _markup(source, found, line)
        yield piece
        at = found.start() + len(piece.text)
        line += piece.text.count("\n")
        if piece.kind == "start" and piece.name in RAW | SHOWN and not piece.rest.rstrip().endswith("/"):
            inside = _inside(source, at, piece)
            if inside:
                yield Piece("raw", inside, line, piece.name)
            at, line = at + len(inside), line + inside.count("\n")
    if at < len(source):
        yield Piece("text", source[at:], line)


def _markup(source: str, found: re.Match[str], line: int) -> Piece:
    start = found.start()
    if found[0] == "<!--":
        # <!--> and <!---> are whole comments
        end = source.find("-->", start + 2)
        if end < 0:
            raise TemplateFault("syntax", line, "A comment <!-- is not closed with -->.")
        return Piece("comment", source[start : end + 3], line)
    if found[0] in ("<!", "<?"):
        end = source.find(">", start)
        if end < 0:
            raise TemplateFault("syntax", line, f"A {found[0]} is not closed with >.")
        return Piece("other", source[start : end + 1], line)
    tag = _tag_re.match(source, start)
    if tag is None:
        name = re.match(r"</?[A-Za-z0-9-]*", source[start : start + 40])
        raise TemplateFault(
            "syntax", line, f"The tag {name[0] if name else '<'} is not closed with >, or a quote in it is open."
        )
    kind = "end" if source[start + 1] == "/" else "start"
    return Piece(kind, tag[0], line, tag[1].lower(), tag[2])


def _inside(source: str, at: int, piece: Piece) -> str:
    end = re.compile(rf"</{re.escape(piece.name)}(?=[\s/>])", re.IGNORECASE).search(source, at)
    if end is None:
        raise TemplateFault("syntax", piece.line, f"<{piece.name}> is not closed with </{piece.name}>.")
    return source[at : end.start()]
