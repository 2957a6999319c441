"""Around the river: one webhooks process, composed: the guarded client, the keys, and a gate for Troth's own mail;
beside it the mail to whoever reported abuse or a weakness.
"""

import asyncio

from troth.cli import wiring
from troth.flow.feedback import desks_mail
from troth.flow.feedback.correspondence import Mailer
from troth.flow.feedback.deps import Deps as Feedback
from troth.flow.gate.accept import Gate
from troth.flow.submission.connections import Connections
from troth.flow.webhooks.deps import Deps
from troth.flow.webhooks.sender import Sender
from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard
from troth.settings import Settings


def guard(settings: Settings) -> Guard:
    """Which URLs clients may give: in production https to public addresses, and nothing else."""
    return Guard(settings.webhook_allow, plain_http=settings.mode != "production")


def client(settings: Settings) -> GuardedClient:
    return GuardedClient(Resolver(settings.dns_resolvers), guard(settings))


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Send until `stop`; what is under way is ended first."""
    connect = wiring.connect_flow(settings)
    keys = await wiring.flow_keys(settings, connect)
    gate = Gate(connect, keys.keyring, keys.secrets, lanes=1)
    deps = Deps(
        connect, keys.keyring, keys.operator, keys.secrets, client(settings), gate, settings.cell, settings.public_url
    )
    sender = Sender(deps)
    connections = Connections(lambda _name: connect("desks"))
    await gate.start()
    watch = asyncio.create_task(_end(sender, stop))
    answering = asyncio.create_task(desks_mail.run(_mailer(settings, connections, keys, gate)))
    try:
        await sender.run()
    finally:
        watch.cancel()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        await connections.close()
        await gate.stop()


def _mailer(settings: Settings, connections: Connections, keys: Keys, gate: Gate) -> Mailer:
    deps = Feedback(connections.lend, keys.keyring, keys.secrets, submit=gate.submit)
    domain = (settings.return_path_domain or "") if settings.inbound_port else ""
    return Mailer(deps, keys.operator, settings.public_url, domain)


async def _end(sender: Sender, stop: asyncio.Event) -> None:
    await stop.wait()
    sender.stop()
