"""Delivery's unit: one claimed message on its way through the worker, and the words for what stops it."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from troth.flow.delivery.smtp_types import Answer, Envelope
from troth.keys.keyring import PersonKey
from troth.rules import quiet
from troth.rules.mark import MarkVerdict
from troth.rules.states import Kind, State
from troth.store.spool import Claimed, Loaded

HEADER_KEPT = 16_384  # octets of a header block that an event keeps, in whole lines


@dataclass(frozen=True, slots=True)
class Facts:
    """What the event tells of the bytes: Message-ID without brackets, octets, DKIM selector and key size in bits, the
    header block as sent (without its last CRLF), and the sender's name and postal address under the content.
    """

    message_id: str
    size: int
    selector: str
    bits: int
    header: bytes
    sender: str = ""

    def detail(self) -> dict[str, Any]:
        told = {"message_id": self.message_id, "size": self.size, "selector": self.selector, "bits": self.bits}
        return {**told, "sender": self.sender} if self.sender else told

    def headers(self) -> list[str]:
        """The header's lines as they were sent, folded ones as several; cut after the last line that may be kept."""
        kept = self.header
        if len(kept) > HEADER_KEPT:
            kept = kept[: kept.rindex(b"\r\n", 0, HEADER_KEPT)]
        return kept.decode("ascii").split("\r\n")


@dataclass(frozen=True, slots=True)
class Composed:
    envelope: Envelope
    facts: Facts


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a message cannot go: HELD is until a time, or for two people to review; FAILED for good."""

    kind: Kind
    reason: str
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """Back to the queue without an event: nothing of it is on the wire. `delay` in seconds.

    `marked` False: surely not marked; True: surely marked, or the answer to the mark was lost.
    """

    delay: float
    marked: bool = False


class Found(IntEnum):
    """What a claim alone shows."""

    UNCERTAIN = 1  # marked by a worker that was lost: it may have been sent
    RELEASED = 2  # two people let it go: to be counted anew before it is queued
    HOLD_OVER = 3  # its hold may be over by itself: to be counted anew if it was counted in another hour


type Outcome = Answer | MarkVerdict | Hindrance | Back | Found


@dataclass(slots=True, eq=False)
class Work:
    """A claim in this worker's hands. `leased` is the loop's time when its lease began, at the latest."""

    claimed: Claimed
    loaded: Loaded
    leased: float
    claimed_at: float
    quiet: tuple[str, ...] = ()  # the hours of the live policy, set at the claim
    quiet_from: datetime | None = None  # when they begin next
    key: PersonKey | None = None
    composed: Composed | None = None
    marked: bool = False
    exposed: bool = False  # its mark was asked for and its outcome is not on record: a crash now makes it uncertain
    lost: bool = False  # the lease is another worker's now

    @property
    def claim(self) -> tuple[Any, int]:
        return (self.claimed.message_id, self.claimed.token)

    @property
    def attempt(self) -> int:
        """The number of this attempt: each mark is one, and the spool counts them."""
        return self.claimed.attempts + 1

    @property
    def zone(self) -> str:
        """Whose clock says when it is night: the recipient's, else the client's."""
        return quiet.zone_of(self.loaded.timezone, self.loaded.tenant_timezone)

    @property
    def told(self) -> State:
        return State(self.loaded.told)
