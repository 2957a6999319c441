"""Inbound: a letter as it comes in after DATA, line by line; pure. Only CRLF "." CRLF ends one (RFC 5321 4.1.1.4).

A bare CR or LF is refused and the connection ended: a server that takes one for a line's end, and one that does not,
read two different letters (SMTP smuggling).
"""

from dataclasses import dataclass, field

from troth.flow.inbound.limits import Limits, Room

END = b".\r\n"
TOO_LARGE = "552 5.3.4 The letter is larger than is taken here"
TOO_LONG = "554 5.6.0 A line of the letter is longer than is taken here"
BARE = "554 5.6.0 A CR or LF that stands alone is not taken (RFC 5321 2.3.8)"
BUSY = "452 4.3.1 There is no room for a letter just now; come again"
_FLOOD = 2  # times the size that is taken: whoever sends more does not listen


@dataclass(slots=True)
class Gathering:
    """`refusal`: the answer that it will have, once one is certain; then nothing more is kept of it."""

    limits: Limits
    room: Room
    lines: list[bytes] = field(default_factory=list)
    came: int = 0
    held: int = 0
    refusal: str = ""
    _middle: bool = False  # of a line that came in pieces

    def piece(self, octets: bytes) -> None:
        """The beginning of a line that is too long."""
        self._middle = True
        self._count(octets)
        self.refuse(TOO_LONG)

    def line(self, octets: bytes) -> bool:
        """A line, or the last piece of one, CRLF included; whether it ends the letter."""
        middle, self._middle = self._middle, False
        if octets == END and not middle:
            return True
        self._count(octets)
        if not self.refusal:
            self._keep(octets)
        return False

    @property
    def flood(self) -> bool:
        """Nothing that still comes is read."""
        return self.came > _FLOOD * self.limits.size

    @property
    def last(self) -> bool:
        """Whether the connection ends with it: what would follow is not to be trusted as commands."""
        return self.refusal == BARE or self.flood

    def octets(self) -> bytes:
        return b"".join(self.lines)

    def refuse(self, answer: str) -> None:
        self.refusal = self.refusal or answer
        self.lines.clear()
        self.done()

    def done(self) -> None:
        """Gives back the room that it took."""
        self.room.give_back(self.held)
        self.held = 0

    def _count(self, octets: bytes) -> None:
        self.came += len(octets)
        if self.came > self.limits.size:
            self.refuse(TOO_LARGE)

    def _keep(self, octets: bytes) -> None:
        inside = octets[:-2]
        if b"\r" in inside or b"\n" in inside:
            self.refuse(BARE)
        elif not self.room.hold(len(octets)):
            self.refuse(BUSY)
        else:
            self.held += len(octets)
            self.lines.append(octets[1:] if octets.startswith(b".") else octets)
