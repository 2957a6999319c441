"""Feedback: XML of a stranger as small trees, one section after the other, without ever holding all of it.

A DOCTYPE ends it, so that there are no entities but XML's own five (RFC 7489 appendix C and RFC 9990 appendix A have
none). Text that is no XML 1.0 raises NotWellFormed; depth, texts and children are bounded.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from troth.mail.dmarc_soup import tell

_DEEP, _LONG, _MANY = 16, 1_000, 200  # levels; characters of a text; children of an element
_CHUNK = 65_536
_NAMES, _NAME = 4, 200  # attributes of an element that are kept; characters of a value
_declared_re = re.compile(rb"""^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_head_re = re.compile(r"^\s*<\?xml[^>]{0,1000}>")
_schema_re = re.compile(r"</?xs:schema[^<>]*>")
_illegal_re = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ampersand_re = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_LATIN = ("iso-8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15", "us-ascii")


class NotWellFormed(Exception):  # noqa: N818  # a finding about somebody's text, no error of ours
    """`word`: doctype, deep or xml; `str()`: a sentence."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


@dataclass(slots=True)
class Node:
    """name: without its prefix; text: its own, cut to 1,000 characters."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def first(self, *path: str) -> "Node | None":
        node: Node | None = self
        for name in path:
            node = next((each for each in node.children if each.name == name), None) if node else None
        return node

    def all(self, name: str) -> Iterator["Node"]:
        return (each for each in self.children if each.name == name)

    def value(self, *path: str) -> str:
        """The text down there without space around it; empty when there is none."""
        node = self.first(*path)
        return node.text.strip() if node else ""


def text_of(octets: bytes) -> str:
    """XML as text, whatever its octets are: undecodable ones become U+FFFD; its declaration and xs:schema
    are off. An ampersand that begins none of XML's own entities is one.
    """
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = octets.decode("utf-16", errors="replace")
    else:
        found = _declared_re.match(octets[:1_000])
        named = found[1].decode().lower() if found else ""
        text = octets.decode("windows-1252" if named in _LATIN else "utf-8-sig", errors="replace")
    text = _schema_re.sub("", _head_re.sub("", text.lstrip("\ufeff"), count=1))
    return _ampersand_re.sub("&amp;", _illegal_re.sub("\ufffd", text)).strip()


def sections(text: str, root: str, within: Iterable[str], take: Callable[[Node], None]) -> None:
    """Call `take` for the element `root` without its children, then for each of its children named in `within`."""
    reading = _Reading(root, frozenset(within), take)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.characters
    parser.StartDoctypeDeclHandler = _doctype
    try:
        for at in range(0, len(text), _CHUNK):
            parser.Parse(text[at : at + _CHUNK].encode("utf-8"), False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        if reading.whole:
            return  # what comes after the report is none of it
        raise NotWellFormed("xml", "It is not well-formed XML.") from None


def mended(text: str, root: str, within: Iterable[str], take: Callable[[Node], None]) -> None:
    """As sections, of what is not well-formed, read as what it must have been; no DOCTYPE here either."""
    if "<!doctype" in text.lower():
        _doctype()
    tell(text, _Reading(root, frozenset(within), take))


def _doctype(*given: Any) -> None:
    del given
    raise NotWellFormed("doctype", "It declares a DOCTYPE, which no report has: entities are made so.")


class _Reading:
    """Where expat stands: the elements that are open, and the section that is being built."""

    def __init__(self, root: str, within: frozenset[str], take: Callable[[Node], None]) -> None:
        self._root, self._within, self._take = root, within, take
        self._depth = self._base = 0  # base: the depth of the root's children, once it was met
        self.whole = False  # the root was closed
        self._open: list[Node | None] = []  # None: what nobody wants

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEP:
            raise NotWellFormed("deep", f"Its elements are over {_DEEP} levels deep.")
        name = tag.rpartition(":")[2]
        if self._base and self._depth >= self._base:
            self._open.append(self._wanted(name, attributes))
        elif not self._base and name.lower() == self._root:
            self._base = self._depth + 1
            self._take(Node(self._root, _few(attributes)))

    def _wanted(self, name: str, attributes: dict[str, str]) -> Node | None:
        if not self._open:
            return Node(name, _few(attributes)) if name in self._within else None
        parent = self._open[-1]
        if parent is None or len(parent.children) >= _MANY:
            return None
        node = Node(name, _few(attributes))
        parent.children.append(node)
        return node

    def characters(self, text: str) -> None:
        node = self._open[-1] if self._open else None
        if node is not None and len(node.text) < _LONG:
            node.text = (node.text + text)[:_LONG]

    def end(self, tag: str) -> None:
        del tag
        self._depth -= 1
        self.whole = self.whole or self._depth == self._base - 2
        if self._open:
            node = self._open.pop()
            if not self._open and node is not None:
                self._take(node)


def _few(attributes: dict[str, str]) -> dict[str, str]:
    return {name[:_NAME]: value[:_NAME] for name, value in list(attributes.items())[:_NAMES]}
