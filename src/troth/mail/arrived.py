"""Feedback: a letter that came in through SMTP, and what whoever it was for made of it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from troth.mail.smtp_path import NULL

_HEADER = 65_536  # octets that are searched for a field
_auto_re = re.compile(rb"^auto-submitted[ \t]*:(?P<value>(?:[^\r\n]|\r\n(?=[ \t]))*)", re.IGNORECASE | re.MULTILINE)
_comment_re = re.compile(rb"\([^()]*\)")
_BY_HAND = (b"", b"no", b"auto-generated")


class Verdict(StrEnum):
    """TAKEN: carried out or kept, now or before. GONE: nothing is left that it could be about. AUTOMATIC: an answering
    machine's, which has no wishes. FULL: come again later.
    """

    TAKEN = "taken"
    GONE = "gone"
    AUTOMATIC = "automatic"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Arrived:
    """peer: address of the server that brought it; reverse_path: smtp_path.NULL for none; octets: without stuffing."""

    peer: str
    reverse_path: str
    octets: bytes

    @property
    def automatic(self) -> bool:
        """Whether it is a notification or an answering machine's reply (RFC 5321 4.5.5, RFC 3834 5).

        `auto-generated` answers nothing: so a mail program or provider marks what it sends because its user pressed.
        """
        return self.reverse_path == NULL or self._auto() not in _BY_HAND

    def _auto(self) -> bytes:
        """Auto-Submitted's keyword in lower case; empty without the field."""
        head, _, _ = self.octets[:_HEADER].partition(b"\r\n\r\n")
        found = _auto_re.search(head)
        value = _comment_re.sub(b"", found["value"]) if found else b""
        return value.partition(b";")[0].strip().lower()
