"""Delivery's words for one hop: the envelope in, the answer out, and what may not reach the wire.

An SMTP failure is data, never an exception: every envelope handed over yields exactly one `Answer`.
Standard: RFC 5321.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from troth.mail.bodies import dotted, paired

if TYPE_CHECKING:
    from uuid import UUID

Phase = Literal["connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "eod"]
Outcome = Literal["accepted", "refused", "lost", "unsent"]

PATH_LIMIT = 254  # octets without the angle brackets, RFC 5321 4.5.3.1.3

# Path = Local-part "@" ( Domain / address-literal ), as octets that cannot leave the angle brackets (RFC
# 5321 4.1.2):
#   outside quotes: printable ASCII but SP " ( ) , : ; < > \ and a literal's [ ] : after the @
#   inside quotes:  qtextSMTP or a quoted pair
_LOCAL = rb'(?:[!#-\'*+\-./0-9=?A-Z^-~]+|"(?:[ !#-\[\]-~]|\\[ -~])*")'
_DOMAIN = rb"(?:[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?|\[[0-9A-Za-z.:]+\])"
_MAILBOX = re.compile(_LOCAL + b"@" + _DOMAIN).fullmatch


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one recipient.

    Paths are octets without angle brackets; an empty reverse-path is the null path. `data` is dot-stuffed,
    ends with CRLF and has no final dot; `size` is its length in octets before dot-stuffing (RFC 1870).
    """

    key: "UUID"
    reverse_path: bytes
    forward_path: bytes
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one envelope.

    accepted  the next hop took it (a 2yz reply to the final dot)
    refused   a clean 4yz or 5yz reply, or our own refusal before the wire (then `code` is None)
    unsent    no verdict, and the final dot was never handed over or was answered by 421: safe to send again
    lost      the final dot may have gone out and no clean reply came: uncertain; `maybe_taken` is True only
    here

    `phase` is where it ended. `conversation` holds commands and replies for the log, capped, secrets masked.
    """

    key: "UUID"
    outcome: Outcome
    phase: Phase
    code: int | None = None
    enhanced: str | None = None
    text: str = ""
    maybe_taken: bool = False
    conversation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.maybe_taken != (self.outcome == "lost"):
            raise ValueError(f"An answer may be taken exactly when it is lost, not when it is {self.outcome}.")


def envelope_fault(envelope: Envelope) -> str | None:
    """Why this envelope must not reach the wire, as a sentence; None when it may."""
    if envelope.reverse_path and (fault := _path_fault("reverse-path", envelope.reverse_path)):
        return fault
    return _path_fault("forward-path", envelope.forward_path) or _data_fault(envelope.data)


def _path_fault(name: str, path: bytes) -> str | None:
    if not path.isascii():
        return f"The {name} has octets outside ASCII; SMTPUTF8 is not offered: use the A-label form."
    if len(path) > PATH_LIMIT:
        return f"The {name} has {len(path)} octets; RFC 5321 allows {PATH_LIMIT}."
    if not _MAILBOX(path):
        return f"The {name} is not a mailbox as RFC 5321 writes it: nothing is sent."
    return None


def _data_fault(data: bytes) -> str | None:
    if not data.endswith(b"\r\n"):
        return "The message does not end with CRLF: its final dot would not stand alone."
    if not paired(data):
        return "The message has a bare CR or LF, with which a second message could be smuggled in."
    if b"\0" in data:
        return "The message has a NUL octet."
    if _lone_dot(data):
        return "The message is not dot-stuffed: a line starts with a single dot."
    return None


def _lone_dot(data: bytes) -> bool:
    """Whether some line starts with a dot that is not doubled."""
    if data.startswith(b".") and not data.startswith(b".."):
        return True
    at = data.find(b"\r\n.") if dotted(data) else -1
    while at >= 0:
        if data[at + 3] != 0x2E:
            return True
        at = data.find(b"\r\n.", at + 3)
    return False
