"""Four eyes, the picture of a client's single sign-on: whose provider vouches for whom; never a secret."""

import base64
import hashlib
from typing import Any
from uuid import UUID

from django.conf import settings

from troth.control.approvals.pictures.picture import Picture, rows
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import row
from troth.control.people.actor import Actor
from troth.keys import places

_LABELS = {
    "domains": "Addresses of",
    "protocol": "Protocol",
    "provider": "Provider",
    "there": "People are sent to",
    "asked": "We ask, with the secret",
    "client_id": "Client id",
    "secret": "Client secret",
    "vouches": "An address is taken",
    "certificates": "Its certificates, by SHA-256",
    "enforced": "How people sign in",
    "spare": "If the provider is away",
    "factor": "Second factor",
}


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    domains = ", ".join(seen.artefact.get("domains") or ())
    if seen.artefact.get("retired"):
        says, then = "Single sign-on ends.", "People sign in with what they have here; who has no password sets one."
    else:
        says = f"People with addresses of {domains} sign on with their firm’s own provider."
        then = "It holds from the next sign-in on. Who is new arrives without access."
        if seen.artefact.get("enforced"):
            then += " Sessions that a password or passkey opened end at once."
    return Picture(says, then, rows(seen.before and _told(seen.before), _told(seen.artefact), _LABELS))


def _told(artefact: dict[str, Any]) -> dict[str, Any]:
    openid, saml = artefact.get("openid") or {}, artefact.get("saml") or {}
    return {
        "domains": artefact.get("domains"),
        "protocol": "OpenID Connect" if openid else "SAML 2.0" if saml else "",
        "provider": openid.get("issuer") or saml.get("entity_id"),
        "there": openid.get("authorization_endpoint") or saml.get("sso_url"),
        "asked": openid.get("token_endpoint"),
        "client_id": openid.get("client_id"),
        "secret": openid and f"sealed, {_fingerprint(openid.get('client_secret_ct') or '')}",
        "vouches": openid
        and ("without being called verified" if openid.get("vouches") else "if it is called verified"),
        "certificates": [_fingerprint(each) for each in saml.get("certificates") or ()],
        "enforced": "by the provider alone" if artefact.get("enforced") else "by the provider, or with a password here",
        "spare": _spare(artefact.get("spare")) if artefact.get("enforced") else "",
        "factor": "the provider’s counts" if artefact.get("trusts_second_factor") else "ours is asked for",
    }


def _spare(account: str | None) -> str:
    """By name, where the account is one of the client's administrators."""
    if not account:
        return "nobody of this client gets in"
    found = row("SELECT name_ct FROM troth.account WHERE id = %s", UUID(account))
    operator = settings.TROTH_KEYS().operator
    name = operator.open(bytes(found[0]), places.account(UUID(account), "name")).decode() if found else account
    return f"{name} may use a password"


def _fingerprint(text: str) -> str:
    try:
        digest = hashlib.sha256(base64.b64decode(text, validate=True)).hexdigest()
    except ValueError:
        return "unreadable"
    return f"{digest[:16]}…{digest[-8:]}"
