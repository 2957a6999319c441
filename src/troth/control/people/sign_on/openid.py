"""Signing on with OpenID Connect: the authorization code flow with PKCE, state and nonce (OpenID Connect Core 3.1).

The endpoints are those that two people approved; nothing that a provider answers makes us ask elsewhere. An ID token is
believed for its signature, issuer, audience, time and nonce, although it came over TLS.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from troth.control.people.sign_on import outward
from troth.control.people.sign_on.connection import OpenId, SignOn
from troth.control.people.sign_on.identity import Identity, identity
from troth.control.people.sign_on.refusing import NotSignedOn

_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
_LEAST_BITS = 2048  # of RSA
_LEEWAY = 60  # seconds between the provider's clock and ours
# RFC 8176: "mfa" says it; a password together with one of these is it
_SECOND = frozenset({"otp", "hwk", "swk", "sc", "fpt", "face", "iris", "retina", "vbm", "pop"})
_PUBLIC = ("RSA", "EC", "OKP")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One round trip. `secret` is the browser's alone; nonce and PKCE verifier come of it, and no table has them."""

    state: str
    secret: bytes = field(repr=False)
    redirect_uri: str

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        return self._derived("verifier")

    def _derived(self, what: str) -> str:
        return _b64(hmac.digest(self.secret, f"{what} {self.state}".encode(), "sha256"))


def request_url(openid: OpenId, attempt: Attempt, hint: str = "") -> str:
    """Where the browser goes. `hint`: the address that was typed, for the provider's own form."""
    asked = {
        "response_type": "code",
        "scope": "openid email profile",
        "client_id": openid.client_id,
        "redirect_uri": attempt.redirect_uri,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": _b64(hashlib.sha256(attempt.verifier.encode()).digest()),
        "code_challenge_method": "S256",
        **({"login_hint": hint} if hint else {}),
    }
    there = openid.authorization_endpoint
    return f"{there}{'&' if urlsplit(there).query else '?'}{urlencode(asked)}"


def code_of(openid: OpenId, answer: dict[str, str]) -> str:
    """The code out of the browser's answer; NotSignedOn for an error, or another provider's answer (RFC 9207)."""
    issuer = answer.get("iss")
    if issuer != openid.issuer and (issuer is not None or openid.names_itself):
        raise NotSignedOn("the answer comes from another issuer")
    if "error" in answer:
        error = "".join(sign for sign in answer["error"][:40] if sign.isalnum() or sign in "_-")
        raise NotSignedOn(f"the provider answered {error}", f"Your provider did not sign you on; it said: {error}.")
    if not answer.get("code"):
        raise NotSignedOn("the answer holds no code")
    return answer["code"]


def verified(code: str, secret: str, terms: SignOn, attempt: Attempt) -> Identity:
    """Exchange the code; whose it is, when all of it holds; else NotSignedOn. `secret`: the client's own."""
    openid = terms.openid
    assert openid is not None
    tokens = _exchanged(openid, code, secret, attempt)
    claims = _claims(openid, tokens.get("id_token"), attempt.nonce)
    person = _person(openid, tokens.get("access_token"), claims)
    _check_verified(openid, person)
    return identity(person.get("email"), person.get("name"), second=_second(claims.get("amr")), domains=terms.domains)


def _exchanged(openid: OpenId, code: str, secret: str, attempt: Attempt) -> dict[str, Any]:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    if openid.secret_in == "body":  # noqa: S105 - where it goes, not what it is
        return outward.post(
            openid.token_endpoint, {**fields, "client_id": openid.client_id, "client_secret": secret}, {}
        )
    pair = f"{quote(openid.client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749 section 2.3.1
    basic = base64.b64encode(pair.encode()).decode()
    return outward.post(openid.token_endpoint, fields, {"Authorization": f"Basic {basic}"})


def _claims(openid: OpenId, token: object, nonce: str) -> dict[str, Any]:
    """What a valid ID token says (OpenID Connect Core 3.1.3.7)."""
    if not isinstance(token, str):
        raise NotSignedOn("the provider gave no ID token")
    try:
        key, kind = _key(outward.get(openid.jwks_uri), jwt.get_unverified_header(token))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS[kind]),
            audience=openid.client_id,
            issuer=openid.issuer,
            leeway=_LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as wrong:
        raise NotSignedOn(f"the ID token does not hold: {wrong}"[:200]) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else openid.client_id) != openid.client_id:
        raise NotSignedOn("the ID token was made for another client")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotSignedOn("the ID token answers another request")
    return claims


def _key(jwks: dict[str, Any], header: dict[str, Any]) -> tuple[Any, str]:
    """The provider's public key for this token, and its kind. A secret in a key set is none; `alg: none` has no key."""
    if header.get("alg") not in [name for names in _ALGORITHMS.values() for name in names]:
        raise NotSignedOn("the ID token's algorithm is not one that is accepted")
    given = jwks.get("keys")
    usable = [
        one
        for one in (given if isinstance(given, list) else [])
        if isinstance(one, dict)
        and one.get("kty") in _PUBLIC
        and one.get("use", "sig") == "sig"
        and header["alg"] in _ALGORITHMS[one["kty"]]
        and one.get("alg", header["alg"]) == header["alg"]
        and ("kid" not in header or one.get("kid") == header["kid"])
    ]
    if len(usable) != 1:
        raise NotSignedOn("the provider's keys hold none for this ID token")
    key = jwt.PyJWK.from_dict(usable[0], header["alg"]).key
    if usable[0]["kty"] == "RSA" and key.key_size < _LEAST_BITS:
        raise NotSignedOn("the provider's key is too weak")
    return key, usable[0]["kty"]


def _person(openid: OpenId, access_token: object, claims: dict[str, Any]) -> dict[str, Any]:
    """Address and name: the ID token's own or, where it leaves the address out, userinfo's of the same subject (Core
    5.3). Never parts of both.
    """
    if "email" in claims or not openid.userinfo_endpoint or not isinstance(access_token, str):
        return claims
    more = outward.get(openid.userinfo_endpoint, bearer=access_token)
    if more.get("sub") != claims["sub"]:
        raise NotSignedOn("the provider's userinfo is about somebody else")
    return more


def _check_verified(openid: OpenId, person: dict[str, Any]) -> None:
    said = person.get("email_verified", True if openid.vouches else None)
    if said not in (True, "true"):
        raise NotSignedOn(
            "the provider does not say that the address is verified",
            "Your provider has not verified your e-mail address.",
        )


def _second(amr: object) -> bool:
    ways = {one for one in amr if isinstance(one, str)} if isinstance(amr, list) else set()
    return "mfa" in ways or (bool(ways & {"pwd", "pin"}) and bool(ways & _SECOND))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
