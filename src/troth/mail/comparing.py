"""Before the river: do two HTML documents say the same to their reader? Where not, what the first difference is.

Comments, the head, blanks between words and the order of attributes are no difference.
"""

from html.parser import HTMLParser
from itertools import zip_longest

from troth.mail.html_pieces import VOID

type _Event = tuple[str, ...]


def difference(one: str, other: str) -> str | None:
    """The text just before the first difference (empty: at the very beginning), or None."""
    said = ""
    for a, b in zip_longest(_events(one), _events(other)):
        if a != b:
            return said[-60:].strip()
        if a and a[0] == "text":
            said += " " + a[1]
    return None


def _events(html: str) -> list[_Event]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    return reader.events


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.events: list[_Event] = []
        self._text = ""
        self._head = False

    def flush(self) -> None:
        words = " ".join(self._text.split())
        self._text = ""
        if words:
            self.events.append(("text", words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._head = self._head or tag == "head"
        if self._head or tag in ("html", "body"):
            return
        self.flush()
        self.events.append(("start", tag, *sorted(f"{name}={_value(name, value)}" for name, value in attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "head":
            self._head = False
        elif not self._head and tag not in ("html", "body") and tag not in VOID:
            self.flush()
            self.events.append(("end", tag))

    def handle_data(self, data: str) -> None:
        if not self._head:
            self._text += data


def _value(name: str, value: str | None) -> str:
    """A style as the declarations that win, anything else with single blanks."""
    text = " ".join((value or "").split())
    return ";".join(sorted(f"{name}:{said}" for name, said in _winning(text).items())) if name == "style" else text


def _winning(style: str) -> dict[str, str]:
    """The last of a property's declarations, or the last that is important (CSS Cascade 6.4)."""
    found: dict[str, str] = {}
    for part in style.replace('"', "'").split(";"):
        name, _, said = part.partition(":")
        said = said.strip().replace(" !", "!")
        if name.strip() and (said.endswith("!important") or not found.get(name.strip(), "").endswith("!important")):
            found[name.strip()] = said
    return found
