"""Before the river: where in the HTML a template puts a value; escaping protects text and quoted attributes only.

An outline of the HTML tokeniser (WHATWG 13.2.5), fed from top to bottom as though every branch were taken. So that no
choice of branches reads otherwise, a block begins and ends in one place, and no tag or name is made in pieces.
"""

import re
from dataclasses import dataclass, replace

_tag_re = re.compile(r"<(!--|/?[A-Za-z][A-Za-z0-9:-]*)")
_begun_re = re.compile(r"<(?:/|!-?)?\Z")  # what follows may make a tag or a comment of it
_name_re = re.compile(r"[A-Za-z0-9:-]")
_attribute_re = re.compile(r"([^\s\"'<>/=]+)\s*=\s*\Z")
_stop_re = re.compile("[\"'>]")
_comment_re = re.compile("--!?>")
_RAW = frozenset(
    ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"]
)
_SHOWN = frozenset({"!--", "title", "textarea"})  # of these, those in which escaped text stays text
_ADDRESSES = frozenset(
    ["href", "src", "action", "formaction", "background", "poster", "cite", "data", "ping", "xlink:href"]
)
_STARTS = ("https:", "http:", "mailto:", "tel:", "sms:", "cid:", "#", "?", "/")
_SEAM = "\0"  # in `before`: a branch ended in the middle of a name


@dataclass(frozen=True, slots=True)
class _State:
    tag: str = ""  # the tag whose attributes we are in, in lower case
    quote: str = ""
    raw: str = ""  # a comment or an element of raw text, whose end is all that counts
    attribute: str = ""
    before: str = ""  # the tag's text since its name or last quote
    written: str = ""  # the attribute's text so far, as every branch has it
    rest: str = ""  # text that cannot be understood without what follows

    @property
    def place(self) -> tuple[str, str, str, str]:
        return (self.tag, self.quote, self.raw, self.attribute)

    @property
    def ragged(self) -> bool:
        return bool(self.tag and not self.quote and self.before and not self.before[-1].isspace())


class Places:
    """Fed a template's text, values and blocks in their order, it knows where it stands."""

    def __init__(self) -> None:
        self._now = _State()
        self._fresh = False  # nothing has come since the tag's name
        self._open: list[tuple[_State, bool]] = []  # where each block began; whether a branch ended within a name

    def text(self, text: str) -> str | None:
        """Why this text may not follow what came before it, or None."""
        if text and self._fresh and _name_re.match(text):
            return "Write a tag's name in one piece."
        self._fresh = False
        text, self._now = self._now.rest + text, replace(self._now, rest="")
        at = 0
        while at < len(text):
            step = self._outside
            if self._now.raw:
                step = self._in_raw
            elif self._now.quote:
                step = self._in_quote
            elif self._now.tag:
                step = self._in_tag
            at = step(text, at)
        return None

    def value(self, kind: str) -> str | None:
        """Why a value of this kind may not stand here, or None."""
        now = self._now
        if now.raw and now.raw not in _SHOWN:
            return f"A value may not stand inside <{now.raw}>; escaping does not protect it there."
        if now.tag and not now.quote:
            return 'Put quotes round an attribute that holds a value, as in href="{{ link }}".'
        if now.quote:
            return self._in_attribute(kind)
        if now.rest and not now.raw:
            return "A value after < would become a tag; write &lt; for the sign itself."
        return None

    def begin(self) -> None:
        """A block begins."""
        self._open.append((self._now, False))

    def otherwise(self) -> str | None:
        """Another branch of it; why the one that ends here may not end here, or None."""
        start, ragged = self._open.pop()
        hint = self._uneven(start)
        self._open.append((start, ragged or self._torn(start)))
        self._now, self._fresh = start, False
        return hint

    def end(self) -> str | None:
        """The block ends; why not here, or None."""
        start, ragged = self._open.pop()
        hint = self._uneven(start)
        seam = _SEAM if ragged or self._torn(start) else ""
        self._now = replace(self._now, written=start.written, before=self._now.before + seam)
        return hint

    def _uneven(self, start: _State) -> str | None:
        now = self._now
        if now.place != start.place or now.rest != start.rest or (now.tag and now.before.rstrip().endswith("=")):
            return "if and for must hold whole tags or whole attributes, quotes included."
        return None

    def _torn(self, start: _State) -> bool:
        return (self._now.ragged or start.ragged) and self._now.before != start.before

    def _in_attribute(self, kind: str) -> str | None:
        name, written = self._now.attribute, self._now.written
        self._now = replace(self._now, written=written or " ")
        if not name or _SEAM in name:
            return "Write the name of an attribute that holds a value in one piece."
        if name.startswith("on") or name == "srcdoc":
            return f"A value may not stand inside {name}=; escaping does not protect it there."
        if name in _ADDRESSES and kind != "url" and not written.lstrip().lower().startswith(_STARTS):
            return f'What {name}= begins with must be a variable of the type "url", or an address written out.'
        return None

    def _outside(self, text: str, at: int) -> int:
        found = _tag_re.search(text, at)
        if not found:
            begun = _begun_re.search(text, at)
            self._now = replace(self._now, rest=begun[0] if begun else "")
            return len(text)
        if found[1] == "!--":
            self._now = _State(raw="!--")
            return found.start() + 2  # <!--> and <!---> are whole comments
        self._now, self._fresh = _State(tag=found[1].lower()), found.end() == len(text)
        return found.end()

    def _in_raw(self, text: str, at: int) -> int:
        raw = self._now.raw
        end = _comment_re if raw == "!--" else re.compile(rf"</{raw}(?=[\s/>])", re.IGNORECASE)
        found = end.search(text, at)
        if not found:
            kept = max(at, len(text) - len(raw) - 3)
            self._now = replace(self._now, rest=text[kept:])
            return len(text)
        self._now = _State()
        # The end tag of an element is a tag like any other.
        return found.end() if raw == "!--" else found.start()

    def _in_quote(self, text: str, at: int) -> int:
        end = text.find(self._now.quote, at)
        if end < 0:
            self._now = replace(self._now, written=self._now.written + text[at:])
            return len(text)
        self._now = _State(tag=self._now.tag)
        return end + 1

    def _in_tag(self, text: str, at: int) -> int:
        found = _stop_re.search(text, at)
        tag, before = self._now.tag, self._now.before + text[at : found.start() if found else None]
        if not found:
            self._now = replace(self._now, before=before)
            return len(text)
        if found[0] == ">":
            self._now = _State(raw=tag if tag in _RAW else "")
        else:
            name = _attribute_re.search(before[-200:])
            self._now = _State(tag, found[0], "", name[1].lower() if name else "")
        return found.end()
