"""People: one try to show a factor or a password: counted before it is looked at, told of when it fails, and at the
last try to its owner, too.
"""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from troth.control.people import noticing, page_sessions, throttle
from troth.control.people.factors import codes, passkeys, totp
from troth.control.people.models import Login

_CODE, _PASSWORD = "factor", "proof"
_WAIT = f"Wait {throttle.MINUTES} minutes, then try again."


@dataclass(frozen=True, slots=True)
class Attempt:
    """`method`: what was shown, in a session's words; empty: nothing was, and `fault` says what to do."""

    method: str = ""
    fault: str = ""


def code(request: HttpRequest, account: UUID, given: str) -> Attempt:
    """Six digits of the app, or a recovery code."""
    left = throttle.tries_left(request, _CODE, str(account))
    if left < 0:
        return Attempt(fault=f"Too many tries. {_WAIT} A passkey still works.")
    if totp.looks_like_one(given):
        method = "totp" if totp.shown(account, given) else ""
    else:
        method = "recovery-code" if _recovered(request, account, given) else ""
    if not method:
        return _failed(request, account, left, "This code is not right, or was used before.")
    throttle.forget(_CODE, str(account))
    return Attempt(method)


def password(request: HttpRequest, account: UUID, given: str) -> Attempt:
    left = throttle.tries_left(request, _PASSWORD, str(account))
    if left < 0:
        return Attempt(fault=f"Too many tries. {_WAIT}")
    if not Login.objects.get(pk=account).check_password(given):
        return _failed(request, account, left, "This is not your password.")
    throttle.forget(_PASSWORD, str(account))
    return Attempt("password")


def passkey(request: HttpRequest, account: UUID, credential: str) -> Attempt:
    """Not counted: there is nothing to guess."""
    try:
        passkeys.show(request, account, credential)
    except passkeys.NotShown:
        page_sessions.tell(request, "sign-in-failed", "passkey", account)
        return Attempt(fault="The passkey was not taken. Use one that you added to this account.")
    return Attempt("passkey")


def _recovered(request: HttpRequest, account: UUID, given: str) -> bool:
    left = codes.shown(account, given)
    if left is not None:
        noticing.changed(request, account, "A recovery code was used", f"A recovery code was used; {left} are left")
    return left is not None


def _failed(request: HttpRequest, account: UUID, left: int, fault: str) -> Attempt:
    page_sessions.tell(request, "sign-in-failed" if left else "locked", "second factor or proof", account)
    if left == 0:
        noticing.factor_locked_out(request, account)
        return Attempt(fault=f"{fault} No tries left: wait {throttle.MINUTES} minutes.")
    return Attempt(fault=f"{fault} {left} {'try' if left == 1 else 'tries'} left.")
