"""Delivery, composing: everything one message says, checked where it is made."""

import re
from dataclasses import dataclass
from datetime import datetime

from troth.mail.attachment import Attachment, MimeError
from troth.mail.headers import custom_headers
from troth.mail.mailbox import Mailbox

MAX_SUBJECT = 1_000  # characters

# dot-atom "@" dot-atom (RFC 5322 3.6.4), without the angle brackets
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_message_id_re = re.compile(rf"{_DOT_ATOM}@{_DOT_ATOM}\Z")
_https_re = re.compile(r"https?://[!#-;=?-Z_a-z~\[\]@%]+\Z")  # RFC 3986 characters; no blank, quote or angle bracket
_mailto_re = re.compile(r"mailto:[!#-;=?-Z_a-z~%]+\Z")
_MAX_URL = 480  # octets: both fit into a line, and into a header that any reader takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """message_id without angle brackets; date aware; headers: the caller's, through `custom_headers`; extra: ours.

    list_unsubscribe_url is https (RFC 8058 3.1; http only in a demo), list_unsubscribe_mailto a mailto: URI.
    """

    message_id: str
    date: datetime
    from_: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    reply_to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    html: str | None = None
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    list_unsubscribe_url: str | None = None
    list_unsubscribe_mailto: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.date.tzinfo is None:
            raise MimeError("date", "date", "The date needs a time zone.")
        if len(self.message_id) > 250 or not _message_id_re.match(self.message_id):
            raise MimeError("message_id", "message_id", "A message id is left@right, without angle brackets.")
        if self.html is None and self.text is None:
            raise MimeError("body", "html", "A message needs html, text, or both.")
        if len(self.subject) > MAX_SUBJECT:
            raise MimeError("subject", "subject", f"The subject is longer than {MAX_SUBJECT} characters.")
        if self.headers:
            custom_headers(dict(self.headers))
        self._check_links()

    def _check_links(self) -> None:
        for field, link, grammar in (
            ("list_unsubscribe_url", self.list_unsubscribe_url, _https_re),
            ("list_unsubscribe_mailto", self.list_unsubscribe_mailto, _mailto_re),
        ):
            if link is not None and (len(link) > _MAX_URL or not grammar.match(link)):
                raise MimeError("link", field, f"This is no address of at most {_MAX_URL} characters.")
