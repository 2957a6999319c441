"""Feedback: XML that is none any more, read as what it must have been: lost end tags, stray brackets, a lost end.

Told to the same listener as expat's. Linear in time: every pattern stops at the next bracket.
"""

import re
from collections.abc import Iterator
from typing import Protocol
from xml.sax.saxutils import unescape

_tag_re = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z_][\w.:-]{0,60})(?P<rest>[^<>]{0,2000})>")
_attribute_re = re.compile(r"""([\w.:-]{1,60})\s{0,9}=\s{0,9}["']([^"'<>]{0,200})["']""")
_APART = ("record", "report_metadata", "policy_published")  # never in each other: one that begins ends another
_QUOTES = {"&quot;": '"', "&apos;": "'"}


class Listener(Protocol):
    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def characters(self, text: str) -> None: ...

    def end(self, tag: str) -> None: ...


def tell(text: str, listener: Listener) -> None:
    """Every element that begins, what stands in it, and its end where it has one or must have."""
    open_: list[str] = []
    at = 0
    for found in _tag_re.finditer(text):
        _say(text[at : found.start()], listener)
        at = found.end()
        name, rest = found["name"], found["rest"]
        if found["end"]:
            _end(name, open_, listener)
        else:
            if name in _APART:
                for each in _APART:
                    _end(each, open_, listener)
            listener.start(name, dict(_attributes(rest)))
            open_.append(name)
            if rest.endswith("/"):
                _end(name, open_, listener)
    while open_:
        listener.end(open_.pop())


def _say(text: str, listener: Listener) -> None:
    if text:
        listener.characters(unescape(text, _QUOTES))


def _end(name: str, open_: list[str], listener: Listener) -> None:
    """Ends what is open in it, and it; an end of what is not open is nothing."""
    if name not in open_:
        return
    while True:
        last = open_.pop()
        listener.end(last)
        if last == name:
            return


def _attributes(rest: str) -> Iterator[tuple[str, str]]:
    return ((found[1], found[2]) for found in _attribute_re.finditer(rest))
