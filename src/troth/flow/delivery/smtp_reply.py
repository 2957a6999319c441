"""Delivery's ear: octets become whole replies, or one reason why they cannot (RFC 5321 4.2).

Pure. The same octets give the same replies however they are split.
"""

import re
from typing import NamedTuple, Self

LINE_LIMIT = 2048  # octets with CRLF; RFC 5321 4.5.3.1.5 says 512, some relays write longer
LINES_LIMIT = 100  # lines of one reply
TEXT_LIMIT = 500  # characters of a reply that we keep
KNOWN_LIMIT = 64  # one-line replies remembered: a server says the same three lines for each message

# Reply-line = Reply-code [ "-" / SP ] [ textstring ] CRLF. Bare CR, bare LF, NUL and other controls are
# garbage; octets above 127 are tolerated (servers answer in their own language). The second digit is not
# checked: 571 is seen in the wild.
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([\t\x20-\x7e\x80-\xff]*))?\r\n").fullmatch
# enhanced-code = class "." subject "." detail, first in the text (RFC 2034); the class must be the reply's.
_ENHANCED = re.compile(r"([245])\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])").match


class Reply(NamedTuple):
    """One whole reply: its code, its texts without code and CRLF (unprintable octets escaped), and both as logged."""

    code: int
    lines: tuple[str, ...]
    written: str

    @classmethod
    def of(cls, code: int, lines: tuple[str, ...]) -> Self:
        return cls(code, lines, " / ".join([f"{code} {line}" for line in lines])[:TEXT_LIMIT])

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code, when its class agrees with the reply's (RFC 2034 section 4)."""
        found = _ENHANCED(self.lines[0])
        return found[0] if found and int(found[1]) == self.code // 100 else None

    @property
    def text(self) -> str:
        """The reply in one line, without its codes, at most TEXT_LIMIT characters."""
        code = self.enhanced or ""
        parts = [line.removeprefix(code).strip() for line in self.lines]
        return " ".join([part for part in parts if part])[:TEXT_LIMIT]


class ReplyReader:
    """Collects octets and hands out replies; after a fault it stays faulty, and what follows is not read."""

    __slots__ = ("_at", "_buffer", "_code", "_known", "_lines", "fault")

    def __init__(self) -> None:
        self._buffer, self._at = b"", 0
        self._code: int | None = None  # of the reply of several lines that is being read
        self._lines: list[str] = []
        self._known: dict[bytes, Reply] = {}
        self.fault: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing waits unread: no half line, no half reply, no further reply."""
        return self._at == len(self._buffer) and self._code is None

    def feed(self, data: bytes) -> None:
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0

    def next(self) -> Reply | None:
        """The next whole reply, or None: more octets are needed, or `fault` says why there will be none."""
        while self.fault is None:
            start, end = self._at, self._buffer.find(b"\n", self._at) + 1
            if (end or len(self._buffer)) - start > LINE_LIMIT:
                self.fault = f"A line of a reply has more than {LINE_LIMIT} octets."
            if not end or self.fault is not None:
                return None
            self._at = end
            line = self._buffer[start:end]
            reply = self._known.get(line) if self._code is None else None
            if reply is not None or (reply := self._read(line)) is not None:
                return reply
        return None

    def _read(self, octets: bytes) -> Reply | None:
        """Take one line; the reply, if this is its last."""
        line = _LINE(octets)
        if line is None:
            shown = octets[:80].decode("ascii", "backslashreplace")
            self.fault = f"This is not an SMTP reply: {shown!r}."
            return None
        code, text = int(line[1]), (line[3] or b"").decode("ascii", "backslashreplace")
        if self._code is None and line[2] != b"-":
            return self._remember(octets, Reply.of(code, (text,)))
        return self._several(code, text, last=line[2] != b"-")

    def _remember(self, octets: bytes, reply: Reply) -> Reply:
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        self._known[octets] = reply
        return reply

    def _several(self, code: int, text: str, *, last: bool) -> Reply | None:
        if self._code not in {None, code}:
            self.fault = f"A reply of several lines changes its code from {self._code} to {code}."
            return None
        self._code = code
        self._lines.append(text)
        if len(self._lines) > LINES_LIMIT:
            self.fault = f"A reply has more than {LINES_LIMIT} lines."
            return None
        if not last:
            return None
        lines, self._lines, self._code = tuple(self._lines), [], None
        return Reply.of(code, lines)
