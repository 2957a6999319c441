"""Before the river: where in the HTML a template puts a value; escaping protects text and quoted attributes only."""

import re

_tag_re = re.compile(r"<(!--|/?[A-Za-z][A-Za-z0-9:-]*)")
_attribute_re = re.compile(r"([^\s\"'<>/=]+)\s*=\s*\Z")
_stop_re = re.compile("[\"'>]")
_RAW = {"script": re.compile(r"</script", re.IGNORECASE), "!--": re.compile("--!?>")}


class Places:
    """Fed a template's text from top to bottom, it knows where it stands: an outline of the HTML tokeniser."""

    def __init__(self) -> None:
        self._tag = ""  # the tag whose attributes we are in, in lower case
        self._quote = ""
        self._raw = ""  # script or !--, whose end is all that counts
        self._before = ""  # the tag's text since its name or last quote
        self._attribute = ""

    def text(self, text: str) -> None:
        at = 0
        while at < len(text):
            if self._raw:
                at = self._in_raw(text, at)
            elif self._quote:
                at = self._in_quote(text, at)
            elif self._tag:
                at = self._in_tag(text, at)
            else:
                at = self._outside(text, at)

    def value(self) -> str | None:
        """Why a value may not stand here, or None."""
        if self._raw == "script":
            return "A value may not stand inside <script>; escaping does not protect it there."
        if self._quote and self._attribute.startswith("on"):
            return f"A value may not stand inside {self._attribute}=; escaping does not protect it there."
        if self._tag and not self._quote:
            return 'Put quotes round an attribute that holds a value, as in href="{{ link }}".'
        return None

    def _outside(self, text: str, at: int) -> int:
        found = _tag_re.search(text, at)
        if not found:
            return len(text)
        if found[1] == "!--":
            self._raw = "!--"
        else:
            self._tag, self._before = found[1].lower(), ""
        return found.end()

    def _in_raw(self, text: str, at: int) -> int:
        found = _RAW[self._raw].search(text, at)
        if not found:
            return len(text)
        self._raw = ""
        # The end tag of a script is a tag like any other.
        return found.start() if text[found.start() + 1] == "/" else found.end()

    def _in_quote(self, text: str, at: int) -> int:
        end = text.find(self._quote, at)
        if end < 0:
            return len(text)
        self._quote = self._before = self._attribute = ""
        return end + 1

    def _in_tag(self, text: str, at: int) -> int:
        found = _stop_re.search(text, at)
        if not found:
            self._before += text[at:]
            return len(text)
        self._before += text[at : found.start()]
        if found[0] == ">":
            self._raw = "script" if self._tag == "script" else ""
            self._tag = self._before = ""
        else:
            name = _attribute_re.search(self._before[-200:])
            self._attribute = name[1].lower() if name else ""
            self._quote = found[0]
        return found.end()
