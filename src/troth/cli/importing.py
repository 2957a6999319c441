"""Around the house: the imports' process, composed: the rooms whose rows may come from files, keys, a connection; and
beside them the simulations that the pages ask for.
"""

import asyncio
import threading

from troth.cli import simulating, wiring
from troth.control.audit import scope
from troth.control.imports.importer import Importer
from troth.control.imports.working import Worker
from troth.control.recipients.importing import RECIPIENTS
from troth.control.suppressions.importing import SUPPRESSIONS
from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.settings import Settings

IMPORTERS: dict[str, Importer] = {each.kind: each for each in (RECIPIENTS, SUPPRESSIONS)}


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Works in a thread, until `stop`; a batch that was begun is finished first."""
    over = threading.Event()

    def connect() -> scope.Connection:
        return scope.connect(wiring.conninfo(settings, "control"), "imports")

    def keys(connection: scope.Connection) -> Keys:
        return wiring.control_keys(settings, connection)

    worker = Worker(connect, keys, IMPORTERS, over.is_set, Resolver(settings.dns_resolvers))
    work = asyncio.create_task(asyncio.to_thread(worker.run))
    trying = asyncio.create_task(asyncio.to_thread(simulating.work, settings, over.is_set))
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait({work, trying, ended}, return_when=asyncio.FIRST_COMPLETED)
    over.set()
    ended.cancel()
    await asyncio.gather(work, trying)
