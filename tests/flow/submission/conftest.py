"""The door for tests: the real gate, the real database, one firm with a key, and its programme's system tenant."""

import pytest
from starlette.applications import Starlette
from tests.flow.submission.doors import Door, add_key, client_of, make_deps
from tests.support.firm import make_firm, operator

from troth.cli.demo.dns import DnsServer
from troth.flow.gate.accept import Gate
from troth.flow.submission import Connections, RequestLog, nowhere, routes
from troth.outside.dns import Resolver
from troth.store.connection import connect

__all__ = ["door", "operator"]


ZONES = {
    **{name: {"MX": ["10 mx.example.net."]} for name in ("example.net", "b.example", "gmaill.com", "mailinator.com")},
    "address.example": {"A": ["192.0.2.1"]},
    "null.example": {"MX": ["0 ."]},
    "empty.example": {"TXT": ["nothing else"]},
    "known.con": {"TXT": ["a name of an end that does not exist, so that others are not there"]},
    "broken.example": {"RCODE": ["SERVFAIL"]},
    "xn--bcher-kva.example": {"MX": ["10 mx.example.net."]},
}


@pytest.fixture
async def names():
    """The DNS that registration asks: the tests' own, real packets on loopback."""
    async with DnsServer(ZONES) as server:
        yield server


@pytest.fixture
async def door(operator, names):
    firm = make_firm(operator)
    firm.person("ann@example.net")
    firm.person("bob@example.net")
    key, _ = add_key(operator, firm)

    def reach(name):
        return connect(operator.database.conninfo("troth_flow"), name)

    gate = Gate(reach, operator.keyring, operator.secrets)
    connections = Connections(reach)
    log = RequestLog(connections.lend, interval=0.02)
    await gate.start()
    await log.start()
    resolver = Resolver([(names.host, names.port)], timeout=5)
    deps = make_deps(operator, gate, connections.lend, log, body_limit=200_000, batch_limit=20, resolver=resolver)
    app = Starlette(routes=[*routes(deps), nowhere(deps)])
    async with client_of(app, key.text) as client:
        yield Door(app, deps, client, operator, firm, key)
    await log.stop()
    await gate.stop()
    await connections.close()
