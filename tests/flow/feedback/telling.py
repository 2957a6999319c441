"""Support: a stage whose next hop has taken mail, and whoever tells later what became of it."""

import asyncio
from datetime import timedelta

import pytest

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.outcome import Told, tell
from troth.flow.submission.connections import Connections
from troth.mail.reply import Failure
from troth.rules.states import State

ANN = "ann@home.example"
HARD = Failure("hard", permanent=True, address_bad=True, rule="test")
FULL = Failure("mailbox", permanent=False, address_bad=False, detail="full", rule="test")
FULL_5 = Failure("mailbox", permanent=True, address_bad=False, detail="full", rule="test")
POLICY = Failure("policy", permanent=True, address_bad=False, rule="test")
AWAY = Failure("connection", permanent=False, address_bad=False, rule="test")
OPERATOR = "operator"


class After:
    """A stage after the sending. `tell` as the bounce desk and the relay's webhooks do."""

    def __init__(self, stage):
        self.stage, self.river, self.n = stage, stage.river, 0
        self.connections = Connections(stage.river.database.connect)
        keyset = self.river.database.run("SELECT operator_keyset FROM installation")[0][0]
        self.operator = self.river.keyring.tenant(OPERATOR, bytes(keyset))
        self.deps = Deps(self.connections.lend, self.river.keyring, self.river.secrets, operator=self.operator)

    async def sent(self, *to, **how):
        """Messages that the next hop took; the workers are gone again."""
        messages = self.river.queue(*(to or (ANN,)), **how)
        await self.work(lambda: all(self.river.state(m) is State.SENT for m in messages))
        return messages

    async def work(self, until):
        self.stage.worker()
        await self.stage.until(until)
        await self.stage.stop()

    async def tell(self, message, action="failed", failure=None, key=None, attempt=0, **detail):
        self.n += 1
        told = Told(message, action, key or f"dsn:{self.n}", failure, {"via": "dsn", **detail}, attempt)
        return await self.all(told)

    async def all(self, *told):
        async with self.connections.lend() as connection:
            return await tell(self.deps, connection, told)

    def later(self, **by):
        self.river.database.run("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))

    def last(self, message):
        return self.river.events(message)[-1]


async def together(*awaited):
    return await asyncio.gather(*awaited)


@pytest.fixture
async def after(stage):
    one = After(stage)
    yield one
    await one.connections.close()
