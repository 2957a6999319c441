"""Signing on with OpenID Connect: what a provider says of itself (OpenID Connect Discovery 1.0).

It is read when a connection is drafted, so that its endpoints are among what two people approve.
"""

from typing import Any
from urllib.parse import urlsplit

from troth.control.people.sign_on import outward
from troth.control.people.sign_on.connection import OpenId
from troth.control.people.sign_on.refusing import NotSignedOn

_WELL_KNOWN = "/.well-known/openid-configuration"


class BadProvider(ValueError):  # noqa: N818 - reads as the answer it is
    """The sentence says what is wrong with the provider, or with its address."""


def provider(issuer: str, client_id: str, client_secret_ct: str, *, vouches: bool) -> OpenId:
    """Ask the issuer; raise BadProvider. The issuer that it names must be the one that was typed, to the letter."""
    issuer = issuer.strip()
    try:
        said = outward.get(issuer.rstrip("/") + _WELL_KNOWN)
    except NotSignedOn as trouble:
        raise BadProvider(f"The issuer could not be asked: {trouble.why}.") from None
    if said.get("issuer") != issuer:
        raise BadProvider(f"It calls itself {str(said.get('issuer'))[:200]!r}: type the issuer exactly so.")
    if "code" not in _listed(said, "response_types_supported", ["code"]):
        raise BadProvider("It does not offer the authorization code flow.")
    if "S256" not in _listed(said, "code_challenge_methods_supported", ["S256"]):
        raise BadProvider("It does not offer PKCE with S256.")
    methods = _listed(said, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not {"client_secret_basic", "client_secret_post"} & set(methods):
        raise BadProvider("It takes a client's secret neither in a header nor in a form.")
    return OpenId(
        issuer=issuer,
        authorization_endpoint=_url(said, "authorization_endpoint"),
        token_endpoint=_url(said, "token_endpoint"),
        jwks_uri=_url(said, "jwks_uri"),
        userinfo_endpoint=_url(said, "userinfo_endpoint") if "userinfo_endpoint" in said else "",
        client_id=client_id,
        client_secret_ct=client_secret_ct,
        secret_in="header" if "client_secret_basic" in methods else "body",
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        vouches=vouches,
    )


def _listed(said: dict[str, Any], name: str, default: list[str]) -> list[str]:
    given = said.get(name, default)
    return [str(one) for one in given] if isinstance(given, list) else []


def _url(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not urlsplit(value).netloc:
        raise BadProvider(f"Its description names no {name}.")
    return value
