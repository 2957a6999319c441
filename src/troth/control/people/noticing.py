"""People: what somebody is told by mail of their own account: a new device, a lock-out, a change of how they sign in.

Whoever reads it is told from which browser and address, when, and where to undo it.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from troth.control.audit import asking
from troth.control.people import browsers, mailing, throttle
from troth.control.people.factors.kinds import WORDS


def new_device(request: HttpRequest, account: UUID, methods: list[str]) -> None:
    """A browser that has not signed this account in before did so now."""
    how = " and ".join(WORDS.get(one, one) for one in methods)
    mailing.tell(account, "new-device", {**_where(request), "how": how, "link": _page("/account")})


def locked_out(request: HttpRequest, name: str) -> None:
    """Whoever has this name, if anybody has."""
    mailing.tell_name(name, "locked-out", _locked(request, "password"))


def factor_locked_out(request: HttpRequest, account: UUID) -> None:
    mailing.tell(account, "locked-out", _locked(request, "code"))


def changed(request: HttpRequest, account: UUID, what: str, detail: str = "") -> None:
    """`what`: a sentence for the subject, such as "A passkey was added"; `detail`: the same with its name."""
    given = {"what": what, "detail": detail or what, "link": _page("/account")}
    mailing.tell(account, "sign-in-changed", {**_where(request), **given})


def _locked(request: HttpRequest, what: str) -> mailing.Variables:
    minutes = f"{throttle.MINUTES} minutes"
    return {**_where(request), "what": what, "minutes": minutes, "link": _page("/password")}


def _where(request: HttpRequest) -> dict[str, str | datetime]:
    found = asking.row("SELECT troth.now_v1()")
    assert found is not None
    return {
        "device": browsers.in_words(request.headers.get("User-Agent", "")),
        "address": request.META.get("REMOTE_ADDR") or "unknown",
        "when": found[0],
    }


def _page(path: str) -> str:
    return f"{settings.TROTH_PUBLIC_URL}{path}"
