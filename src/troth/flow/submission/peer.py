"""Submission, from where: the address that a request came from, told by trusted proxies where one stands in front.

Only a proxy whose own address is within `trusted` is believed: `X-Forwarded-For` is read from its end, where the
nearest proxy wrote, as far as the names are trusted proxies themselves. What a client wrote before that is ignored.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request

type Networks = Sequence[IPv4Network | IPv6Network]


def peer_of(request: Request, trusted: Networks) -> str | None:
    """The caller's address as text; None where there is none, as on a Unix socket."""
    nearest = request.client.host if request.client else None
    if not trusted or nearest is None:
        return nearest
    told = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
    while told and _trusted(nearest, trusted):
        nearest = told.pop()
    return nearest


def _trusted(text: str, networks: Networks) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False  # no address: it is nobody's, and within no key's networks either
    address = (address.version == 6 and address.ipv4_mapped) or address
    return any(address in network for network in networks)
