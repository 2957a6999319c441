"""Around the river: one delivery process, composed: its route to the relay from the settings, and the keys."""

import socket

from troth.cli import wiring
from troth.cli.metrics.beating import beating
from troth.cli.words import CommandError
from troth.flow.delivery.route import Route, RouteError
from troth.flow.delivery.worker import Deps, run_worker
from troth.rules.warm_up import ROUTES
from troth.settings import Settings


async def serve(settings: Settings) -> None:
    """Deliver until SIGTERM or SIGINT."""
    connect = wiring.connect_flow(settings)
    async with beating(settings.var_dir, "worker"):
        keys = await wiring.flow_keys(settings, connect)
        await run_worker(settings, Deps(connect, keys.keyring, keys.secrets, route(settings)))


def route(settings: Settings) -> Route:
    """The relay as the settings have it; CommandError for one that must not be used."""
    ca_file = settings.relay_ca_file
    try:
        return Route(
            ROUTES[0],
            settings.relay_host or "",
            settings.relay_port,
            settings.relay_tls,  # type: ignore[arg-type]  # the settings allow the same three words
            ca_file=str(ca_file) if ca_file else None,
            verify_name=settings.relay_server_name,
            username=settings.relay_username,
            password=settings.relay_password,
            ehlo_name=settings.ehlo_name or socket.getfqdn(),
            max_connections=settings.relay_max_connections,
        )
    except RouteError as wrong:
        raise CommandError(str(wrong)) from wrong


def run(settings: Settings) -> int:
    import uvloop

    uvloop.run(serve(settings))
    return 0
