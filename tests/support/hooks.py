"""A client firm with webhook endpoints, events told by the river's own code, and a sender between them and receivers."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

import pytest
from tests.support.receiver import Receiver
from tests.support.river import River

from troth.control.webhooks import endpoints
from troth.flow import events
from troth.flow.events import Report
from troth.flow.gate.asks import Taken
from troth.flow.webhooks.deps import Deps
from troth.flow.webhooks.sender import Sender
from troth.keys.keyring import OPERATOR
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard
from troth.rules.states import Kind

LOOPBACK = Guard((ip_network("127.0.0.0/8"),), plain_http=True)


class NoGate:
    """Takes whatever it is asked, and keeps it."""

    def __init__(self):
        self.asked, self.answer = [], None

    async def submit(self, ask):
        self.asked.append(ask)
        return self.answer or Taken((UUID(int=1),))


class Hooks:
    def __init__(self, river: River):
        self.river = river
        self.control = river.database.open("troth_control")
        self.receivers, self.senders = [], []
        self.gate = NoGate()
        keyset = river.database.run("SELECT operator_keyset FROM installation")[0][0]
        self.operator = river.keyring.tenant(OPERATOR, keyset)
        self.client = GuardedClient(Resolver(), LOOPBACK)

    # ---- the cast

    async def receiver(self, **manner) -> Receiver:
        made = await Receiver(**manner).start()
        self.receivers.append(made)
        return made

    def endpoint(self, url: str, *types: str, tenant: UUID | None = None):
        """The endpoint's id and its secret."""
        asked = endpoints.Asked(url, types or None, "test")
        return endpoints.add(self.control, self.river.keys, tenant or self.river.tenant, asked, LOOPBACK)

    def deps(self, **given) -> Deps:
        river = self.river
        usual = {"connect": river.database.connect, "keyring": river.keyring, "operator": self.operator,
                 "secrets": river.secrets, "client": self.client, "gate": self.gate, "cell": "a"}  # fmt: skip
        return Deps(**{**usual, **given})

    def sender(self, **given) -> Sender:
        made = Sender(self.deps(**given))
        self.senders.append((made, asyncio.create_task(made.run())))
        return made

    async def stop(self):
        senders, self.senders = self.senders, []
        for sender, _ in senders:
            sender.stop()
        await asyncio.gather(*(task for _, task in senders))

    # ---- what happens

    async def tell(self, message: UUID, *kinds: Kind, source: str = "test", **detail) -> None:
        """Facts of one message, each in a transaction of its own, as reports tell them."""
        keyring = self.river.keyring

        def opener(tenant, keyset, data_key, person):
            return keyring.tenant(tenant, keyset).person(data_key, person) if data_key else None

        async with await self.river.database.connect("test") as connection:
            for kind in kinds:
                await events.report(connection, [Report(message, kind, source, detail)], datetime.now(UTC), opener)

    def messages(self, *addresses: str, copies: int = 1, sending: bool = True, **letter) -> list[UUID]:
        made = self.river.queue(*addresses, copies=copies, **letter)
        if sending:
            self.river.database.fill("UPDATE message SET state = 5 WHERE id = ANY(%s)", made)
        return made

    def move_clock(self, by: timedelta) -> None:
        self.river.database.run("UPDATE installation SET clock_offset = clock_offset + %s", by)

    # ---- looking

    def outbox(self, columns: str = "state", where: str = "true"):
        return self.river.database.run(f"SELECT {columns} FROM webhook_outbox WHERE {where} ORDER BY id")

    def waiting(self) -> int:
        return self.river.database.run("SELECT count(*) FROM webhook_outbox WHERE state < 3")[0][0]

    async def until(self, condition, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.outbox("state, count(*)", "true GROUP BY state --"), self.senders)
            await asyncio.sleep(0.02)
            for _, task in self.senders:
                if task.done():
                    task.result()


async def one_failing(hooks, **manner):
    """A receiver with one delivery, and its endpoint."""
    receiver = await hooks.receiver(**manner)
    added = hooks.endpoint(receiver.url)
    (message,) = hooks.messages("ann@example.net")
    await hooks.tell(message, Kind.DELIVERED)
    return receiver, added, message


def found(hooks, added):
    return endpoints.find(hooks.control, [hooks.river.tenant], added.id)


@pytest.fixture
async def hooks(river: River):
    made = Hooks(river)
    yield made
    with suppress(Exception):
        await made.stop()
    for receiver in made.receivers:
        await receiver.stop()
