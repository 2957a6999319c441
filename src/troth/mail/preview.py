"""Beside the river: a mail's HTML as a page of its own that can do nothing: no script, nothing fetched, no origin.

The policy permits no inline style, so what a mail says inline moves into one sheet whose hash the policy names: each
`style` attribute becomes a rule, and the mail's own sheets go into a layer below them, so that they outrank them.
"""

import base64
import hashlib
import re
from html import escape
from html.parser import HTMLParser

_LEFT_OUT = frozenset({"script", "iframe", "object", "embed", "base", "form", "link"})
_MARK = "data-troth-style"
_dark_re = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
# as readers do that turn light mail dark: every colour but those of pictures
_DARK = "html{color-scheme:dark;background:#1b1d1f}"
_TURNED = "html{background:#fff;filter:invert(1) hue-rotate(180deg)}img{filter:invert(1) hue-rotate(180deg)}"


def shown(html: str, *, dark: bool = False) -> tuple[str, str]:
    """The document, and the Content-Security-Policy under which it is served. `dark`: as a reader with dark colours
    shows it: by the mail's own rules for that, or, where it has none, with all colours turned round.
    """
    page = _Page()
    page.feed(html)
    page.close()
    sheets, rules = "".join(page.sheets), "".join(page.rules)
    if dark:
        sheets, own = _dark_re.subn("(min-width:0)", sheets)
        rules += _DARK if own else _TURNED
    sheet = f"@layer mail{{{sheets}}}{rules}"
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox"
    )
    return f"<!DOCTYPE html><style>{sheet}</style>{''.join(page.parts)}", policy


class _Page(HTMLParser):
    """The document again, tag by tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self.rules: list[str] = []
        self.sheets: list[str] = []
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"style", "script"}:
            self._in = tag
        elif tag not in _LEFT_OUT:
            self.parts.append(f"<{tag}{''.join(self._attribute(*each) for each in attrs)}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = None
        elif tag not in _LEFT_OUT and tag != "style":
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._in is None:
            self.parts.append(data)
        elif self._in == "style":  # an end tag in here would end our own sheet
            self.sheets.append(data.replace("</", "<\\/"))

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def _attribute(self, name: str, value: str | None) -> str:
        if name == "style" and value:
            self.rules.append(f'[{_MARK}="{len(self.rules)}"]{{{_contained(value)}}}')
            return f' {_MARK}="{len(self.rules) - 1}"'
        if name.startswith("on") or name == _MARK:
            return ""
        return f" {name}" if value is None else f' {name}="{escape(value)}"'


def _contained(value: str) -> str:
    """Declarations that cannot leave their rule."""
    return value.replace("{", "").replace("}", "").replace("</", "<\\/")
