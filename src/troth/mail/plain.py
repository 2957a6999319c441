"""Delivery, composing: the plain text of an HTML body: for a message that has none of its own, and for a template.

In a template's HTML the statements are comments (`masking`); they stay where the reader meets them, and each branch
ends its own lines, so that no choice of branches runs two lines together.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser

from troth.mail.html_pieces import VOID

_SKIPPED = frozenset({"head", "style", "script", "title", "template"})
_LINES = frozenset(["tr", "div", "li", "ul", "ol", "dl", "dt", "dd", "section", "header", "footer", "article", "main"])
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr", "table", "pre"])
_ADDRESSES = ("http://", "https://", "mailto:", "tel:")
_TOP = 9  # breaks that a text's beginning has already
_blank_re = re.compile(r"[ \t\r\n\f\xa0]+")
_space_re = re.compile(r" *\n *")
_hidden_re = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)


def plain_text(html: str) -> str:
    """Readable text: paragraphs apart, list items with a dash, links with their address, hidden parts left out."""
    return plain_template(html, lambda _comment: "", lambda text: text)


def plain_template(html: str, statement: Callable[[str], str], raw: Callable[[str], str]) -> str:
    """The same with marks kept. `statement`: the first word of what a comment stands for; `raw`: text without marks."""
    reader = _Reader(statement, raw)
    reader.feed(html)
    reader.close()
    return _space_re.sub("\n", "".join(reader.writer.out)).strip() + "\n"


@dataclass(slots=True)
class _Block:
    """An open if or for. `levels`: the breaks with which each branch ends; `first`: those before a loop's text."""

    loop: bool
    level: int
    levels: list[int]
    other: bool = False
    started: bool = False
    first: int = 0


class _Writer:
    """Text and statements in their order. Breaks are asked for and written before what comes next; `level` is how many
    there are already, on every way that leads here.
    """

    def __init__(self) -> None:
        self.out: list[str] = []
        self._gap = 0
        self._level = _TOP
        self._blocks: list[_Block] = []

    def gap(self, breaks: int) -> None:
        self._gap = max(self._gap, breaks)

    def line(self) -> None:
        """<br>: each one counts, two make a paragraph."""
        self._gap = min(2, self._gap + 1)

    def text(self, text: str) -> None:
        if self._gap or self._level or (self.out and self.out[-1].endswith(" ")):
            text = text.lstrip(" ")
        if text:
            self._break()
            self.out.append(text)
            self._level = 0

    def statement(self, word: str, tag: str) -> None:
        if word in ("if", "for"):
            self._break()
            self._blocks.append(_Block(word == "for", self._level, []))
        elif self._blocks:
            self._branch(self._blocks[-1], word)
        self.out.append(tag)

    def _branch(self, block: _Block, word: str) -> None:
        if block.loop and not block.other:
            self.gap(block.first)
        self._break()
        block.levels.append(self._level)
        self._level = block.level
        block.other = block.other or word == "else"
        if word.startswith("end"):
            self._blocks.pop()
            self._level = min(block.levels if block.other else [*block.levels, block.level])

    def _break(self) -> None:
        for block in self._blocks:
            if block.loop and not block.started:
                block.started, block.first = True, self._gap
        if self._gap > self._level:
            self.out.append("\n" * (self._gap - self._level))
            self._level = self._gap
        self._gap = 0


class _Reader(HTMLParser):
    def __init__(self, statement: Callable[[str], str], raw: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self.writer = _Writer()
        self._statement = statement
        self._raw = raw
        self._skipped: list[str] = []  # the open elements of a part that nobody sees
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._skipped or tag in _SKIPPED or "hidden" in given or _hidden_re.search(given.get("style") or ""):
            if tag not in VOID:
                self._skipped.append(tag)
            return
        self._breaks(tag)
        if tag == "li":
            self.writer.text("- ")
        elif tag in ("td", "th"):
            self.writer.text(" ")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self.writer.out)))
        elif tag == "img":
            self.writer.text(_blank_re.sub(" ", given.get("alt") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._skipped:
            while self._skipped.pop() != tag:
                pass
        elif not self._skipped and tag == "a" and self._links:
            self._link(*self._links.pop())
        elif not self._skipped and tag != "br":
            self._breaks(tag)

    def _breaks(self, tag: str) -> None:
        if tag == "br":
            self.writer.line()
        elif tag in _PARAGRAPHS:
            self.writer.gap(2)
        elif tag in _LINES:
            self.writer.gap(1)

    def _link(self, target: str, begun: int) -> None:
        """The address behind a link, unless the text just said it."""
        said = self._raw("".join(self.writer.out[begun:])).strip()
        written = self._raw(target)
        shown = target.removeprefix("mailto:").removeprefix("tel:")
        if (target.startswith(_ADDRESSES) or written != target) and said not in (written, self._raw(shown)):
            self.writer.text(f" <{shown}>")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.writer.text(_blank_re.sub(" ", data))

    def handle_comment(self, data: str) -> None:
        if not self._skipped and (word := self._statement(data)):
            self.writer.statement(word, f"<!--{data}-->")
