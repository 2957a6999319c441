"""Submission: uvicorn set up as the door's server: uvloop, httptools, no banner, and patience that ends.

httptools itself waits for ever for a request's head and takes one of any size (slowloris); `DoorProtocol` does not.
"""

from asyncio import TimerHandle, Transport
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_SECONDS = 10.0
_HEAD_OCTETS = 65_536


class DoorProtocol(HttpToolsProtocol):
    """One connection. A head must be whole within 10 s of its first octet, or of connecting, and within 64 KiB."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._head_timer: TimerHandle | None = None
        self._head_octets = 0
        self._in_head = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_octets += len(data)
            if self._head_timer is None:
                self._wait_for_head()
        super().data_received(data)
        if self._in_head and self._head_octets > _HEAD_OCTETS:
            self._give_up()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head_octets = True, 0  # between requests uvicorn's keep-alive timer runs

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def config(app: ASGIApp, host: str, port: int, **more: Any) -> uvicorn.Config:
    """The server's settings; `more` are uvicorn's own (fd, workers, ssl_context_factory, ...)."""
    settings: dict[str, Any] = {
        "loop": "uvloop",
        "http": DoorProtocol,
        "ws": "none",
        "interface": "asgi3",
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "timeout_keep_alive": 20,
        "timeout_graceful_shutdown": 20,
        "backlog": 2048,
    }
    return uvicorn.Config(app, host=host, port=port, **{**settings, **more})
