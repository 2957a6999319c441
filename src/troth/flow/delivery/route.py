"""Delivery's map: a route is one next hop, how to reach it and how far to trust it.

TLS 1.2 or newer with the certificate always verified; a route without TLS is possible to this machine only.
"""

import ipaddress
import ssl
from dataclasses import dataclass, field
from typing import Literal

TlsMode = Literal["implicit", "starttls", "none"]
SECRET_LIMIT = 255  # octets: RFC 4616's limit for user name and password
EHLO_NAME_LIMIT = 255


class RouteError(ValueError):
    """A route that must not be used, with the setting at fault named. Permanent: only a new setting helps."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; each counts from the moment we begin to wait, so dripping octets win nothing.

    RFC 5321 4.5.3.2 asks for 300, 300, 300, 300, 120, 180 and 600 (greeting to eod). Ours are shorter, for
    a relay under contract, but the last: giving up on the reply to the final dot makes a message uncertain,
    so it costs the most.
    """

    connect: float = 15.0
    greeting: float = 30.0
    ehlo: float = 30.0
    starttls: float = 15.0
    auth: float = 30.0
    mail: float = 60.0
    rcpt: float = 60.0
    data: float = 60.0  # for the 354, and for each 64 KiB of content to be taken
    eod: float = 300.0
    quit: float = 2.0
    idle: float = 30.0  # an unused connection is closed after this
    wait: float = 2.0  # an envelope that finds no connection in this time goes back

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise RouteError(f"Timeout {name} must be more than 0 s.")


@dataclass(frozen=True, slots=True)
class Route:
    """One next hop.

    `ca_file` is the PEM file of the only authorities believed; None means the system's. `verify_name` is
    the name the certificate must bear when it is not `host`. AUTH is by PLAIN or LOGIN, over TLS only.
    """

    name: str
    host: str
    port: int
    tls: TlsMode = "starttls"
    ca_file: str | None = None
    verify_name: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ehlo_name: str = "localhost"
    max_connections: int = 4
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        if fault := _fault(self):
            raise RouteError(f"Route {self.name!r}: {fault}")

    def tls_context(self) -> ssl.SSLContext | None:
        """The context for this hop, None on a route without TLS. Reads `ca_file`: keep what it gives."""
        if self.tls == "none":
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise RouteError(f"Route {self.name!r}: ca_file cannot be read as PEM ({error}).") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    @property
    def server_name(self) -> str:
        """The name that the certificate must bear."""
        return self.verify_name or self.host


def _fault(route: Route) -> str | None:
    """The first thing wrong with the route, as a sentence."""
    if not route.host or not 0 < route.port < 65536:
        return "host and a port from 1 to 65535 are needed."
    if route.max_connections < 1:
        return "max_connections must be at least 1."
    return _name_fault(route.ehlo_name) or _tls_fault(route) or _login_fault(route)


def _name_fault(name: str) -> str | None:
    plain = name.isascii() and name.isprintable() and " " not in name
    return (
        None if name and plain and len(name) <= EHLO_NAME_LIMIT else "ehlo_name is not a domain or an address literal."
    )


def _tls_fault(route: Route) -> str | None:
    if route.tls not in {"implicit", "starttls", "none"}:
        return "tls must be implicit, starttls or none."
    if route.tls == "none" and not is_loopback(route.host):
        return "tls may be none only to this machine (localhost or a loopback address)."
    return None


def _login_fault(route: Route) -> str | None:
    if (route.username is None) != (route.password is None):
        return "username and password go together."
    if route.username is None or route.password is None:
        return None
    if route.tls == "none":
        return "a password is only sent over TLS."
    for secret in (route.username, route.password):
        if not secret or "\0" in secret or len(secret.encode()) > SECRET_LIMIT:
            return f"username and password are 1 to {SECRET_LIMIT} octets without NUL."
    return None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its address or by the name that RFC 6761 keeps for it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
