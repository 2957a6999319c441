"""Inbound: how much a stranger may ask of the server, and what all of them together may take."""

from collections import Counter
from dataclasses import dataclass, field

OCTETS = 67_108_864  # of letters in memory at once, over all connections
RECIPIENTS = 100  # a letter; RFC 5321 4.5.3.1.8 asks for no fewer
REFUSED = 20  # recipients that are not ours, in one connection: then it is somebody who tries names
COMMANDS = {"*": 20, "MAIL": 100, "RCPT": 500, "DATA": 100, "RSET": 100}  # of each kind in one connection


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds (RFC 5321 4.5.3.2). size: a letter's octets; line: one line's, and a command's on its way in."""

    connections: int = 100
    per_peer: int = 20
    size: int = 10_485_760
    line: int = 65_536
    command: float = 300.0
    block: float = 180.0  # without one octet of a letter
    letter: float = 600.0  # for all of a letter
    session: float = 3_600.0
    grace: float = 15.0  # at the end, for what is being carried out


@dataclass(slots=True)
class Room:
    """What is taken of it. Not for threads."""

    limits: Limits
    peers: Counter[str] = field(default_factory=Counter)
    octets: int = 0

    def enter(self, peer: str) -> bool:
        """Whether one more connection of this peer has room."""
        if self.peers.total() >= self.limits.connections or self.peers[peer] >= self.limits.per_peer:
            return False
        self.peers[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        self.peers[peer] -= 1
        self.peers += Counter()  # forgets who is not here

    def hold(self, octets: int) -> bool:
        if self.octets + octets > OCTETS:
            return False
        self.octets += octets
        return True

    def give_back(self, octets: int) -> None:
        self.octets -= octets
