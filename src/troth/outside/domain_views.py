"""The house's look at a sending domain through several resolvers and its own name servers: receivers ask all kinds,
and each keeps an old record for as long as its TTL.

A domain holds when every resolver that answers says so; its own servers say how far a change has come.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from troth.mail.domain_auth import Finding, Readiness
from troth.outside.dns import LookupFailed, Resolver

_SERVERS = 4  # name servers of a domain that are asked
_PATIENCE = 2.0  # seconds for one of them: they may well be out of reach from here


@dataclass(frozen=True, slots=True)
class Asked:
    """One place to ask: `own` is one of the domain's own name servers."""

    who: str
    resolver: Resolver
    own: bool = False


@dataclass(frozen=True, slots=True)
class View:
    who: str
    own: bool
    seen: Readiness | LookupFailed

    @property
    def holds(self) -> bool:
        return isinstance(self.seen, Readiness) and self.seen.ready


async def own_servers(resolver: Resolver, domain: str, port: int = 53) -> tuple[Asked, ...]:
    """The name servers of the zone that the domain is in; none where the DNS does not name them."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        found = await resolver.servers(".".join(labels[start:]))
        if isinstance(found, LookupFailed):
            return ()
        if found.values:
            return await _reached(resolver, found.values[:_SERVERS], port)
    return ()


async def _reached(resolver: Resolver, names: Sequence[str], port: int) -> tuple[Asked, ...]:
    asked = []
    for name, found in zip(names, await asyncio.gather(*map(resolver.addresses, names)), strict=True):
        if not isinstance(found, LookupFailed) and found.values:
            asked.append(Asked(name, Resolver([(found.values[0], port)], _PATIENCE), own=True))
    return tuple(asked)


async def look(
    asked: Sequence[Asked], ask: Callable[[Resolver], Awaitable[Readiness | LookupFailed]]
) -> tuple[View, ...]:
    """All of them at once, in the order given. Own servers that do not answer are left out: nobody said that they must
    be in reach.
    """
    seen = await asyncio.gather(*(ask(each.resolver) for each in asked))
    views = (View(each.who, each.own, one) for each, one in zip(asked, seen, strict=True))
    return tuple(view for view in views if not view.own or isinstance(view.seen, Readiness))


def verdict(views: Sequence[View]) -> Readiness | LookupFailed:
    """What the resolvers say together: good when every one that answers says good; the first fault otherwise, and who
    sees the right records already.
    """
    resolvers = [view for view in views if not view.own]
    answered = [view for view in resolvers if isinstance(view.seen, Readiness)]
    if not answered:
        return resolvers[0].seen
    behind = next((view for view in answered if not view.holds), None)
    if behind is None:
        return answered[0].seen
    assert isinstance(behind.seen, Readiness)
    ahead = [view for view in views if view.holds]
    return _behind(behind.seen, behind.who, ahead) if ahead else behind.seen


def _behind(seen: Readiness, who: str, ahead: Sequence[View]) -> Readiness:
    """The faults, each with the word that they are one resolver's: others see what is right."""
    rest = f", for up to {seen.ttl} seconds more" if seen.ttl else ""
    lag = f"The resolver {who} still sees the old state{rest}; {ahead[0].who} sees the right one."

    def told(finding: Finding) -> Finding:
        return finding if finding.ok else replace(finding, sentence=f"{lag} If it stays so: {finding.sentence}")

    path = told(seen.return_path) if seen.return_path else None
    return replace(seen, spf=told(seen.spf), dkim=told(seen.dkim), dmarc=told(seen.dmarc), return_path=path)
