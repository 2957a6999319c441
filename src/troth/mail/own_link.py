"""Feedback: the signed link to a recipient's own page, and the address that takes an opt-out by mail: their grammar.

Both hold the message's id alone (mail.tokens). The page's token has a purpose of its own: an address that takes mail is
seen by every hop, and must open no page.
"""

import re
from datetime import datetime
from uuid import UUID

from troth.mail.tokens import make_token

PURPOSE = "own-page"
PATH = "/r/"
_BY_MAIL = "unsubscribe+"
_local_re = re.compile(r"(?i:unsubscribe)\+(?P<token>[A-Za-z0-9_-]{27,52})\Z")  # RFC 5321 4.5.3.1.1: 64 octets


def own_link(start: str, key: bytes, message: UUID, expires: datetime) -> str:
    """The page's address; `start`: scheme and host, as every link begins."""
    return f"{start}{PATH}{make_token(key, PURPOSE, message.bytes, expires)}"


def mail_address(token: str, domain: str) -> str:
    """Where a mail opts out; `token` is List-Unsubscribe's own."""
    return f"{_BY_MAIL}{token}@{domain}"


def token_of(local_part: str) -> str | None:
    """The token of such an address's local part, unverified; None for any other."""
    found = _local_re.match(local_part)
    return found["token"] if found else None
