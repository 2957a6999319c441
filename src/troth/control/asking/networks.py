"""Asking: the network that somebody asks from, of whose forms a day has only so many."""

import ipaddress

_NETWORKS = {4: 24, 6: 56}  # bits by which somebody's addresses are counted together


def network(place: str) -> str | None:
    """An address that is not of the public internet is a proxy's, which stands for everybody: None."""
    try:
        address = ipaddress.ip_address(place)
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address  # a socket for both writes ::ffff:192.0.2.1
    if not address.is_global:
        return None
    return str(ipaddress.ip_network((address, _NETWORKS[address.version]), strict=False))
