"""The worker against a real database and a real SMTP sink."""

import asyncio
import contextlib

import dkim
import pytest

from tests.support.river import DOMAIN, River, dkim_pair
from tests.support.sink import Sink
from troth.cli.demo.mailbox_store import MailStore
from troth.flow.delivery.route import Route
from troth.flow.delivery.worker import Deps, Worker
from troth.rules.states import Kind, State
from troth.settings import Settings


class Stage:
    """A river, a sink and workers between them."""

    def __init__(self, river: River, sink: Sink, port: int, store: MailStore) -> None:
        self.river, self.sink, self.port, self.store = river, sink, port, store
        self.workers: list[tuple[Worker, asyncio.Task]] = []

    def worker(self, *, connections: int = 4, **settings) -> Worker:
        made = Worker(
            Settings(**{"lease_seconds": 60, "return_path_domain": f"bounce.{DOMAIN}", **settings}),
            Deps(
                self.river.database.connect,
                self.river.keyring,
                self.river.secrets,
                Route("relay", "127.0.0.1", self.port, tls="none", max_connections=connections),
            ),
        )
        self.workers.append((made, asyncio.create_task(made.run())))
        return made

    async def until(self, condition, seconds=15.0):
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)
                for _, task in self.workers:
                    if task.done():
                        task.result()

    async def until_state(self, message, state):
        await self.until(lambda: self.river.state(message) is state)

    async def stop(self):
        for worker, _ in self.workers:
            worker.stop()
        await asyncio.gather(*(task for _, task in self.workers))
        self.workers.clear()

    def got(self) -> list[bytes]:
        return [self.store.read(e.file) for e in self.store.entries() if e.file]


@pytest.fixture
async def stage(river, tmp_path):
    store = MailStore(tmp_path / "mail" / "box")
    sink = Sink(store)
    made = Stage(river, sink, await sink.start(), store)
    yield made
    with contextlib.suppress(Exception):
        await made.stop()
    await sink.stop()
    store.close()


def dns_txt(name, timeout=5):
    import base64

    assert name == f"troth1._domainkey.{DOMAIN}.".encode()
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(dkim_pair()[1])


async def test_a_queued_message_is_signed_sent_and_told(stage):
    river = stage.river
    (message,) = river.queue("zoe@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    await stage.stop()
    (content,) = stage.got()
    assert dkim.DKIM(content).verify(dnsfunc=dns_txt)
    assert river.spooled(message) is None
    ((kind, detail),) = river.events(message)
    assert kind is Kind.SENT
    assert detail["code"] == 250
    assert detail["message_id"] == f"{message.hex}@{DOMAIN}"
    assert detail["size"] == len(content)
    assert (detail["selector"], detail["bits"]) == ("troth1", 2048)
    print(content.decode())
