"""The house's gatekeeper for URLs that clients give: which of them, and which addresses, a request of ours may go to.

BadUrl           permanent: the URL itself cannot be used; the sentence says what to write instead
ForbiddenAddress the name leads, now, to an address that is not public; asked anew at each request

No I/O. What is not plainly public is forbidden: a tunnel or a translation that could lead inside counts as inside.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import ClassVar
from urllib.parse import quote, urlsplit

import idna

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

LONGEST = 2048  # octets of a URL
PORTS = frozenset({443, 8443})
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_DOTTED = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})\Z")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")

# IANA's special-purpose registries (RFC 6890 and after), and the metadata addresses of clouds that lie outside of them.
_INNER_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
        ),
    )
)  # fmt: skip
_GLOBAL_V6 = IPv6Network("2000::/3")  # all that IANA has given out as global unicast
_INNER_V6 = tuple(
    map(
        IPv6Network,
        # Teredo, benchmarking, ORCHID and other protocol assignments; documentation; 6to4; documentation; AS112
        ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48"),
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # the interface identifier's first half: an IPv4 address follows (RFC 5214)


class BadUrl(ValueError):  # noqa: N818 - reads as the answer it is
    """This URL is used for nothing; the words say what is wrong with it."""

    temporary: ClassVar[bool] = False


class ForbiddenAddress(Exception):  # noqa: N818 - reads as the answer it is
    """Nothing was connected. The address is for our own log; a client is told the sentence only."""

    temporary: ClassVar[bool] = True
    sentence = "The name leads to an address that is not a public one."

    def __init__(self, address: str) -> None:
        super().__init__(self.sentence)
        self.address = address


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `host` is an A-label name in lower case, or an address without brackets; `literal`: the
    address, where no DNS is asked for it.
    """

    secure: bool
    host: str
    port: int
    path: str

    @property
    def literal(self) -> Address | None:
        if self.host == "localhost":  # RFC 6761 section 6.3: never a question to the DNS
            return IPv4Address("127.0.0.1")
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """As the Host field has it (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Guard:
    """What is allowed. `allow`: networks that are inner and allowed nevertheless (demo and tests), on any port;
    `plain_http`: whether http is (there, too).
    """

    allow: tuple[Network, ...] = ()
    plain_http: bool = False
    ports: frozenset[int] = PORTS

    def read(self, url: str) -> Target:
        """Take a URL apart, or raise BadUrl."""
        _check_text(url)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BadUrl("This is not a URL: write https://, a host name and a path.") from None
        secure = _secure(parts.scheme, plain_http=self.plain_http)
        if "@" in parts.netloc:
            raise BadUrl("A URL with a user name or password is not used: verify the signature instead.")
        if parts.fragment or url.endswith("#"):
            raise BadUrl("A URL with a #fragment is not used: leave it out.")
        host = _host(parts.netloc, parts.hostname or "")
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{_query(parts.query)}" if parts.query else "")
        usual = 443 if secure else 80
        return self._checked(Target(secure, host, usual if port is None else port, path))

    def _checked(self, target: Target) -> Target:
        literal = target.literal
        if literal is not None:
            self.check(literal)
        if self._any_port(target) or target.port in self.ports or (target.port == 80 and not target.secure):
            return target
        allowed = ", ".join(map(str, sorted(self.ports)))
        raise BadUrl(f"Port {target.port} is not used; allowed are {allowed}.")

    def _any_port(self, target: Target) -> bool:
        """Where inner networks are allowed, a name's addresses decide later; the port is a test's own."""
        return bool(self.allow) and (target.literal is None or self._allowed(target.literal))

    def check(self, address: Address) -> None:
        """Raise ForbiddenAddress unless this address is public, or allowed nevertheless."""
        if not self._allowed(address) and not public(address):
            raise ForbiddenAddress(str(address))

    def _allowed(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.allow)


def public(address: Address) -> bool:
    """Whether an address is plainly one of the public Internet's, and no way into anything else."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _INNER_V4)
    return (
        address in _GLOBAL_V6
        and address.scope_id is None
        and address.is_global
        and not any(address in network for network in _INNER_V6)
        and int(address) >> 32 & 0xFFFFFFFF not in _ISATAP
    )


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of a setting; ValueError for one that is none."""
    return tuple(ip_network(text) for text in texts)


def _check_text(url: str) -> None:
    if len(url.encode("utf-8", "surrogatepass")) > LONGEST:
        raise BadUrl(f"The URL is longer than {LONGEST} bytes.")
    if _UNSAFE.search(url) or any("\ud800" <= sign <= "\udfff" for sign in url):
        raise BadUrl("The URL has a space, a control character or a backslash in it.")


def _secure(scheme: str, *, plain_http: bool) -> bool:
    if scheme == "https" or (scheme == "http" and plain_http):
        return scheme == "https"
    raise BadUrl("Only https is used: write a URL that begins with https://.")


def _host(netloc: str, host: str) -> str:
    if netloc.startswith("["):
        try:
            return str(IPv6Address(host))
        except ValueError:
            raise BadUrl("What stands in brackets is not an IPv6 address.") from None
    if not host or "%" in host or ":" in host:
        raise BadUrl("The URL has no host name that can be used.")
    name = _a_label(host)
    if _NUMBER.match(name.rsplit(".", 1)[-1]):  # a host that ends in a number is an address, however it is spelled
        return _dotted(host, name)
    if name != "localhost" and not _HOST.fullmatch(name):
        raise BadUrl("The host is not a full domain name such as hooks.example.com.")
    return name


def _a_label(host: str) -> str:
    """In lower case, in A-labels, without the root's dot."""
    try:
        text = host if host.isascii() else idna.encode(host, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        raise BadUrl("The host is not a domain name.") from None
    return text.lower().removesuffix(".")


def _dotted(given: str, name: str) -> str:
    if given != name or not _DOTTED.match(name):
        raise BadUrl("An IPv4 address is written as four decimal numbers, such as 198.51.100.7.")
    try:
        return str(IPv4Address(name))
    except ValueError:
        raise BadUrl("This is not an IPv4 address.") from None


def _query(query: str) -> str:
    return quote(query, safe="/%:@!$&'()*+,;=~-._?")
