"""People: a session of the pages: its secret is in a cookie of the browser alone, and the database keeps its hash.

Role troth_signin (Django's connection "signin") opens one and adds proofs; role troth_control acts with one.
Neither can do both, so that no SQL slipped into a page signs anybody in.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse

from troth.control.audit.asking import row, rows
from troth.control.people.addresses import hidden
from troth.keys import places

SIGNIN = "signin"
_BYTES = 32
_LENGTH = 43  # of 32 bytes in base64url without "="
_YEAR = 31_536_000  # seconds
_MOST_AGENT = 300  # characters of a browser's name that are kept
_OPEN = "SELECT session_id, session_expires, known FROM troth.page_session_open_v1(%s, %s, %s, %s, %s, %s, %s)"
_LOG = "SELECT troth.access_log_v1(%s, %s, NULL, %s, %s, %s)"
_ACT = "SELECT troth.access_act_v1(%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Session:
    """An open one, as the database has it now. `methods` in the order in which they were shown."""

    id: UUID
    account: UUID
    opened_at: datetime
    expires_at: datetime
    methods: tuple[str, ...]
    second_factor_at: datetime | None
    proved_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """`known`: this browser has signed this account in before."""

    secret: bytes = field(repr=False)
    expires: datetime
    known: bool


def open_session(request: HttpRequest, account: UUID, methods: list[str], *, second: bool) -> Opened:
    """After somebody has shown what it takes; the answer to this request carries the cookie."""
    secret, mark = secrets.token_bytes(_BYTES), device_of(request) or secrets.token_bytes(_BYTES)
    place, detail = origin(request)
    with connections[SIGNIN].cursor() as cursor:
        cursor.execute(_OPEN, [account, _hash(secret), methods, second, _hash(mark), place, detail])
        found = cursor.fetchone()
    assert found is not None
    request.troth_opened = (secret, mark)  # type: ignore[attr-defined]  # for `carried`
    return Opened(secret, found[1], found[2])


def prove(secret: bytes, method: str, *, second: bool) -> None:
    """A factor was shown once more, or a second one for the first time."""
    with connections[SIGNIN].cursor() as cursor:
        cursor.execute("SELECT troth.page_session_prove_v1(%s, %s, %s)", [secret, method, second])


def seen(secret: bytes, *, lasting: bool = True) -> Session | None:
    """None: it is over, or never was. Looking lengthens it, as far as policy lets it idle; not `lasting`: not yet, so
    that its row stays free for the connection that adds proofs.
    """
    with transaction.atomic(savepoint=not lasting):
        found = row("SELECT * FROM troth.session_seen_v1(%s)", secret)
        if not lasting:
            transaction.set_rollback(True)
    if found is None:
        return None
    one, account, opened, expires, methods, second, proved, now = found
    return Session(one, account, opened, expires, tuple(methods), second, proved, now)


def end(secret: bytes, which: UUID | None = None) -> None:
    """One of one's own; without `which`, this one."""
    row("SELECT troth.session_end_v1(%s, %s)", secret, which)


def end_all(secret: bytes, account: UUID) -> None:
    """All of one's own but this one, or all of somebody else's (session:end)."""
    row("SELECT troth.sessions_end_v1(%s, %s)", secret, account)


def mine(secret: bytes) -> list[tuple[object, ...]]:
    """(id, kind, opened, seen, expires, methods, detail, this one) of one's own open sessions, the newest first."""
    return rows("SELECT * FROM troth.sessions_mine_v1(%s)", secret)


def tell(request: HttpRequest, kind: str, what: str, account: UUID | None = None) -> None:
    """An entry of the access log: a failure of somebody who is not in."""
    place, detail = origin(request)
    row(_LOG, kind, account, what, place, detail)


def tell_act(request: HttpRequest, kind: str, what: str, secret: bytes) -> None:
    """What somebody did ("act"), or was refused, in their own session."""
    place, detail = origin(request)
    row(_ACT, kind, secret, what, place, detail)


def origin(request: HttpRequest) -> tuple[bytes, bytes]:
    """Where a request comes from: a keyed hash to find it by, and address and browser, sealed."""
    address = request.META.get("REMOTE_ADDR", "")
    told = {"address": address, "agent": request.headers.get("User-Agent", "")[:_MOST_AGENT]}
    sealed = settings.TROTH_KEYS().operator.seal(json.dumps(told).encode(), places.access("detail"))
    return hidden("place", address), sealed


def told(detail: bytes | None) -> dict[str, str]:
    """{address, agent} of a sealed detail; empty where there is none."""
    if detail is None:
        return {}
    found: dict[str, str] = json.loads(settings.TROTH_KEYS().operator.open(bytes(detail), places.access("detail")))
    return found


# ---- cookies


def secret_of(request: HttpRequest) -> bytes | None:
    return _bytes_of(request.COOKIES.get(_cookie("troth_proof"), ""))


def device_of(request: HttpRequest) -> bytes | None:
    """The browser's long-lived mark, by which a new device is noticed."""
    return _bytes_of(request.COOKIES.get(_cookie("troth_device"), ""))


def carried(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser what was opened in this request."""
    opened = getattr(request, "troth_opened", None)
    if opened is not None:
        for name, value, age in (("troth_proof", opened[0], None), ("troth_device", opened[1], _YEAR)):
            response.set_cookie(
                _cookie(name), _text(value), max_age=age, secure=settings.TROTH_SECURE, httponly=True, samesite="Lax"
            )


def forgotten(response: HttpResponse) -> None:
    """The browser's secret of a session that is over goes; its mark stays."""
    response.delete_cookie(_cookie("troth_proof"), samesite="Lax")


def _cookie(name: str) -> str:
    return f"__Host-{name}" if settings.TROTH_SECURE else name


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes_of(text: str) -> bytes | None:
    if len(text) != _LENGTH or not text.isascii():
        return None
    try:
        return base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except ValueError:
        return None


def _hash(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()
