"""Around the house: the pages' process: Django under granian, role troth_control."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from troth.cli import wiring
from troth.control.wsgi import make_application
from troth.settings import Settings, load

_THREADS = 4


def serve(settings: Settings) -> int:
    """Listen until SIGTERM. Granian starts its worker anew, which builds the application from the same settings."""
    Server(
        "troth.cli.pages:application",
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.WSGI,
        blocking_threads=_THREADS,
        websockets=False,
        factory=True,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()
    return 0


def application() -> Callable[..., Any]:
    """The WSGI application, in granian's worker."""
    settings = load(os.environ, Path.cwd())
    return make_application(
        wiring.conninfo(settings, "control"),
        secret_key=wiring.secret_key(settings),
        allowed_hosts=settings.allowed_hosts,
        public_url=settings.public_url,
        door_url=f"http://{settings.http_host}:{settings.http_port}",
    )
