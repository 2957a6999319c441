"""Submission: what makes a repeated request the same request: hashes of its Idempotency-Key and of what it asks.

Both are HMACs under a key of the installation, so that what is kept says nothing of the caller's keys or content.
"""

import hmac
import re

import msgspec
from starlette.requests import Request

from troth.flow.submission.problem import Problem
from troth.keys.installation import InstallationSecrets, Purpose

HEADER = "idempotency-key"
_USABLE = re.compile(r"[\x20-\x7e]{1,256}")


def given(request: Request) -> str | None:
    """The header's value; Problem when it is given twice or cannot be used."""
    values = request.headers.getlist(HEADER)
    if not values:
        return None
    if len(values) > 1 or not _USABLE.fullmatch(values[0]):
        sentence = "Send one Idempotency-Key of 1 to 256 printable ASCII characters, such as a UUID."
        raise Problem("bad-idempotency-key", sentence)
    return values[0]


def hashes(secrets: InstallationSecrets, key: str, route: str, content: object) -> tuple[bytes, bytes]:
    """Hash of the key, and fingerprint of route and canonical content (sorted keys, no blanks)."""
    secret = secrets.token_keys(Purpose.FINGERPRINT)[0]
    canonical = msgspec.json.encode(content, order="deterministic")
    print_ = hmac.digest(secret, b"request\0" + route.encode() + b"\0" + canonical, "sha256")
    return hmac.digest(secret, b"key\0" + key.encode(), "sha256"), print_
