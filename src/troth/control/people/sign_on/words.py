"""Signing on: what a connection says, in words, for its own page and for whoever approves it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from troth.control.people.sign_on import certificates
from troth.control.people.sign_on.connection import OpenId, Saml, SignOn

type Line = tuple[str, str]


def lines(terms: SignOn, spare: str = "") -> list[Line]:
    """(about, what it says), in the order of the form. `spare`: the name of the one who may use a password."""
    if terms.retired:
        return [("Connection", "taken back: nobody signs on with a provider of this client")]
    found = [("Protocol", terms.protocol), ("Domains", ", ".join(terms.domains))]
    found += _openid(terms.openid) if terms.openid is not None else []
    found += _saml(terms.saml) if terms.saml is not None else []
    everybody = "required: members’ passwords and passkeys open nothing"
    found.append(("Single sign-on", everybody if terms.enforced else "offered beside passwords and passkeys"))
    if terms.enforced:
        kept = spare or str(terms.spare or "")
        found.append(
            ("If the provider is away", f"{kept} may use a password" if kept else "nobody of this client gets in")
        )
    trusted = (
        "taken from the provider" if terms.trusts_second_factor else "Troth’s own is asked for, where one is needed"
    )
    return [*found, ("Second factor", trusted)]


def _openid(openid: OpenId) -> Iterator[Line]:
    yield "Issuer", openid.issuer
    yield "Client id", openid.client_id
    yield "People are sent to", openid.authorization_endpoint
    yield (
        "We ask",
        ", ".join(
            sorted({_host(url) for url in (openid.token_endpoint, openid.jwks_uri, openid.userinfo_endpoint) if url})
        ),
    )
    said = (
        "as verified, though the provider does not say so"
        if openid.vouches
        else "only if the provider calls it verified"
    )
    yield "An address is taken", said


def _saml(saml: Saml) -> Iterator[Line]:
    yield "Entity id", saml.entity_id
    yield "People are sent to", saml.sso_url
    for one in map(certificates.read, saml.certificates):
        yield "Certificate", f"{one.subject}, until {one.until:%-d %B %Y}, SHA-256 {one.fingerprint}"


def _host(url: str) -> str:
    return urlsplit(url).netloc
