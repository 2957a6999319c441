"""The command line, `troth up`: the whole platform on this machine: the database and every process, kept alive."""

import argparse
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from troth.cli import database, logs, wiring
from troth.cli.claims_watch import watching
from troth.cli.metrics.beating import beating_beside
from troth.cli.supervise import Child, Supervisor
from troth.cli.words import CommandError
from troth.outside import meters
from troth.outside.postgres import PostgresError
from troth.settings import Settings, require

_TRIES, _PAUSE = 20, 0.5  # and seconds between two
_NOT_INSTALLED = "There is no installation here yet: run `troth init` first."


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("up", help="run the whole platform on this machine")
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace, settings: Settings) -> int:
    require(settings, "relay_host", "spf_mechanism", *(("return_path_domain",) if settings.inbound_port else ()))
    if not settings.key_path.exists() or not (settings.database_url or wiring.server(settings).data_dir.exists()):
        raise CommandError(_NOT_INSTALLED)
    logs.configure(settings)
    with Supervisor(settings.var_dir) as supervisor:
        start(supervisor, settings)
        supervisor.say("troth", f"up: mail is taken at http://{settings.http_host}:{settings.http_port}")
        claims = watching(lambda line: supervisor.say("claims", line))
        with beating_beside(settings.var_dir, "supervisor"), closing_watch(supervisor), claims:
            supervisor.wait()
    return 0


@contextmanager
def closing_watch(supervisor: Supervisor) -> Iterator[None]:
    """How often each kind of process was started again; worker-1 and worker-2 are one kind."""

    def told() -> dict[str, dict[str, float]]:
        counts: Counter[str] = Counter()
        for name, restarts in supervisor.restarts().items():
            counts[name.rstrip("-0123456789")] += restarts
        return {"troth_process_restarts_total": {kind: float(n) for kind, n in counts.items()}}

    end = meters.watch(told)
    try:
        yield
    finally:
        end()


def start(supervisor: Supervisor, settings: Settings) -> None:
    """The database first, brought up to date, then every process; returns when all are ready."""
    if not settings.database_url:
        supervisor.add(wiring.server(settings))
    _bring_up_to_date(settings)
    for child in children(settings):
        supervisor.add(child)


def _bring_up_to_date(settings: Settings) -> None:
    """Migrations and grants; tried again when the database went away meanwhile, since its keeper brings it back."""
    from django.db import OperationalError

    for left in reversed(range(_TRIES)):
        try:
            _upgrade(settings)
        except (PostgresError, psycopg.OperationalError, OperationalError):
            if not left:
                raise
        else:
            return
        time.sleep(_PAUSE)


def _upgrade(settings: Settings) -> None:
    migrate = wiring.conninfo(settings, "migrate")
    with psycopg.connect(**migrate, options="-c role=troth_owner") as owner:
        found = owner.execute("SELECT to_regclass('troth.installation')").fetchone()
        if not found or not found[0] or not owner.execute("SELECT 1 FROM troth.installation").fetchone():
            raise CommandError(_NOT_INSTALLED)
    database.upgrade(migrate)


def children(settings: Settings) -> Iterator[Child]:
    """In the order of their start; they end in the reverse."""
    yield _child("duties")
    yield _child("sequencer")
    yield _child("webhooks", grace=25.0)
    yield _child("imports")
    if settings.inbound_port:
        ready = _listens(settings.inbound_host, settings.inbound_port)
        yield _child("inbound", ready=ready, grace=30.0)
    yield _child("metrics")  # not waited for: without it mail goes all the same
    yield _child("pages", ready=_listens(settings.web_host, settings.web_port))
    for n in range(settings.worker_processes):
        yield _child("worker", n, grace=40.0)
    for n in range(settings.door_processes):
        yield _child("door", n, ready=_listens(settings.http_host, settings.http_port), grace=30.0)


def _child(
    process: str, n: int | None = None, *, ready: Callable[[], bool] | None = None, grace: float = 20.0
) -> Child:
    name = process if n is None else f"{process}-{n + 1}"
    return Child(name, (sys.executable, "-m", "troth.cli", "serve", process), ready=ready, grace=grace)


def _listens(host: str, port: int) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            return False
        return True

    return ready
