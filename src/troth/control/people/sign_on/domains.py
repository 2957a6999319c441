"""Signing on: how a client shows that a domain is its own: a TXT record beside it, which nobody else can publish."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from troth.outside.dns import LookupFailed

_LABEL = "_troth-sign-on"
_HEX = 40  # signs of the token: 160 bits


@dataclass(frozen=True, slots=True)
class Record:
    """A TXT record to publish."""

    name: str
    text: str


def record(tenant: UUID, domain: str) -> Record:
    """This client's record for this domain, always the same one; it tells nothing of either."""
    token = salted_hmac("troth.sign-on-domain", f"{tenant}:{domain}", algorithm="sha256").hexdigest()[:_HEX]
    return Record(f"{_LABEL}.{domain}", f"troth-sign-on={token}")


def missing(tenant: UUID, domain: str) -> str:
    """Ask the DNS: empty when the record is there, else what was found instead, in a sentence."""
    wanted = record(tenant, domain)
    found = asyncio.run(settings.TROTH_OUTWARD.resolver.txt(wanted.name))
    if isinstance(found, LookupFailed):
        return f"The DNS could not be asked about {wanted.name}: try again in a moment."
    if wanted.text in (text.strip() for text in found.values):
        return ""
    if found.values:
        return f"{wanted.name} has a TXT record, but not the one below."
    return f"The DNS shows no TXT record at {wanted.name} yet; a new record takes minutes, sometimes hours."
