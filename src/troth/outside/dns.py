"""The house's window on the DNS: one question, one answer, as data. Nothing is kept from one question to
the next.

A name without records and a name that is not there are answers; a server that could not say is
`LookupFailed`, which is temporary. So a changed record is seen at once, and an outage is never taken for a
missing record.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver

_EDNS_BYTES = 1232  # what passes unfragmented everywhere; longer answers come again over TCP


class Outcome(StrEnum):
    """What the DNS said."""

    FOUND = "found"
    NXDOMAIN = "nxdomain"  # the name is not there
    NODATA = "nodata"  # the name is there, without records of this type


@dataclass(frozen=True, slots=True)
class Lookup[T]:
    """An answer. `values` is empty unless the outcome is FOUND. `ttl`: seconds that the one who answered keeps it;
    `canonical`: where CNAMEs led, "" when the name itself answered.
    """

    name: str
    outcome: Outcome
    values: tuple[T, ...] = ()
    ttl: int = field(default=0, compare=False)
    canonical: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """No answer: a timeout, SERVFAIL, REFUSED, nonsense. `reason` is for people; `kind`: timeout, servfail, refused,
    other.
    """

    name: str
    reason: str
    kind: str = field(default="other", compare=False)
    temporary: ClassVar[bool] = True


class Resolver:
    """Asks these name servers (address, port), or the system's; `timeout` is seconds a question."""

    def __init__(self, addresses: Sequence[tuple[str, int]] = (), timeout: float = 5.0) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not addresses)
        if addresses:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in addresses]
        self._resolver.timeout = min(self._resolver.timeout, timeout)
        self._resolver.lifetime = timeout
        self._resolver.use_edns(0, 0, _EDNS_BYTES)

    async def txt(self, name: str) -> Lookup[str] | LookupFailed:
        """Look up TXT records, each with its character-strings joined (RFC 7208 section 3.3)."""
        return await self._ask(name, "TXT", _text)

    async def mx(self, name: str) -> Lookup[tuple[int, str]] | LookupFailed:
        """Look up (preference, exchange), lowest first; a null MX (RFC 7505) is (0, ".")."""
        return await self._ask(name, "MX", lambda rdata: (int(rdata.preference), _host(rdata.exchange)))

    async def servers(self, name: str) -> Lookup[str] | LookupFailed:
        """Look up the name servers of a zone; none below or above its apex."""
        return await self._ask(name, "NS", lambda rdata: _host(rdata.target))

    async def pointers(self, name: str) -> Lookup[str] | LookupFailed:
        """Look up the host names (PTR) of a reverse name such as 1.2.0.192.in-addr.arpa."""
        return await self._ask(name, "PTR", lambda rdata: _host(rdata.target))

    async def listed(self, name: str) -> Lookup[str] | LookupFailed:
        """Look up the A records of a name: a DNS list's way of saying yes (RFC 5782)."""
        return await self._ask(name, "A", _address)

    async def addresses(self, name: str) -> Lookup[str] | LookupFailed:
        """Look up A and AAAA records together, IPv4 first; both must have been answered."""
        v4, v6 = await asyncio.gather(self._ask(name, "A", _address), self._ask(name, "AAAA", _address))
        for found in (v4, v6):
            if isinstance(found, LookupFailed):
                return found
        return _both(name, v4, v6)  # type: ignore[arg-type]  # the loop has returned either failure

    async def _ask[T: (str, tuple[int, str])](
        self, name: str, kind: str, read: Callable[[Any], T]
    ) -> Lookup[T] | LookupFailed:
        try:
            question = dns.name.from_text(name.encode("ascii"))
        except UnicodeEncodeError:
            raise ValueError(f"{name!r}: hand in names in A-label form (xn--...)") from None
        except dns.exception.DNSException:
            return Lookup(name, Outcome.NXDOMAIN)  # a name that cannot be written cannot be there
        try:
            answer = await self._resolver.resolve(question, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as missing:
            return Lookup(name, Outcome.NXDOMAIN, ttl=_negative(missing))
        except (dns.exception.DNSException, OSError) as error:
            return _failed(name, kind, error)
        # In order, because the DNS shuffles: the same records must read the same as evidence.
        values = tuple(sorted(read(rdata) for rdata in answer.rrset or ()))
        ttl = int(answer.rrset.ttl if answer.rrset else answer.chaining_result.minimum_ttl)
        led = _host(answer.canonical_name)
        canonical = led if led != _host(question) else ""
        return Lookup(name, Outcome.FOUND if values else Outcome.NODATA, values, ttl, canonical)


_FAILURES = {
    "timeout": "the DNS gave no answer in time for {} ({})",
    "servfail": "the name servers answer with an error (SERVFAIL) for {} ({})",
    "refused": "the name servers refuse to answer for {} ({})",
    "other": "the DNS gave no usable answer for {} ({})",
}


def _failed(name: str, question: str, error: Exception) -> LookupFailed:
    kind = _kind(error)
    return LookupFailed(name, _FAILURES[kind].format(name, question), kind)


def _kind(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "timeout"
    errors = error.kwargs.get("errors", ()) if isinstance(error, dns.resolver.NoNameservers) else ()
    said = {each[4].rcode() for each in errors if each[4] is not None}
    if dns.rcode.SERVFAIL in said:
        return "servfail"
    return "refused" if dns.rcode.REFUSED in said else "other"


def _negative(missing: dns.resolver.NXDOMAIN) -> int:
    """How long "there is no such name" is kept (RFC 2308), 0 where it was not said."""
    responses = missing.kwargs.get("responses", {})
    return min((int(each.resolve_chaining().minimum_ttl) for each in responses.values()), default=0)


def _both(name: str, v4: Lookup[str], v6: Lookup[str]) -> Lookup[str]:
    values = v4.values + v6.values
    if values:
        return Lookup(name, Outcome.FOUND, values)
    gone = Outcome.NXDOMAIN in (v4.outcome, v6.outcome)
    return Lookup(name, Outcome.NXDOMAIN if gone else Outcome.NODATA)


def _text(rdata: Any) -> str:
    # Records are ASCII; a stray octet must neither raise nor turn into something that matches.
    return b"".join(rdata.strings).decode("ascii", "backslashreplace")


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _address(rdata: Any) -> str:
    return str(rdata.address)
