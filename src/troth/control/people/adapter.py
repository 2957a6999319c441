"""People: where allauth meets the house: attempts are counted in our tables, a sign-in is an entry of the ledger, and
allauth sends no mail, makes no account and changes no password by itself.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter  # type: ignore[import-untyped]  # allauth ships no types
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest, HttpResponse

from troth.control.people import throttle

_SIGN_IN = "sign-in"


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types that mypy --strict reads
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for themselves: two people approve it."""
        del request
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """What allauth would mail is not sent: our mail enters at the door like all mail (people/mailing.py)."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count first, so that no crowd of requests gets one try too many."""
        self._left = throttle.tries_left(request, _SIGN_IN, credentials.get("email", ""))
        if self._left < 0:
            raise ValidationError(f"Too many tries. Wait {throttle.MINUTES} minutes, then try again.")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is None or not user.is_active:  # a closed account reads as a wrong password
            raise ValidationError(f"E-mail and password do not match an account. {_left(self._left)}")
        throttle.forget(_SIGN_IN, credentials["email"])
        return user

    def _rollback_login_failed_rl_usage(self) -> None:
        """Allauth's own count is not used."""

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **hook: Any) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT troth.signed_in_v1(%s)", [user.pk])
        request.session.clear_expired()  # of everybody: no other duty looks after these rows
        response: HttpResponse = super().post_login(request, user, **hook)
        return response


def _left(tries: int) -> str:
    if tries == 0:
        return f"No tries left: wait {throttle.MINUTES} minutes."
    return f"{tries} {'try' if tries == 1 else 'tries'} left, then a wait of {throttle.MINUTES} minutes."
