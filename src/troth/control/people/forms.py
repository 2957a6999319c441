"""People: the forms of the door to the pages: signing in, asking for a link, setting a password."""

import logging
from typing import Any

from allauth.account.forms import LoginForm  # type: ignore[import-untyped]  # allauth ships no types
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError

from troth.control.people import breached, words
from troth.control.people.addresses import resolved
from troth.control.people.factors.passkeys import LONGEST_NAME

_MOST = 320  # characters of an address (RFC 5321 section 4.5.3.1: 64, the sign, 255)
_ADDRESS = {"required": "Type your e-mail address."}
_log = logging.getLogger("troth.people")
_MOST_PASSWORD = 1024  # characters; more would only feed the stretching


class SignIn(LoginForm):  # type: ignore[misc]  # allauth ships no types that mypy --strict reads
    """What was typed stays in the form; what is looked for is the blind index."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(max_length=_MOST, error_messages=_ADDRESS)
        self.fields["password"].max_length = _MOST_PASSWORD
        self.fields["password"].error_messages["required"] = "Type your password."

    def clean_login(self) -> str:
        return resolved(self.cleaned_data["login"])


class AskLink(forms.Form):
    """Whether there is an account with it is never told."""

    email = forms.CharField(max_length=_MOST, error_messages=_ADDRESS)


class Code(forms.Form):
    """Of an authenticator app, or a recovery code: which one is seen by its shape."""

    code = forms.CharField(max_length=40, error_messages={"required": "Type the six digits that the app shows now."})


class Password(forms.Form):
    """One's own, once more."""

    password = forms.CharField(
        max_length=_MOST_PASSWORD, strip=False, error_messages={"required": "Type your password."}
    )


class Name(forms.Form):
    """What a person calls a passkey."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        error_messages={
            "required": "Give it a name by which you know it, such as the device that holds it.",
            "max_length": f"Take at most {LONGEST_NAME} characters.",
        },
    )


class SetPassword(forms.Form):
    """`secret` of the link stands in the path; `address` is whose password it will be."""

    password = forms.CharField(max_length=_MOST_PASSWORD, strip=False, error_messages={"required": "Type a password."})
    again = forms.CharField(
        max_length=_MOST_PASSWORD, strip=False, error_messages={"required": "Type the same password once more."}
    )

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._address = address

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        words.check(password, self._address)
        _not_stolen(password)
        return password

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        password, again = given.get("password"), given.get("again")
        if password and again and password != again:
            self.add_error("again", "The two differ: type the same password once more.")
        return given

    def hashed(self) -> str:
        return make_password(self.cleaned_data["password"])


class ChangePassword(SetPassword):
    """With the one that one has."""

    current = forms.CharField(
        max_length=_MOST_PASSWORD, strip=False, error_messages={"required": "Type the password that you have now."}
    )
    field_order = ("current", "password", "again")


def _not_stolen(password: str) -> None:
    try:
        breached.check(settings.TROTH_BREACHED, password)
    except breached.Unreadable as trouble:
        _log.error("no password is taken: %s", trouble)
        raise ValidationError("Passwords cannot be compared with stolen ones now: none is taken. Try later.") from None
