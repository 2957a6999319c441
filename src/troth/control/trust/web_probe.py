"""Claims: what our own web servers answer, asked over the network as a browser asks; they are on this machine.

Asked without a name to look up and without following anything: where they listen is a setting of this installation.
"""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

_PATIENCE = 10.0  # seconds
_MOST = 200_000  # octets that are read


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server of ours listens; `tls`: it speaks HTTPS itself. `public`: as the world names it."""

    host: str
    port: int
    tls: bool
    public: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` with lower-case names; `cookies` whole; `body`: its first octets."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes = b""


def ask(place: Place, method: str, path: str, body: bytes = b"", **headers: str) -> Answer | None:
    """None: nobody answers there."""
    there = _connection(place)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        there.request(method, path, body or None, {"Host": place.public, **named})
        got = there.getresponse()
        read = got.read(_MOST)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        there.close()
    found = {name.lower(): value for name, value in got.getheaders()}
    cookies = tuple(value for name, value in got.getheaders() if name.lower() == "set-cookie")
    return Answer(got.status, found, cookies, read)


def _connection(place: Place) -> http.client.HTTPConnection:
    if not place.tls:
        return http.client.HTTPConnection(place.host, place.port, timeout=_PATIENCE)
    # whose certificate it is does not matter here: nothing is sent that anybody could want
    trusting = ssl._create_unverified_context()  # noqa: S323, SLF001 - see above; Python has no public name for it
    return http.client.HTTPSConnection(place.host, place.port, timeout=_PATIENCE, context=trusting)
