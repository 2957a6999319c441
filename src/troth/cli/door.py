"""Around the river: one sending-door process: the HTTP door, the unsubscribe page and the gate, composed."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from starlette.applications import Starlette

from troth.cli import wiring
from troth.cli.closed_door import Server, keys_when_there
from troth.cli.relaying import relays
from troth.cli.words import CommandError
from troth.flow.feedback import relay_pages, unsubscribe
from troth.flow.feedback.deps import Deps as FeedbackDeps
from troth.flow.gate.accept import Gate
from troth.flow.submission import door, serving
from troth.flow.submission.connections import Connections
from troth.flow.submission.deps import Deps
from troth.flow.submission.peer import peer_of
from troth.flow.submission.request_log import RequestLog
from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.settings import Settings
from troth.store.connection import Connection

_BACKLOG = 2048


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Listen until `stop`; what is under way is answered first."""
    listening = listen(settings.http_host, settings.http_port)
    connect = wiring.connect_flow(settings)
    keys = await keys_when_there(settings, connect, listening, stop)
    if keys is None:
        listening.close()
        return
    server = Server(serving.config(build(settings, connect, keys), settings.http_host, settings.http_port))
    watch = asyncio.create_task(_end(server, stop))
    try:
        await server.serve(sockets=[listening])
    finally:
        watch.cancel()
        listening.close()
    if not server.started:
        raise CommandError("The door could not start; the line above says why.")


def build(settings: Settings, connect: Callable[[str], Awaitable[Connection]], keys: Keys) -> Starlette:
    """The door's app; its lifespan starts and stops the gate and the request log."""
    connections = Connections(connect)
    window = timedelta(milliseconds=settings.accept_window_ms)
    gate = Gate(connect, keys.keyring, keys.secrets, window, settings.accept_batch)
    log = RequestLog(connections.lend)
    deps = Deps(
        gate,
        connections.lend,
        keys.keyring,
        keys.secrets,
        log,
        settings.cell,
        settings.public_url,
        settings.body_limit_bytes,
        settings.batch_limit,
        trusted_proxies=settings.trusted_proxies,
        resolver=Resolver(settings.dns_resolvers),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await gate.start()
        await log.start()
        yield
        await gate.stop()
        await log.stop()
        await connections.close()

    feedback = _feedback(settings, connections, keys, gate)
    hooks = relay_pages.routes(feedback, relays(settings))
    routes = [*door.routes(deps), *unsubscribe.routes(feedback), *hooks, door.nowhere(deps)]
    return Starlette(routes=routes, lifespan=lifespan)


def _feedback(settings: Settings, connections: Connections, keys: Keys, gate: Gate) -> FeedbackDeps:
    """What the recipients' own pages and the relay's webhooks work with."""
    return FeedbackDeps(
        connections.lend,
        keys.keyring,
        keys.secrets,
        peer=lambda request: peer_of(request, settings.trusted_proxies) or "",
        secure=settings.public_url.startswith("https:"),
        submit=gate.submit,
        operator=keys.operator,
    )


def listen(host: str, port: int, who: str = "The door") -> socket.socket:
    """A listening socket that several processes of one kind may share, each its own queue (SO_REUSEPORT)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as trouble:
        listening.close()
        raise CommandError(f"{who} cannot listen on {host}:{port}: {trouble.strerror}.") from trouble
    listening.setblocking(False)
    return listening


async def _end(server: Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
