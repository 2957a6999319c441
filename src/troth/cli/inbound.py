"""Around the river: the server for incoming mail, composed: its desks, the certificate, and its sign of life."""

import asyncio
import socket
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from troth.cli import wiring
from troth.cli.door import listen
from troth.flow.feedback.bounces import Bounces
from troth.flow.feedback.complaints import Complaints
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.desks import ABUSE, SECURITY, ReportDesk
from troth.flow.feedback.desks_signed import Signed
from troth.flow.feedback.mailed import OptOuts
from troth.flow.feedback.postmaster import Postmaster
from troth.flow.feedback.privacy import PrivacyDesk
from troth.flow.feedback.reports import Reports
from troth.flow.feedback.reports_signed import SignedBy
from troth.flow.inbound.beating import beat
from troth.flow.inbound.limits import Limits
from troth.flow.inbound.server import Server, certificate
from troth.flow.submission.connections import Connections
from troth.keys.opened import Keys
from troth.outside import meters
from troth.outside.dkim_verify import Verifier
from troth.outside.dns import Resolver
from troth.settings import Settings

if TYPE_CHECKING:
    from troth.flow.inbound.desk import Desk


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Take mail until `stop`; what is being carried out is ended and answered first."""
    connect = wiring.connect_flow(settings)
    keys = await _unless(stop, wiring.flow_keys(settings, connect))
    if keys is None:
        return

    connections = Connections(lambda _name: connect("inbound"))
    server = build(settings, connections, keys)
    await server.start(listen(settings.inbound_host, settings.inbound_port or 0, "The server for incoming mail"))
    living = asyncio.create_task(beat(connections.lend, settings.return_path_domain or ""))
    told = meters.watch(server.told)
    try:
        await stop.wait()
    finally:
        living.cancel()
        await server.stop()
        told()
        await connections.close()


def build(settings: Settings, connections: Connections, keys: Keys) -> Server:
    """Its desks, in the order in which an address is shown to them. Each looks at signatures by itself: letters to one,
    whose DNS is slow, hold no other up.
    """
    deps = Deps(connections.lend, keys.keyring, keys.secrets, operator=keys.operator)
    signing, abuse, security, privacy = (Verifier(Resolver(settings.dns_resolvers)) for _ in range(4))
    desks: tuple[Desk, ...] = (
        OptOuts(deps),
        Bounces(deps, keys.operator, settings.return_path_domain or ""),
        Complaints(deps, keys.operator, settings.return_path_domain or "", signing),
        ReportDesk(ABUSE, deps, keys.operator, settings.return_path_domain or "", Signed(abuse)),
        ReportDesk(SECURITY, deps, keys.operator, settings.return_path_domain or "", Signed(security)),
        PrivacyDesk(deps, keys.operator, settings.return_path_domain or "", Signed(privacy)),
        _reports(settings, connections, keys),
        Postmaster(connections.lend, keys.operator, settings.return_path_domain or ""),
    )
    limits = Limits(connections=settings.inbound_connections, size=settings.inbound_size_bytes)
    name = settings.ehlo_name or socket.getfqdn()
    return Server(desks, name, limits, certificate(settings.tls_cert_file, settings.tls_key_file))


def _reports(settings: Settings, connections: Connections, keys: Keys) -> Reports:
    signed = SignedBy(Verifier(Resolver(settings.dns_resolvers)))
    return Reports(connections.lend, keys.operator, settings.return_path_domain or "", signed)


async def _unless(stop: asyncio.Event, waiting: Awaitable[Keys]) -> Keys | None:
    """What is waited for; None when told to stop before it came."""
    keys = asyncio.ensure_future(waiting)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((keys, stopped), return_when=asyncio.FIRST_COMPLETED)
        return keys.result() if keys.done() else None
    finally:
        keys.cancel()
        stopped.cancel()
