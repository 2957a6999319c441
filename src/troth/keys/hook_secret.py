"""The keyring's part in webhooks: an endpoint's secrets, and the signatures that they make (Standard Webhooks 1.0)."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence

_PREFIX = "whsec_"
_BYTES = 32  # of 24 to 64 that the standard allows


def make_secret() -> str:
    """`whsec_` and 32 random bytes in base64: shown once, then only sealed."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key behind a secret's text; ValueError (without the text) for what is none."""
    if not secret.startswith(_PREFIX):
        raise ValueError("not a webhook secret")
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not a webhook secret") from None


def signed_headers(secret_texts: Sequence[str], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers under both of their names; one signature for each secret, the newest first.

    `timestamp`: true seconds since 1970, because a receiver compares it with its own clock.
    """
    signed = f"{event_id}.{timestamp}.".encode() + body
    marks = [base64.b64encode(hmac.digest(key_of(text), signed, "sha256")).decode() for text in secret_texts]
    values = {"id": event_id, "timestamp": str(timestamp), "signature": " ".join(f"v1,{mark}" for mark in marks)}
    return {f"{prefix}-{name}": value for prefix in ("webhook", "svix") for name, value in values.items()}
