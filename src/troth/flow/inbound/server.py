"""Inbound: the server: it listens, gives each connection its session, and ends them well."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from troth.flow.inbound.desk import Desk
from troth.flow.inbound.hooks import Hooks
from troth.flow.inbound.limits import Limits, Room
from troth.flow.inbound.session import Session
from troth.flow.inbound.tally import Tally

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd tells it every address

type Certificate = Callable[[], ssl.SSLContext | None]


class Server:
    """Not for uvloop: aiosmtpd does STARTTLS by asyncio's own means. `name`: what it says that it is (RFC 5321 4.2)."""

    def __init__(
        self, desks: Sequence[Desk], name: str, limits: Limits | None = None, certificate: Certificate | None = None
    ) -> None:
        self.tally = Tally()
        self.room = Room(limits or Limits())
        self._desks, self._name = desks, name
        self._certificate: Certificate = certificate or (lambda: None)
        self._live: set[Session] = set()
        self._empty = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        self._server = await asyncio.get_running_loop().create_server(self._session, sock=listening)

    async def stop(self) -> None:
        """Nobody new; who is being served has `grace` seconds for what is being carried out."""
        assert self._server is not None
        self._server.close()
        for session in tuple(self._live):
            session.end()
        try:
            async with asyncio.timeout(self.room.limits.grace):
                while self._live:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            for session in tuple(self._live):
                session.cut()

    @property
    def connections(self) -> int:
        return self.room.peers.total()

    def told(self) -> dict[str, dict[str, float]]:
        """For the meters."""
        return self.tally.told(self.connections)

    def _session(self) -> Session:
        session = Session(Hooks(self._desks, self.tally), self.room, self._name, self._certificate(), self._ended)
        self._live.add(session)
        return session

    def _ended(self, session: Session) -> None:
        self._live.discard(session)
        self._empty.set()


def certificate(chain: Path | None, key: Path | None) -> Certificate:
    """TLS 1.2 and newer with this pair, read again when its file changed; without one no STARTTLS is offered."""
    if chain is None or key is None:
        return lambda: None
    seen: tuple[float, ssl.SSLContext] | None = None

    def current() -> ssl.SSLContext | None:
        nonlocal seen
        try:
            at = chain.stat().st_mtime
            if seen is None or seen[0] != at:
                seen = at, _context(chain, key)
        except OSError:  # half renewed, or a key that does not fit: the old one serves on
            pass
        return seen[1] if seen else None

    return current


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return context
