"""Access: the form of a client's sign-on: what was typed becomes the artefact that two people approve.

A client secret is sealed as soon as it is typed, for the issuer that it was typed with: it is never sent to another.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.control.people.sign_on import discovery, metadata
from troth.control.people.sign_on.connection import OpenId, Saml, SignOn
from troth.control.people.sign_on.discovery import BadProvider
from troth.control.people.sign_on.xml import BadXml
from troth.keys import places
from troth.keys.keyring import TenantKeys

type Typed = dict[str, str]

OPENID, SAML = "openid", "saml"
FIELDS = ("protocol", "issuer", "client_id", "metadata", "domains", "spare")
TICKS = ("vouches", "enforced", "trusts_second_factor")
_LONGEST = {"metadata": 262_144, "domains": 5_000}
_SHORT = 1_024


@dataclass(frozen=True, slots=True)
class Sealed:
    """A client secret as a draft keeps it: in base64, and for which issuer."""

    ciphertext: str
    issuer: str


def read(post: Mapping[str, str]) -> Typed:
    """What is kept of a form: never the secret itself."""
    typed = {name: post.get(name, "").replace("\0", "").strip()[: _LONGEST.get(name, _SHORT)] for name in FIELDS}
    return typed | {name: "on" if post.get(name) else "" for name in TICKS}


def typed_of(terms: SignOn) -> Typed:
    """The form of what is in force."""
    typed = dict.fromkeys((*FIELDS, *TICKS), "")
    openid = terms.openid
    typed |= {"protocol": OPENID if openid else SAML, "domains": "\n".join(terms.domains)}
    if openid is not None:
        typed |= {"issuer": openid.issuer, "client_id": openid.client_id, "vouches": "on" if openid.vouches else ""}
    typed |= {"enforced": "on" if terms.enforced else "", "spare": str(terms.spare or "")}
    return typed | {"trusts_second_factor": "on" if terms.trusts_second_factor else ""}


def sealed_of(post: Mapping[str, str], kept: Sealed | None, tenant: UUID, keys: TenantKeys) -> Sealed | None:
    """What was typed now, sealed; else what is kept, if it is for this issuer."""
    secret, issuer = post.get("client_secret", ""), post.get("issuer", "").replace("\0", "").strip()
    if secret:
        ciphertext = keys.seal(secret[:_SHORT].encode(), places.sign_on_secret(tenant))
        return Sealed(base64.b64encode(ciphertext).decode(), issuer)
    return kept if kept is not None and kept.issuer == issuer else None


def domains_of(typed: Typed) -> list[str]:
    return list(
        dict.fromkeys(
            name.lower().removeprefix("@").rstrip(".") for name in re.split(r"[\s,;]+", typed["domains"]) if name
        )
    )


def artefact(
    typed: Typed, secret: Sealed | None, before: SignOn | None, now: datetime
) -> tuple[dict[str, Any], dict[str, str]]:
    """The artefact, and what is wrong with what was typed, by field. Asks an OpenID provider to describe itself."""
    faults: dict[str, str] = {}
    names = domains_of(typed)
    if not names:
        faults["domains"] = "Name at least one domain of your people’s addresses, one a line."
    openid, saml = None, None
    if typed["protocol"] == OPENID:
        openid = _openid(typed, secret, faults)
    elif typed["protocol"] == SAML:
        saml = _saml(typed, before, faults, now)
    else:
        faults["protocol"] = "Choose how your provider speaks: OpenID Connect or SAML."
    terms = SignOn(
        domains=tuple(names),
        openid=openid,
        saml=saml,
        enforced=bool(typed["enforced"]),
        trusts_second_factor=bool(typed["trusts_second_factor"]),
        spare=_spare(typed, faults),
    )
    return msgspec.to_builtins(terms), faults


def _openid(typed: Typed, secret: Sealed | None, faults: dict[str, str]) -> OpenId | None:
    if not typed["issuer"]:
        faults["issuer"] = "Type the issuer’s address as your provider shows it, such as https://login.example.com."
    if not typed["client_id"]:
        faults["client_id"] = "Type the client id that your provider gave this application."
    if secret is None:
        hint = "Type the client secret for this issuer; it is sealed at once and never shown again."
        faults |= {"client_secret": hint}
    if secret is None or {"issuer", "client_id"} & faults.keys():
        return None
    try:
        return discovery.provider(
            typed["issuer"], typed["client_id"], secret.ciphertext, vouches=bool(typed["vouches"])
        )
    except BadProvider as wrong:
        faults["issuer"] = str(wrong)
        return None


def _saml(typed: Typed, before: SignOn | None, faults: dict[str, str], now: datetime) -> Saml | None:
    if not typed["metadata"] and before is not None and before.saml is not None:
        return before.saml
    if not typed["metadata"]:
        faults["metadata"] = "Paste the XML of your provider’s metadata; its address alone is not fetched."
        return None
    try:
        return metadata.read(typed["metadata"], now)
    except BadXml as wrong:
        faults["metadata"] = str(wrong)
        return None


def _spare(typed: Typed, faults: dict[str, str]) -> UUID | None:
    if not typed["spare"]:
        return None
    try:
        return UUID(typed["spare"])
    except ValueError:
        faults["spare"] = "Choose one of the administrators."
        return None
