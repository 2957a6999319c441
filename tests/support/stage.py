"""A river, a real SMTP sink and delivery workers between them, in one event loop."""

import asyncio
import base64
import contextlib
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.support.river import DOMAIN, River, dkim_pair
from tests.support.sink import Sink

from troth.cli.demo.mailbox_store import MailStore
from troth.flow.delivery.route import Route
from troth.flow.delivery.worker import Deps, Worker
from troth.rules.states import State
from troth.settings import Settings

HELD_UP = "slow@home.example"  # the sink answers it after 2 s


class Stage:
    def __init__(self, river: River, sink: Sink, port: int, store: MailStore) -> None:
        self.river, self.sink, self.port, self.store = river, sink, port, store
        self.workers: list[tuple[Worker, asyncio.Task[None]]] = []

    def deps(self, connections: int = 4) -> Deps:
        route = Route("relay", "127.0.0.1", self.port, tls="none", max_connections=connections)
        return Deps(self.river.database.connect, self.river.keyring, self.river.secrets, route)

    def settings(self, **given: Any) -> Settings:
        return Settings(**{"lease_seconds": 60, "return_path_domain": f"bounce.{DOMAIN}", **given})

    def worker(self, *, connections: int = 4, **settings: Any) -> Worker:
        made = Worker(self.settings(**settings), self.deps(connections))
        self.workers.append((made, asyncio.create_task(made.run())))
        return made

    async def until(self, condition, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.river.states(), [w.counters for w, _ in self.workers])
            await asyncio.sleep(0.03)
            for _, task in self.workers:
                if task.done():
                    task.result()

    async def until_state(self, message: UUID, state: State, seconds: float = 20.0) -> None:
        await self.until(lambda: self.river.state(message) is state, seconds)

    async def until_all(self, state: State, seconds: float = 30.0) -> None:
        await self.until(lambda: set(self.river.states()) == {state}, seconds)

    async def stop(self) -> None:
        for worker, _ in self.workers:
            worker.stop()
        workers, self.workers = self.workers, []
        await asyncio.gather(*(task for _, task in workers))

    def got(self, address: str | None = None) -> list[bytes]:
        """What the sink kept, of one recipient or of all."""
        kept = [e for e in self.store.entries() if e.file and address in (None, e.rcpt)]
        return [self.store.read(e.file) or b"" for e in kept]

    def message_ids(self) -> list[str]:
        return [e.message_id or "" for e in self.store.entries() if e.file]

    async def one_ahead(self) -> Worker:
        """A worker whose one connection is held up by a slow recipient: all else is claimed, composed and not marked."""
        self.river.queue(HELD_UP)
        worker = self.worker(connections=1)
        await self.until(lambda: worker.desk.sending == 1)
        return worker


def dns_txt(name: bytes, timeout: int = 5) -> bytes:
    """The domain's DKIM record, for dkimpy."""
    assert name == f"troth1._domainkey.{DOMAIN}.".encode()
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(dkim_pair()[1])


@pytest.fixture
async def stage(river: River, tmp_path: Path):
    store = MailStore(tmp_path / "mail" / "box")
    sink = Sink(store)
    made = Stage(river, sink, await sink.start(), store)
    yield made
    with contextlib.suppress(Exception):
        await made.stop()
    await sink.stop()
    store.close()
