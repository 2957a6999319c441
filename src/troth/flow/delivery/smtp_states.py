"""Delivery's session with a next hop as tables: the replies waited for, the states, the moves, the events.

The diagram and the machine (`smtp_protocol`) both come from here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from troth.flow.delivery.smtp_types import Answer, Phase

if TYPE_CHECKING:
    from uuid import UUID


class Want(StrEnum):
    """The reply we wait for next."""

    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    EOD = "eod"
    LONE_DOT = "lone_dot"  # closes a DATA that was opened although nobody is left to receive it (RFC 2920 3.1)
    QUIT = "quit"


class State(StrEnum):
    """Where the session is."""

    OPENING = "opening"  # greeting, EHLO, STARTTLS, AUTH
    HANDSHAKE = "handshake"  # TLS is being made: no octet may reach us here
    READY = "ready"  # envelopes may be submitted
    QUITTING = "quitting"
    CLOSED = "closed"


# What a reply does: (the reply we wait for, its first digit) -> the step that takes it. What is not here is
# a fault of the next hop; 421 closes from everywhere.
MOVES: Final[dict[tuple[Want, int], str]] = {
    (Want.GREETING, 2): "_greeted",
    (Want.EHLO, 2): "_introduced",
    (Want.STARTTLS, 2): "_begin_tls",
    (Want.AUTH, 2): "_ready",
    (Want.AUTH, 3): "_next_secret",
    (Want.RSET, 2): "_go_on",
    (Want.MAIL, 2): "_go_on",
    (Want.RCPT, 2): "_rcpt_taken",
    (Want.DATA, 3): "_go_ahead",
    (Want.EOD, 2): "_accepted",
    (Want.LONE_DOT, 2): "_go_on",
    (Want.QUIT, 2): "_quit",
    **{(want, digit): "_unusable" for want in (Want.GREETING, Want.EHLO, Want.STARTTLS, Want.AUTH) for digit in (4, 5)},
    **{(want, digit): "_refused" for want in (Want.MAIL, Want.RCPT, Want.DATA, Want.EOD) for digit in (4, 5)},
    **{(want, digit): "_unusable" for want in (Want.RSET,) for digit in (4, 5)},
    **{(want, digit): "_go_on" for want in (Want.LONE_DOT,) for digit in (4, 5)},
    **{(want, digit): "_quit" for want in (Want.QUIT,) for digit in (4, 5)},
}


@dataclass(frozen=True, slots=True)
class StartTls:
    """The next hop is ready for the TLS handshake; call `tls_started` when it is done."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over. `clean` is True after QUIT; else `phase` and `text` say what ended it."""

    phase: Phase
    code: int | None
    enhanced: str | None
    text: str
    clean: bool
    conversation: tuple[str, ...]

    def unsent(self, key: "UUID") -> Answer:
        """The answer to an envelope that waited for this session and was never begun."""
        return Answer(key, "unsent", self.phase, self.code, self.enhanced, self.text, False, self.conversation)


Event = Answer | StartTls | Closed
