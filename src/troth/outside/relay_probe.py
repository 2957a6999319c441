"""The house's look at the relay that mail is handed to: who answers there, and whose certificate it shows.

Nothing is handed over: greeting, EHLO, STARTTLS, and the end. Without asyncio, for those who wait anyway.
"""

import contextlib
import socket
import ssl
from dataclasses import dataclass

_PATIENCE = 8.0  # seconds for each answer
_LONGEST, _LINES = 4_096, 100  # octets of a line, lines of an answer


@dataclass(frozen=True, slots=True)
class Relay:
    """`tls`: implicit, starttls or none; `name`: that its certificate must bear; `ca_file`: None for the system's."""

    host: str
    port: int
    tls: str
    name: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """`banner`: its first line, without the code. `wrong`: why its TLS is not to be believed; "" where it is."""

    banner: str
    wrong: str


def greet(relay: Relay) -> Greeting | None:
    """None: nobody answers there as a mail server."""
    try:
        with socket.create_connection((relay.host, relay.port), _PATIENCE) as plain:
            return _talk(relay, plain)
    except OSError:
        return None


def _talk(relay: Relay, plain: socket.socket) -> Greeting | None:
    context = ssl.create_default_context(cafile=relay.ca_file)
    if relay.tls == "implicit":
        try:
            with context.wrap_socket(plain, server_hostname=relay.name) as secret:
                banner = _answer(secret)
                return None if banner is None else Greeting(banner, "")
        except ssl.SSLError as trouble:
            return Greeting("", _why(trouble))
    banner = _answer(plain)
    if banner is None:
        return None
    if relay.tls == "none":
        return Greeting(banner, "nothing is encrypted")
    return Greeting(banner, _starttls(relay, plain, context))


def _starttls(relay: Relay, plain: socket.socket, context: ssl.SSLContext) -> str:
    plain.sendall(b"EHLO probe.invalid\r\n")
    _answer(plain)
    plain.sendall(b"STARTTLS\r\n")
    if _answer(plain) is None:
        return "it offers no STARTTLS"
    try:
        with context.wrap_socket(plain, server_hostname=relay.name) as secret, contextlib.suppress(OSError):
            secret.sendall(b"QUIT\r\n")
    except ssl.SSLError as trouble:
        return _why(trouble)
    return ""


def _why(trouble: ssl.SSLError) -> str:
    told = trouble.verify_message if isinstance(trouble, ssl.SSLCertVerificationError) else trouble.reason
    return f"its certificate does not hold: {told}" if told else "its TLS broke off"


def _answer(there: socket.socket) -> str | None:
    """The first line's text of a positive answer (RFC 5321 4.2); read octet by octet, so that nothing of TLS is."""
    first: bytes | None = None
    for _ in range(_LINES):
        line = _line(there)
        first = line if first is None else first
        if not line.endswith(b"\n") or not first.startswith(b"2"):
            return None
        if line[3:4] != b"-":
            return first[4:].decode("ascii", "replace").strip()[:200]
    return None


def _line(there: socket.socket) -> bytes:
    read = b""
    while not read.endswith(b"\n") and len(read) < _LONGEST:
        got = there.recv(1)
        if not got:
            break
        read += got
    return read
