"""Around the river: the metrics' process: /metrics for Prometheus, /healthz for whoever asks whether all works."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from troth.cli import wiring
from troth.cli.closed_door import Server
from troth.cli.metrics import adding, asking, beating, telling
from troth.cli.metrics.adding import Added
from troth.cli.metrics.asking import Values
from troth.outside.postgres import PostgresError
from troth.settings import Settings

_AGAIN = 15.0  # seconds until a port that is taken is tried again
_SERVER: dict[str, Any] = {
    "loop": "uvloop", "ws": "none", "server_header": False, "access_log": False, "log_config": None,
    "lifespan": "off", "timeout_keep_alive": 20, "timeout_graceful_shutdown": 5,
}  # fmt: skip
_log = structlog.get_logger("troth.metrics")
_KEPT = 1.0  # seconds an answer serves, so that many askers cost no more than one
_BACKUP = "backup.json"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: this machine's processes, the database (None: away, and why)."""

    added: Added
    known: Values | None
    why: str = ""

    @property
    def trouble(self) -> str | None:
        """The sentence that says what does not work; None when all does."""
        if self.known is None:
            return self.why
        if self.added.silent:
            return f"No process works of: {', '.join(self.added.silent)}. See the log of `troth up`."
        return None


@dataclass(slots=True)
class Looker:
    """Looks at most once a second, whoever asks."""

    settings: Settings
    _last: Look | None = None
    _at: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> Look:
        async with self._turn:
            if self._last is None or time.monotonic() - self._at > _KEPT:
                self._last, self._at = await self._look(), time.monotonic()
            return self._last

    async def _look(self) -> Look:
        added = await asyncio.to_thread(adding.add_up, beating.folder(self.settings.var_dir))
        try:
            known = await asking.ask(wiring.connect_flow(self.settings), wiring.connect_ledger(self.settings))
        except (*asking.AWAY, PostgresError) as away:
            return Look(added, None, f"The database does not answer ({type(away).__name__}).")
        return Look(added, known)


def text(look: Look, var_dir: Path) -> str:
    """The whole answer of /metrics."""
    own: Values = {
        "troth_store_up": {"": float(look.known is not None)},
        "troth_ready": {"": float(look.trouble is None)},
        "troth_processes": {kind: float(n) for kind, n in look.added.alive.items()}
        | dict.fromkeys(look.added.silent, 0.0),
        "troth_backup_age_seconds": _backup_age(var_dir / _BACKUP),
    }
    return telling.text(look.added, (look.known or {}) | own)


def _backup_age(path: Path) -> dict[str, float]:
    """Nothing while no backup was taken: an alarm on its absence is one of the rules."""
    try:
        taken = datetime.fromisoformat(msgspec.json.decode(path.read_bytes())["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"": max(0.0, time.time() - taken.timestamp())}


def app(settings: Settings) -> Starlette:
    looker = Looker(settings)

    async def metrics(_request: Request) -> Response:
        look = await looker.look()
        return Response(text(look, settings.var_dir), media_type=telling.CONTENT_TYPE)

    async def healthz(_request: Request) -> Response:
        look = await looker.look()
        processes = look.added.alive
        if look.trouble:
            answer = {"status": "unavailable", "sentence": look.trouble, "processes": processes}
            return JSONResponse(answer, 503, {"retry-after": "5", "cache-control": "no-store"})
        return JSONResponse({"status": "ok", "processes": processes}, headers={"cache-control": "no-store"})

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/livez", live)])


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Listen until `stop`. A port that another copy has is waited for: no mail depends on this process."""
    listening = await _listen(settings, stop)
    if listening is None:
        return
    server = Server(uvicorn.Config(app(settings), **_SERVER))

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    watch = asyncio.create_task(end())
    try:
        await server.serve(sockets=[listening])
    finally:
        watch.cancel()
        listening.close()


async def _listen(settings: Settings, stop: asyncio.Event) -> socket.socket | None:
    """None: told to stop before the port was free."""
    where = (settings.metrics_host, settings.metrics_port)
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    while not stop.is_set():
        try:
            return socket.create_server(where, family=family)
        except OSError as trouble:
            _log.warning("the metrics cannot listen", host=where[0], port=where[1], reason=trouble.strerror)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN)
    return None
