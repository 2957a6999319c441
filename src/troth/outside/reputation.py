"""The house's question to DNS lists about an address or a domain that it sends from (RFC 5782), and whether an address
has a name that leads back to it.

A list that refuses us, or that fails the test which every list must pass (section 5), is said to be unusable: it is
never taken for "not listed".
"""

import asyncio
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from troth.outside.dns import LookupFailed, Outcome, Resolver

FRESH = timedelta(hours=3)  # it is looked at every hour: what is older says nothing of now
REVERSE = "reverse-name"
_LISTED = ipaddress.ip_network("127.0.0.0/8")
# Answers that tell of the question, not of the subject: Spamhaus and others say so when a query is refused or limited
_REFUSED = (ipaddress.ip_network("127.255.255.0/24"), ipaddress.ip_network("127.0.0.1/32"))
_LONGEST = 500
# RFC 5782 section 5: what every list must hold and must not
_ADDRESS_TESTS = {4: ("127.0.0.2", "127.0.0.1"), 6: ("::ffff:7f00:2", "::ffff:7f00:1")}
_DOMAIN_TESTS = ("test", "invalid")


@dataclass(frozen=True, slots=True)
class Look:
    """`state`: clean, listed; confirmed, unconfirmed (of a reverse name); unusable, silent. `said`: for people."""

    subject: str
    list: str
    state: str
    said: str = ""


async def address_looks(resolver: Resolver, addresses: Iterable[str], zones: Iterable[str]) -> list[Look]:
    """Every address on every list, and its reverse name. Each list is tested first, once."""
    given = [ipaddress.ip_address(each) for each in addresses]
    looks = [reverse_name(resolver, str(each)) for each in given]
    for zone in zones:
        looks.extend(_on_list(resolver, str(each), _under(each, zone), zone, _tests(each, zone)) for each in given)
    return list(await asyncio.gather(*looks))


async def domain_looks(resolver: Resolver, domains: Iterable[str], zones: Iterable[str]) -> list[Look]:
    names = list(domains)
    looks = [
        _on_list(resolver, name, f"{name}.{zone}", zone, [f"{label}.{zone}" for label in _DOMAIN_TESTS])
        for zone in zones
        for name in names
    ]
    return list(await asyncio.gather(*looks))


async def reverse_name(resolver: Resolver, address: str) -> Look:
    """Whether a name of the address leads back to it (forward-confirmed reverse DNS)."""
    found = await resolver.pointers(ipaddress.ip_address(address).reverse_pointer)
    if isinstance(found, LookupFailed):
        return Look(address, REVERSE, "silent", found.reason)
    if not found.values:
        return Look(address, REVERSE, "unconfirmed", f"{address} has no reverse name (PTR): have its owner set one.")
    for name in found.values:
        forward = await resolver.addresses(name)
        if isinstance(forward, LookupFailed):
            return Look(address, REVERSE, "silent", forward.reason)
        if address in {str(ipaddress.ip_address(each)) for each in forward.values}:
            return Look(address, REVERSE, "confirmed", name)
    names = ", ".join(found.values)[: _LONGEST // 2]
    said = f"{address} is named {names}, and no such name leads back to it: give it an address record for {address}."
    return Look(address, REVERSE, "unconfirmed", said)


async def _on_list(resolver: Resolver, subject: str, name: str, zone: str, tests: list[str]) -> Look:
    if (wrong := await _unusable(resolver, zone, tests)) is not None:
        return Look(subject, zone, wrong[0], wrong[1])
    found = await resolver.listed(name)
    if isinstance(found, LookupFailed):
        return Look(subject, zone, "silent", found.reason)
    if found.outcome is not Outcome.FOUND:
        return Look(subject, zone, "clean")
    if refused := _not_an_answer(found.values):
        return Look(subject, zone, "unusable", f"{zone} does not answer us: it says {refused}.")
    return Look(subject, zone, "listed", await _why(resolver, name, found.values))


async def _unusable(resolver: Resolver, zone: str, tests: list[str]) -> tuple[str, str] | None:
    """Why the list cannot be believed; the first of `tests` must be listed, the second must not."""
    positive, negative = await asyncio.gather(*(resolver.listed(each) for each in tests))
    for found in (positive, negative):
        if isinstance(found, LookupFailed):
            return "silent", found.reason
    assert not isinstance(positive, LookupFailed)
    assert not isinstance(negative, LookupFailed)
    if refused := _not_an_answer(positive.values) or _not_an_answer(negative.values):
        return (
            "unusable",
            f"{zone} refuses this resolver's questions: it answers {refused}. Ask it from another one.",
        )
    if not positive.values:
        return "unusable", f"{zone} does not list the entry that every list has for tests: it is closed, or not a list."
    if negative.values:
        return "unusable", f"{zone} lists everything, even what no list may: it is closed."
    return None


def _not_an_answer(values: tuple[str, ...]) -> str:
    """The first value that says something else than "listed"."""
    for value in values:
        address = ipaddress.ip_address(value)
        if address not in _LISTED or any(address in network for network in _REFUSED):
            return value
    return ""


async def _why(resolver: Resolver, name: str, values: tuple[str, ...]) -> str:
    """The list's own words (TXT), and its codes."""
    words = await resolver.txt(name)
    text = " ".join(words.values) if not isinstance(words, LookupFailed) else ""
    return f"{', '.join(values)} {text}".strip()[:_LONGEST]


def _under(address: ipaddress.IPv4Address | ipaddress.IPv6Address, zone: str) -> str:
    """RFC 5782 sections 2.1 and 2.4: the reversed address in front of the zone."""
    return f"{address.reverse_pointer.rsplit('.', 2)[0]}.{zone}"


def _tests(address: ipaddress.IPv4Address | ipaddress.IPv6Address, zone: str) -> list[str]:
    return [_under(ipaddress.ip_address(each), zone) for each in _ADDRESS_TESTS[address.version]]
