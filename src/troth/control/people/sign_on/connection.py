"""Signing on: what two people approved for a client (the artefact of kind `sign-on`), its shape and its rows."""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from troth.control.audit.asking import row

CODE = "sign-on"  # a client has one


class OpenId(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An OpenID provider as its discovery document described it when this was proposed. The secret is sealed under the
    tenant's keyset, in base64. `vouches`: an address that comes without `email_verified` is taken for verified.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    client_id: str
    client_secret_ct: str
    secret_in: Literal["header", "body"] = "header"  # noqa: S105 - where it goes, not what it is
    names_itself: bool = False  # authorization_response_iss_parameter_supported (RFC 9207)
    vouches: bool = False


class Saml(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A SAML identity provider, out of its metadata. Certificates are DER in base64: several while one is replaced."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]


class SignOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One of `openid` and `saml`. `spare`: the one administrator who may use a password even so."""

    domains: tuple[str, ...]
    openid: OpenId | None = None
    saml: Saml | None = None
    enforced: bool = False
    trusts_second_factor: bool = False
    spare: UUID | None = None
    retired: bool = False

    @property
    def there(self) -> str:
        """Where people are sent to."""
        if self.openid is not None:
            return self.openid.authorization_endpoint
        return self.saml.sso_url if self.saml is not None else ""

    @property
    def origin(self) -> str:
        """Its origin, for a policy's form-action."""
        parts = urlsplit(self.there)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def protocol(self) -> str:
        return "OpenID Connect" if self.openid is not None else "SAML 2.0"


@dataclass(frozen=True, slots=True)
class Connection:
    """The version in force of a client. `keyset` is the tenant's, wrapped."""

    tenant: UUID
    name: str
    keyset: bytes
    snapshot: UUID
    terms: SignOn


def of_domain(domain: str) -> Connection | None:
    """Whose people have addresses of this domain, if they sign on with a provider of theirs."""
    return _read(row("SELECT * FROM troth.sign_on_of_domain_v1(%s)", domain))


def of_tenant(tenant: UUID) -> Connection | None:
    return _read(row("SELECT * FROM troth.sign_on_of_tenant_v1(%s)", tenant))


def _read(found: tuple[Any, ...] | None) -> Connection | None:
    if found is None:
        return None
    tenant, name, keyset, snapshot, artefact = found
    return Connection(tenant, name, bytes(keyset), snapshot, msgspec.json.decode(artefact, type=SignOn))
