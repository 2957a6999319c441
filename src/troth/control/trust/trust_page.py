"""Claims: a programme's public page, read as it comes over the network: its sections, its promises with their states
and sentences, and whatever on it is no plain page. Pure; control/centre writes the page and is not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from troth.control.trust.catalogue import CHAPTERS
from troth.control.trust.found import State

SECTIONS = ("overview", "pillars", *CHAPTERS)
# how a state is told: the sign, the colour's name, and the words that come first
SIGNS: Mapping[State, tuple[str, str, tuple[str, ...]]] = {
    State.HOLDS: ("#g-kept", "kept", ("Holds.",)),
    State.FAILS: ("#g-broken", "broken", ("Does not hold since", "Withdrawn since")),
    State.STALE: ("#g-clock", "waiting", ("Not known to hold:",)),
    State.NO_DATA: ("#g-none", "none", ("No data yet.",)),
    State.NO_CONTROL: ("#g-unsure", "none", ("No check yet.",)),
}
_ACTIVE = {"script", "iframe", "frame", "object", "embed", "applet", "base", "form", "input", "style", "audio", "video"}
_SEEN = {"main", "section", "article", "div", "p", "span", "b", "s"}
_LOADS = {"src", "srcset", "data", "action", "formaction", "poster", "background", "style", "ping"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(slots=True)
class Promise:
    """One promise as the page has it: `says` is its first paragraph, `lead` what is strong in its second. `struck`:
    what is crossed out of `says`, which has it, too.
    """

    id: str
    tone: str
    chapter: str
    sign: str = ""
    says: str = ""
    struck: str = ""
    lead: str = ""
    paragraphs: int = 0

    def told(self) -> State | None:
        """The state that all three signs tell; None where they tell no single one."""
        found = [state for state, (sign, tone, leads) in SIGNS.items()
                 if (sign, tone) == (self.sign, self.tone) and plain(self.lead).startswith(leads)]  # fmt: skip
        return found[0] if len(found) == 1 else None


@dataclass(slots=True)
class Read:
    """`sections`: their ids in order, each of those that have a heading; `active`: what a plain page does not have."""

    sections: list[str] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    title: str = ""
    active: list[str] = field(default_factory=list)


def read(html: str) -> Read:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.made


def plain(text: str) -> str:
    """Words, each one blank apart."""
    return " ".join(text.split())


class _Reader(HTMLParser):
    """Where we are is the list of open elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made = Read()
        self.open: list[str] = []
        self.section = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._watch(tag, given)
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = given.get("id", "")
        elif tag in ("h1", "h2") and self.section and self.section not in self.made.sections[-1:]:
            self.made.sections.append(self.section)
        elif tag == "article":
            self.made.promises.append(Promise(given.get("id", ""), given.get("data-tone", ""), self.section))
        elif "article" in self.open:
            self._inside(tag, given, self.made.promises[-1])

    def _inside(self, tag: str, given: Mapping[str, str], promise: Promise) -> None:
        if tag == "use" and not promise.sign:
            promise.sign = given.get("href", "")
        elif tag == "p":
            promise.paragraphs += 1

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if "h1" in self.open:
            self.made.title += data
        if "article" not in self.open or "p" not in self.open:
            return
        promise = self.made.promises[-1]
        if promise.paragraphs == 1:
            promise.says += data
            promise.struck += data if "s" in self.open else ""
        elif promise.paragraphs == 2 and "b" in self.open:
            promise.lead += data

    def _watch(self, tag: str, given: Mapping[str, str]) -> None:
        if tag in _ACTIVE:
            self.made.active.append(f"<{tag}>")
        if "hidden" in given and tag in _SEEN:
            self.made.active.append(f"a <{tag}> that nobody sees")
        for name, value in given.items():
            elsewhere = name in _LOADS or (tag in ("link", "use") and name == "href")
            strange = elsewhere and not value.startswith(("/", "#"))
            if name.startswith("on") or strange or value.startswith("//"):
                self.made.active.append(f"{name} of <{tag}>")
            if value.strip().lower().startswith(("javascript:", "data:")) or name == "http-equiv":
                self.made.active.append(f"{name} of <{tag}>")
