"""Support: a message that really went out to a relay, the relay's webhooks that tell of it, and an SNS of our own."""

import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from tests.flow.feedback.telling import ANN, After
from tests.support import relay

from troth.flow.feedback.relay_pages import Relays, routes
from troth.keys.installation import Purpose
from troth.mail.tokens import verp_make
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard, networks
from troth.outside.sns import Sns


class Relay(After):
    """`post`: to the app itself, as the door has it."""

    def __init__(self, stage, sns):
        super().__init__(stage)
        self.sns, self.keys = sns, [relay.KEY.encode()]
        tls = ssl.create_default_context(cafile=str(sns.ca))
        guarded = GuardedClient(Resolver(), Guard(networks(("127.0.0.0/8",))), tls, 3.0)
        self.relays = Relays(lambda: tuple(self.keys), frozenset({relay.TOPIC}), Sns(guarded, sns.origin))

    def client(self):
        app = Starlette(routes=routes(self.deps, self.relays))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://door.test")

    async def post(self, path, body, kind="application/json"):
        async with self.client() as client:
            return await client.post(path, content=body, headers={"content-type": kind})

    async def mailgun(self, event, message=None, **signing):
        """With the token of `message` where one is given."""
        variables = {"user-variables": {"troth": self.token(message)}} if message else {}
        return await self.post("/hooks/mailgun", relay.mailgun({**event, **variables}, **signing))

    async def ses(self, event, message=None, **more):
        mail = {"messageId": "0102-1", "destination": [ANN], **event.get("mail", {})}
        mail |= {"tags": {"troth": [self.token(message)]}} if message else {}
        return await self.post("/hooks/ses", self.sns.message({**event, "mail": mail}, **more))

    def token(self, message, days=30):
        key = self.river.secrets.token_keys(Purpose.VERP)[0]
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # the same call has the same octets
        return verp_make(key, message, hour + timedelta(days=days), "a")

    def counted(self):
        return dict(self.river.database.run("SELECT outcome, n FROM relay_count"))

    def untouched(self, message):
        """Nothing but that it was sent."""
        run = self.river.database.run
        assert len(self.river.events(message)) == 1
        assert run("SELECT count(*) FROM suppression") == [(0,)]
        assert run("SELECT count(*) FROM opt_out") == [(0,)]


@pytest.fixture
def sns(tmp_path):
    one = relay.OwnSns(tmp_path)
    yield one
    one.stop()


@pytest.fixture
async def told(stage, sns):
    one = Relay(stage, sns)
    yield one
    await one.connections.close()
