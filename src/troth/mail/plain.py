"""Delivery, composing: the plain text of an HTML body, for a message that has none of its own."""

import re
from html.parser import HTMLParser

_SKIPPED = frozenset({"head", "style", "script", "title", "template"})
_BREAKS = frozenset({"br", "tr", "div", "li", "ul", "ol", "section", "header", "footer"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr", "table"})
_blank_re = re.compile(r"[ \t\r\n]+")
_runs_re = re.compile(r" {2,}")
_space_re = re.compile(r" *\n *")
_lines_re = re.compile(r"\n{3,}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipped = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        elif tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _BREAKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        elif tag == "img":
            self.parts.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)
        elif tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag == "a" and self._links:
            self._link(self._links.pop())

    def _link(self, target: str) -> None:
        """The address behind a link, unless the text just said it."""
        if target.startswith(("http://", "https://", "mailto:")) and (not self.parts or self.parts[-1] != target):
            self.parts.append(f" <{target}>")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(_blank_re.sub(" ", data))


def plain_text(html: str) -> str:
    """Readable text: paragraphs apart, list items with a dash, links with their address."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = _runs_re.sub(" ", "".join(reader.parts).replace("\xa0", " "))
    text = _space_re.sub("\n", text)
    return _lines_re.sub("\n\n", text).strip() + "\n"
