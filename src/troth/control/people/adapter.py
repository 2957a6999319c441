"""People: where allauth meets the house: attempts are counted in our tables, and a sign-in opens a session of
ours; allauth sends no mail, makes no account, changes no password and keeps no secret by itself.
"""

from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter  # type: ignore[import-untyped]  # allauth ships no types
from allauth.account.internal.flows.login import get_authentication_records  # type: ignore[import-untyped]  # the same
from allauth.mfa.adapter import DefaultMFAAdapter  # type: ignore[import-untyped]  # the same
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from troth.control.people import local, noticing, page_sessions, throttle
from troth.control.people.factors import kinds, store
from troth.control.people.models import Login
from troth.control.people.sign_on import entering

_SIGN_IN = "sign-in"


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types that mypy --strict reads
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for themselves: two people approve it."""
        del request
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only our own pages, whatever hosts are allowed."""
        return local.path(url) == url

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """What allauth would mail is not sent: our mail enters at the door like all mail (people/mailing.py)."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nor what it would mail of factors: people/noticing.py does."""

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nor does it say anything on our pages."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count first, so that no crowd of requests gets one try too many."""
        self._left = throttle.tries_left(request, _SIGN_IN, credentials.get("email", ""))
        if self._left < 0:
            raise ValidationError(f"Too many tries. Wait {throttle.MINUTES} minutes, then try again.")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is None or not user.is_active:  # a closed account reads as a wrong password
            _failed(request, credentials.get("email", ""), self._left)
            raise ValidationError(f"E-mail and password do not match an account. {_left(self._left)}")
        throttle.forget(_SIGN_IN, credentials["email"])
        return user

    def _rollback_login_failed_rl_usage(self) -> None:
        """Allauth's own count is not used."""

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **hook: Any) -> HttpResponse | None:
        """Where a firm enforces single sign-on, neither password nor passkey opens anything."""
        refusal: HttpResponse | None = entering.instead(request, user) or super().pre_login(request, user, **hook)
        return refusal

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **hook: Any) -> HttpResponse:
        # what was begun before the firm enforced sign-on is asked again when its second factor ends it
        refusal: HttpResponse | None = entering.instead(request, user)
        if refusal is not None:
            return refusal
        methods, second = _shown(get_authentication_records(request, user))
        opened = page_sessions.open_session(request, user.pk, methods, second=second)
        if not opened.known:
            noticing.new_device(request, user.pk, methods)
        request.session.clear_expired()  # of everybody: no other duty looks after these rows
        response: HttpResponse = super().post_login(request, user, **hook)
        return response


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types that mypy --strict reads
    def is_mfa_enabled(self, user: AbstractBaseUser, types: Iterable[str] | None = None) -> bool:
        held = store.kinds_of(user.pk) if user.is_authenticated else set()
        return bool(held if types is None else held & set(types))

    def encrypt(self, text: str) -> str:
        """Its hook does not say whose secret it is: ours are sealed for their account (factors/store.py)."""
        raise NotImplementedError("a factor's secret is sealed by factors/store.py")

    def decrypt(self, encrypted_text: str) -> str:
        raise NotImplementedError("a factor's secret is opened by factors/store.py")


def _failed(request: HttpRequest, name: str, left: int) -> None:
    """An entry for each account of this name, or for nobody; at the last try they are told. The same work for all."""
    accounts = list(Login.objects.filter(email=name).values_list("account_id", flat=True)) or [None]
    for account in accounts:
        page_sessions.tell(request, "sign-in-failed" if left else "locked", "password", account)
    if left == 0:
        noticing.locked_out(request, name)


def _shown(records: list[dict[str, Any]]) -> tuple[list[str], bool]:
    """The methods of a sign-in in their order, and whether they are two factors."""
    methods = list(dict.fromkeys(_method(one) for one in records))
    # a passkey that verified its person, or a firm's provider that is trusted to have asked for both
    alone = any(one.get("passwordless") or one.get("second") for one in records)
    return methods, alone or any(one["method"] == "mfa" for one in records)


def _method(record: dict[str, Any]) -> str:
    if record["method"] == "mfa":
        return kinds.METHODS[record["type"]]
    return "sign-on" if record["method"] == "socialaccount" else str(record["method"])


def _left(tries: int) -> str:
    if tries == 0:
        return f"No tries left: wait {throttle.MINUTES} minutes."
    return f"{tries} {'try' if tries == 1 else 'tries'} left, then a wait of {throttle.MINUTES} minutes."
