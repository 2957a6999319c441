"""Delivery, composing: the lines that a relay wants, so that its webhooks name our message by a token that we signed.

They stand before the DKIM signature and outside of it: relays read them, and take them out or rewrite them as they
please. Mailgun's tracking would rewrite the body, which is signed, and watch the reader: it is told not to.
"""

from dataclasses import dataclass

from troth.mail.relay_mailgun import VARIABLE
from troth.mail.relay_ses import TAG, TAGS_HEADER


@dataclass(frozen=True, slots=True)
class RelayHeader:
    """kind: 'smtp' (any relay, which is told nothing), 'mailgun' or 'ses'; configuration_set: of SES."""

    kind: str = "smtp"
    configuration_set: str | None = None

    def lines(self, token: str) -> bytes:
        """Whole header lines with their CRLF, at most 140 octets each. token: the return path's local part."""
        if self.kind == "mailgun":
            return f'X-Mailgun-Variables: {{"{VARIABLE}": "{token}"}}\r\nX-Mailgun-Track: no\r\n'.encode()
        if self.kind == "ses":
            chosen = f"X-SES-CONFIGURATION-SET: {self.configuration_set}\r\n" if self.configuration_set else ""
            return f"{TAGS_HEADER}: {TAG}={token}\r\n{chosen}".encode()
        return b""
