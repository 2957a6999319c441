"""Feedback: the proof that a person pressed: a form's token, bound to the cookie of the browser that was shown it.

Both are short-lived and signed (mail.tokens), so that nothing is stored. A scanner that follows links has neither; one
that sends a form as it found it changes nothing: a form's token stands for what it showed as well, and only what its
sender chose otherwise is done.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from troth.mail.tokens import TokenError, make_token, read_token

COOKIE, PATH = "troth_own", "/r"
LASTS = timedelta(hours=1)
FIELD = "proof"
_SHOWN, _FORM = "own-shown", "own-form"
_NONCE = 16  # octets


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser at one moment. `nonce` names it; `new`: it had none, and the answer gives it one."""

    keys: Sequence[bytes]
    now: datetime
    nonce: bytes
    new: bool

    def form(self, message: UUID, act: str, shown: Sequence[str] = ()) -> str:
        """The token of a form that this browser is shown; `shown`: the states in it, in the form's order."""
        return make_token(self.keys[0], _FORM, _bound(self.nonce, message, act, shown), self.now + LASTS)

    def pressed(self, message: UUID, act: str, token: str, shown: Sequence[str] = ()) -> bool:
        """Whether this browser was shown this very form, with these very states."""
        if self.new:
            return False
        try:
            found = read_token(self.keys, _FORM, token, self.now)
        except TokenError:
            return False
        return hmac.compare_digest(found, _bound(self.nonce, message, act, shown))

    def remember(self, answer: Response, *, secure: bool) -> Response:
        """The answer with the cookie, where the browser has none."""
        if self.new:
            value = make_token(self.keys[0], _SHOWN, self.nonce, self.now + LASTS)
            answer.set_cookie(
                COOKIE, value, int(LASTS.total_seconds()), path=PATH, secure=secure, httponly=True, samesite="strict"
            )
        return answer


def browser(keys: Sequence[bytes], request: Request, now: datetime) -> Browser:
    """Whoever asks; nothing that it says is believed unless it is signed."""
    try:
        nonce = read_token(keys, _SHOWN, request.cookies.get(COOKIE, ""), now)
    except TokenError:
        return Browser(keys, now, secrets.token_bytes(_NONCE), new=True)
    return Browser(keys, now, nonce, new=False)


def _bound(nonce: bytes, message: UUID, act: str, shown: Sequence[str]) -> bytes:
    told = "\0".join([act, *shown]).encode("utf-8", "replace")
    return sha256(nonce + message.bytes + told).digest()[:_NONCE]
