"""Signing on: how this process asks a client's provider: through the house's guarded client alone, and for JSON."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings

from troth.control.people.sign_on.refusing import NotSignedOn
from troth.outside.guarded_http import NoAnswer
from troth.outside.guarded_url import BadUrl, ForbiddenAddress

_OK = range(200, 300)
_AWAY = "Your provider did not answer as it should. Try again in a moment; if it stays so, tell an administrator."


def get(url: str, *, bearer: str = "") -> dict[str, Any]:
    """The JSON object at a URL; raise NotSignedOn."""
    return _asked("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {}, b"")


def post(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object that a form is answered with; raise NotSignedOn."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return _asked("POST", url, {**kind, **headers}, urlencode(fields).encode())


def _asked(method: str, url: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    client = settings.TROTH_OUTWARD
    try:
        page = asyncio.run(client.page(method, url, {"Accept": "application/json", **headers}, body))
    except (BadUrl, ForbiddenAddress) as never:
        raise NotSignedOn(f"the provider's address is not asked: {never}", _AWAY) from None
    except NoAnswer as trouble:
        raise NotSignedOn(f"the provider gave no answer: {trouble.sentence}", _AWAY) from None
    if page.status not in _OK:
        raise NotSignedOn(f"the provider answered {page.status}{_said(page.body)}", _AWAY)
    try:
        return msgspec.json.decode(page.body, type=dict[str, Any])
    except msgspec.DecodeError:
        raise NotSignedOn("the provider's answer is not a JSON object", _AWAY) from None


def _said(body: bytes) -> str:
    """The code of an OAuth error (RFC 6749 section 5.2), which names nobody."""
    try:
        error = msgspec.json.decode(body, type=dict[str, Any]).get("error")
    except msgspec.DecodeError:
        return ""
    known = isinstance(error, str) and error.isascii() and error.replace("_", "").isalnum()
    return f" ({error[:40]})" if known and isinstance(error, str) else ""
