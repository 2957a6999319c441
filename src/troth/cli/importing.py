"""Around the house: the imports' process, composed: the rooms whose rows may come from files, keys, a connection."""

import asyncio
import threading

from troth.cli import wiring
from troth.control.audit import scope
from troth.control.imports.importer import Importer
from troth.control.imports.working import Worker
from troth.control.recipients.importing import RECIPIENTS
from troth.control.suppressions.importing import SUPPRESSIONS
from troth.settings import Settings

IMPORTERS: dict[str, Importer] = {each.kind: each for each in (RECIPIENTS, SUPPRESSIONS)}


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Works in a thread, until `stop`; a batch that was begun is finished first."""
    over = threading.Event()

    def connect() -> scope.Connection:
        return scope.connect(wiring.conninfo(settings, "control"), "imports")

    worker = Worker(connect, lambda connection: wiring.control_keys(settings, connection), IMPORTERS, over.is_set)
    work = asyncio.create_task(asyncio.to_thread(worker.run))
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
    over.set()
    ended.cancel()
    await work
