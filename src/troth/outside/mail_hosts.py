"""The house's question about a recipient's domain: does it take mail at all? (RFC 5321 5.1; null MX: RFC 7505)

A resolver that cannot say is `LookupFailed`: an answer of its own, never taken for a missing record.
"""

import asyncio
from collections.abc import Iterable
from enum import StrEnum

from troth.outside.dns import LookupFailed, Outcome, Resolver

AT_ONCE = 16  # domains that are asked about at a time
_NULL = frozenset({"", "."})


class MailHost(StrEnum):
    """What the DNS says about where a domain's mail goes."""

    EXCHANGER = "mx"
    ADDRESS = "address"  # no MX, but an address record, which counts as one
    NULL_MX = "null-mx"  # the domain says that it takes none
    NONE = "none"


async def mail_host(resolver: Resolver, domain: str) -> MailHost | LookupFailed:
    """Ask for MX, then for an address; `domain` in A-labels."""
    found = await resolver.mx(domain)
    if isinstance(found, LookupFailed):
        return found
    if found.outcome is Outcome.FOUND:
        return MailHost.NULL_MX if {host for _, host in found.values} <= _NULL else MailHost.EXCHANGER
    if found.outcome is Outcome.NXDOMAIN:
        return MailHost.NONE
    there = await resolver.addresses(domain)
    if isinstance(there, LookupFailed):
        return there
    return MailHost.ADDRESS if there.values else MailHost.NONE


async def mail_hosts(resolver: Resolver, domains: Iterable[str]) -> dict[str, MailHost | LookupFailed]:
    """Many domains, each asked once."""
    names = sorted(set(domains))
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(domain: str) -> MailHost | LookupFailed:
        async with gate:
            return await mail_host(resolver, domain)

    return dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
