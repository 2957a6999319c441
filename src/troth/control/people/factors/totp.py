"""People: an authenticator app (TOTP, RFC 6238: SHA-1, six digits, 30 seconds): taken up with a first code, then shown.

A code serves once: the step that it was made for, and every earlier one, is refused from then on. The person's phone
and we look at the time of day, so no offset of a demo's clock counts here.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import compare_digest
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec
from allauth.mfa.totp.internal import auth  # type: ignore[import-untyped]  # allauth ships no types
from django.conf import settings
from django.db import connections
from qrcode.main import QRCode  # type: ignore[import-untyped]  # it ships none

from troth.control.people.factors import kinds, store
from troth.keys import places

STEP = 30  # seconds
_AROUND = (0, -1, 1)  # steps: a phone's clock may be off by half a minute
_OFFER = "totp-offer"
_OFFERED = timedelta(minutes=15)
_ISSUER = "Troth"
_QUIET = 4  # modules of margin round a QR code (ISO/IEC 18004)


class _Kept(msgspec.Struct, frozen=True):
    secret: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """A new secret (base32), as a person takes it up. `token` is the same, sealed, for the form to give back: nothing
    is kept until its first code is shown.
    """

    secret: str = field(repr=False)
    token: str = field(repr=False)
    label: str

    @property
    def spelled(self) -> str:
        """In fours, for typing it off."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))

    @property
    def address(self) -> str:
        about = urlencode({"secret": self.secret, "issuer": _ISSUER}, quote_via=quote)
        return f"otpauth://totp/{quote(f'{_ISSUER}:{self.label}')}?{about}"

    @property
    def picture(self) -> tuple[int, str]:
        """Its QR code: how many modules wide, and the path of an SVG that draws the dark ones."""
        code = QRCode(border=_QUIET)
        code.add_data(self.address)
        code.make(fit=True)
        rows = code.get_matrix()
        dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, set_ in enumerate(row) if set_]
        return len(rows), "".join(dark)


def offer(account: UUID, label: str) -> Offer:
    """`label`: whose account it is, as the app will show it."""
    secret: str = auth.generate_totp_secret()
    kept = msgspec.json.encode(_Kept(secret, _clock() + _OFFERED))
    sealed = settings.TROTH_KEYS().operator.seal(kept, places.factor(account, _OFFER))
    return Offer(secret, base64.urlsafe_b64encode(sealed).decode(), label)


def offered(account: UUID, token: str, label: str) -> Offer | None:
    """The offer again that a form gave back; None: it is another account's, none at all, or too old."""
    try:
        sealed = base64.urlsafe_b64decode(token)
        opened = settings.TROTH_KEYS().operator.open(sealed, places.factor(account, _OFFER))
    except Exception:  # noqa: BLE001 - whatever a stranger sends in its place
        return None
    kept = msgspec.json.decode(opened, type=_Kept)
    return Offer(kept.secret, token, label) if kept.until > _clock() else None


def take_up(account: UUID, given: Offer, code: str) -> bool:
    """The account has this app from now on, if the code is right. Raise store.Taken where it has one."""
    step = _step(given.secret, code)
    if step is None:
        return False
    store.add(account, kinds.TOTP, {"secret": given.secret, "last": step})
    return True


def shown(account: UUID, code: str) -> bool:
    """Whether this code is right, and is shown for the first time."""
    with store.locked(account, kinds.TOTP) as one:
        if one is None:
            return False
        step = _step(one.factor.document["secret"], code)
        if step is None or step <= one.factor.document["last"]:
            return False
        one.write({**one.factor.document, "last": step})
        return True


def looks_like_one(code: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{6}", plain(code)))


def plain(code: str) -> str:
    """Without what people and apps put between the digits."""
    return re.sub(r"[\s-]", "", code)


def _step(secret: str, code: str) -> int | None:
    """The step whose code this is. Every candidate is compared, so that time tells nothing."""
    if not looks_like_one(code):
        return None
    now = int(_clock().timestamp()) // STEP
    right = [now + n for n in _AROUND if compare_digest(_code(secret, now + n), plain(code))]
    return max(right, default=None)


def _code(secret: str, step: int) -> str:
    text: str = auth.format_hotp_value(auth.hotp_value(secret, step))
    return text


def _clock() -> datetime:
    """The time of day, the same for every process of the pages: the database's own, unmoved."""
    with connections[store.DATABASE].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at
