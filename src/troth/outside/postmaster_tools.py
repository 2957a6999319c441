"""The house's way to Gmail's Postmaster Tools (REST v2): OAuth 2.0 by a credentials file, then its answers.

A file is Google's own JSON: `authorized_user` (a refresh token, RFC 6749 6) or `service_account` (a JWT, RFC 7523).

NotRead   temporary, unless the file itself is wrong; the words are for the page and name no secret
"""

import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from troth.mail import postmaster_tools as tools
from troth.mail.postmaster_tools import Answer, Value
from troth.outside.guarded_http import GuardedClient, NoAnswer
from troth.outside.guarded_url import BadUrl, ForbiddenAddress

API, TOKEN = "https://gmailpostmastertools.googleapis.com", "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/postmaster.traffic.readonly https://www.googleapis.com/auth/postmaster.domain"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_OK, _PAGES, _HOUR = 200, 50, 3600
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class NotRead(Exception):  # noqa: N818 - reads as what happened
    """Why nothing, or not all, could be read, as a sentence."""

    temporary = True


@dataclass(slots=True)
class PostmasterTools:
    """One account's. `origin`: where tests have theirs; the token is asked for there, too."""

    client: GuardedClient
    credentials: Path
    origin: str | None = None
    _token: str = field(default="", repr=False)

    async def domains(self) -> tuple[str, ...]:
        async def page(more: str) -> Answer[str]:
            query = f"?{urlencode({'pageSize': 200, **({'pageToken': more} if more else {})})}"
            return tools.domains(await self._asked("GET", f"/v2/domains{query}"))

        return await _all(page)

    async def values(
        self, domain: str, metrics: Mapping[str, tuple[str, str]], first: date, last: date
    ) -> tuple[Value, ...]:
        path = f"/v2/domains/{quote(domain, safe='')}/domainStats:query"

        async def page(more: str) -> Answer[Value]:
            return tools.values(await self._asked("POST", path, tools.question(metrics, first, last, more)))

        return await _all(page)

    async def _asked(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        self._token = self._token or await self._sign_in()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        octets = b"" if body is None else json.dumps(body).encode()
        if octets:
            headers["Content-Type"] = "application/json"
        return await self._page(method, (self.origin or API) + path, headers, octets)

    async def _sign_in(self) -> str:
        given = self._read()
        asked = _grant(given) if given.get("type") == "service_account" else _refresh(given)
        url = f"{self.origin}/token" if self.origin else TOKEN
        found = (await self._page("POST", url, _FORM, urlencode(asked).encode())).get("access_token")
        if not isinstance(found, str) or not found.isascii() or not found.isprintable():
            raise NotRead("Google gave no access token.")
        return found

    def _read(self) -> Mapping[str, Any]:
        try:
            found = msgspec.json.decode(self.credentials.read_bytes())
        except (OSError, msgspec.DecodeError):
            raise NotRead("The file of postmaster_tools_file cannot be read as JSON.") from None
        return found if isinstance(found, dict) else {}

    async def _page(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        try:
            answer = await self.client.page(method, url, headers, body)
            document = msgspec.json.decode(answer.body)
        except (NoAnswer, BadUrl, ForbiddenAddress) as trouble:
            raise NotRead(f"Google could not be asked: {trouble}") from None
        except (msgspec.DecodeError, RecursionError):
            raise NotRead("Google's answer is not JSON.") from None
        document = document if isinstance(document, dict) else {}
        if answer.status != _OK:
            self._token = ""
            raise NotRead(f"Google answered {answer.status}{_why(document)}.")
        return document


async def _all[T](page: Callable[[str], Awaitable[Answer[T]]]) -> tuple[T, ...]:
    """Every page, to a bound."""
    found: list[T] = []
    more = ""
    for _ in range(_PAGES):
        answer = await page(more)
        found += answer.found
        more = answer.more
        if not more:
            break
    return tuple(found)


def _refresh(given: Mapping[str, Any]) -> dict[str, str]:
    names = ("client_id", "client_secret", "refresh_token")
    if not all(isinstance(given.get(name), str) and given[name] for name in names):
        raise NotRead("The file of postmaster_tools_file holds neither a refresh token nor a service account.")
    return {"grant_type": "refresh_token", **{name: given[name] for name in names}}


def _grant(given: Mapping[str, Any]) -> dict[str, str]:
    """RFC 7523 2.1, RS256. The machine's own clock: Google compares it with its own."""
    try:
        key = serialization.load_pem_private_key(str(given.get("private_key", "")).encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NotRead("The service account's private_key is no private key.") from None
    issuer = given.get("client_email")
    if not isinstance(key, rsa.RSAPrivateKey) or not isinstance(issuer, str) or not issuer:
        raise NotRead("The service account has no client_email, or a key that is not RSA.")
    now = int(time.time())
    claims = {"iss": issuer, "scope": SCOPE, "aud": TOKEN, "iat": now, "exp": now + _HOUR}
    if isinstance(given.get("subject"), str):
        claims["sub"] = given["subject"]
    signed = b".".join(_base64(json.dumps(each).encode()) for each in ({"alg": "RS256", "typ": "JWT"}, claims))
    made = signed + b"." + _base64(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))
    return {"grant_type": _JWT, "assertion": made.decode()}


def _base64(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _why(document: Mapping[str, Any]) -> str:
    """Google's own short word for it: `status` of its errors, `error` of OAuth's."""
    error: Any = document.get("error")
    found = error.get("status") if isinstance(error, dict) else error
    return (
        f" ({found})" if isinstance(found, str) and found.isascii() and found.isprintable() and len(found) < 60 else ""
    )
