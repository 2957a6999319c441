"""Around the river: a door that is started while the store is away says so (503, Retry-After) until it can open."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from troth.cli import wiring
from troth.flow.submission import serving
from troth.flow.submission.answers import SECURITY, problem_answer
from troth.flow.submission.problem import store_unavailable
from troth.keys.opened import Keys
from troth.settings import Settings
from troth.store.connection import Connection

_SOON = 1.0  # seconds; who connects meanwhile just waits for the answer


class Server(uvicorn.Server):
    """Signals are the process's own business: uvicorn would die of them after its last answer."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def keys_when_there(
    settings: Settings,
    connect: Callable[[str], Awaitable[Connection]],
    listening: socket.socket,
    stop: asyncio.Event,
) -> Keys | None:
    """The process's keys, which are in the store and are waited for. None: told to stop before it came back."""
    keys, stopped = asyncio.ensure_future(wiring.flow_keys(settings, connect)), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((keys, stopped), timeout=_SOON, return_when=asyncio.FIRST_COMPLETED)
        if not keys.done() and not stopped.done():
            async with _answering(settings, listening):
                await asyncio.wait((keys, stopped), return_when=asyncio.FIRST_COMPLETED)
        return keys.result() if keys.done() else None
    finally:
        keys.cancel()
        stopped.cancel()


@contextlib.asynccontextmanager
async def _answering(settings: Settings, listening: socket.socket) -> AsyncIterator[None]:
    """A server on a copy of the socket, since it closes what it is given; who connects meanwhile waits for the next."""
    server = Server(serving.config(_closed, settings.http_host, settings.http_port, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listening.dup()]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    request_id = f"req_{secrets.token_hex(16)}"
    accept = Request(scope, receive).headers.get("accept", "")
    response = problem_answer(store_unavailable(), request_id, accept)
    response.headers.update(SECURITY | {"x-request-id": request_id, "connection": "close"})
    await response(scope, receive, send)
