"""Feedback: the signed link to a recipient's own page, and the address that takes an opt-out by mail: their grammar.

Both hold the message's id alone (mail.tokens). The page's token has a purpose of its own: an address that takes mail is
seen by every hop, and must open no page. In the address the token is in base32: a local part that some hop wrote in
another case must still opt out.
"""

import base64
import binascii
import re
from datetime import datetime
from uuid import UUID

from troth.mail.tokens import make_token

PURPOSE = "own-page"
PATH = "/r/"
_BY_MAIL = "stop+"
_local_re = re.compile(r"stop\+(?P<token>[a-z2-7]{27,59})\Z")  # RFC 5321 4.5.3.1.1: 64 octets


def own_link(start: str, key: bytes, message: UUID, expires: datetime) -> str:
    """The page's address; `start`: scheme and host, as every link begins."""
    return f"{start}{PATH}{make_token(key, PURPOSE, message.bytes, expires)}"


def mail_address(token: str, domain: str) -> str:
    """Where a mail opts out; `token` is List-Unsubscribe's own."""
    octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return f"{_BY_MAIL}{base64.b32encode(octets).decode().rstrip('=').lower()}@{domain}"


def token_of(local_part: str) -> str | None:
    """The token of such an address's local part, in whatever case, unverified; None for any other."""
    found = _local_re.match(local_part.lower()) if local_part.isascii() else None
    if found is None:
        return None
    text = found["token"].upper()
    try:
        octets = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        return None
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
