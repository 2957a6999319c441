"""Feedback, the desks: the address that answers to an acknowledgement come back to, so that a further letter joins its
case: `abuse+<token>@`, where the token names the case and only we can have made it.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

_MAC = 10  # octets; a case is no secret, joining another's takes a forgery
_token_re = re.compile(r"c(?P<token>[a-z2-7]{42})\Z")


def tag(key: bytes, case: UUID) -> str:
    """What stands behind the plus, 43 characters, in lower case."""
    return f"c{base64.b32encode(case.bytes + _mac(key, case)).decode().rstrip('=').lower()}"


def case_of(keys: Sequence[bytes], given: str) -> UUID | None:
    """The case that a tag names, in whatever case it came back; None for any other tag."""
    found = _token_re.match(given.lower()) if given.isascii() else None
    if found is None:
        return None
    case = UUID(bytes=base64.b32decode(found["token"].upper() + "======")[:16])
    good = [hmac.compare_digest(tag(key, case), given.lower()) for key in keys]  # so spare bits are compared, too
    return case if any(good) else None


def _mac(key: bytes, case: UUID) -> bytes:
    return hmac.digest(key, b"troth case 1\0" + case.bytes, sha256)[:_MAC]
