"""The world in which claims are checked: three programmes with a firm each, whose mail went through the real gate, the real
worker and a real next hop, was bounced and put off, and was sealed by the real sequencer. Made once, cloned for each test.
"""

import asyncio
import base64
import hashlib
import os
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
from tests.control.trust.breaks_asking import asking
from tests.control.trust.breaks_attested import bring
from tests.control.trust.breaks_calendar import drill
from tests.control.trust.complained import COMPLAINERS, complaint, enrol, reviewed
from tests.control.trust.read_reports import read
from tests.control.trust.reported import reported
from tests.control.trust.serving import Served
from tests.support.firm import PUBLIC_DER, Firm, Operator, make_firm, make_operator, now
from tests.support.postgres import Database
from tests.support.sink import Sink

from troth.cli.demo.dns import DnsServer
from troth.cli.demo.mailbox_store import MailStore
from troth.control.audit import scope
from troth.control.people import owners
from troth.control.trust import running
from troth.control.trust.look import Outside
from troth.flow.delivery.route import Route
from troth.flow.delivery.worker import Deps, Worker
from troth.flow.evidence.sequencer import Keeper, Signer
from troth.flow.evidence.witness import Witness
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.mail.mailbox import parse_mailbox
from troth.outside.dns import Resolver
from troth.outside.relay_probe import Relay
from troth.settings import Settings
from troth.store.connection import connect

HARD, FULL, TWICE, LISTED, GOOD = "bounce-hard", "full", "full-twice", "listed", ("ann", "bea", "cy")
BOUNCES, ADDRESS, LIST = "bounces.troth.example", "192.0.2.1", "bl.list.example"
EVERYBODY = (*GOOD, HARD, FULL, TWICE, LISTED, *COMPLAINERS)
# Weeks of mail by the thousand, and a relay with a name: test_deliveries.py.
ELSEWHERE = ("FBL-1", "FBL-3", "EML-8", "EML-9", "EML-10", "EML-11", "EML-12", "TRC-1", "ENC-3")
WAITS = (61, 361, 2161)  # minutes between tries, and one more


@dataclass
class Names:
    """A DNS server on a thread of its own, whose records a test may change."""

    server: DnsServer = field(default_factory=DnsServer)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> "Names":
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self._wait(self.server.start())
        return self

    def stop(self) -> None:
        self._wait(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def _wait(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def publish(self, name: str) -> None:
        self.server.set(name, "TXT", ["v=spf1 include:spf.troth.example -all"])
        self.server.set(f"s1._domainkey.{name}", "TXT", [f"v=DKIM1; k=rsa; p={base64.b64encode(PUBLIC_DER).decode()}"])
        self.server.set(f"_dmarc.{name}", "TXT", ["v=DMARC1; p=reject"])
        self.server.set(f"bounce.{name}", "CNAME", [f"{BOUNCES}."])
        self.server.set(BOUNCES, "TXT", ["v=spf1 include:spf.troth.example -all"])
        self.server.set(BOUNCES, "MX", ["10 in.troth.example."])
        self.server.set("spf.troth.example", "TXT", ["v=spf1 include:more.troth.example -all"])
        self.server.set("more.troth.example", "TXT", [f"v=spf1 ip4:{ADDRESS}/30 -all"])
        self.server.set("1.2.0.192.in-addr.arpa", "PTR", ["out.troth.example."])
        self.server.set("out.troth.example", "A", [ADDRESS])


@dataclass
class World:
    """One clone. `sql` is what an attacker with the superuser's password does; `quiet`, with triggers off."""

    database: Database
    operator: Operator
    firms: dict[str, Firm]
    names: Names
    witness: Path
    served: Served | None = None
    relay: Relay | None = None

    def sql(self, statement: str, *params):
        with psycopg.connect(
            **self.database.conninfo("postgres"), options="-c search_path=troth", autocommit=True
        ) as c:
            cursor = c.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    def quiet(self, statement: str, *params) -> None:
        self.database.fill(statement, *params)

    def look(self, connection, patience: float = 60.0):
        secrets = self.operator
        row = connection.execute("SELECT operator_keyset FROM installation").fetchone()
        keys = (secrets.keyring, secrets.secrets, secrets.keyring.tenant(OPERATOR, row[0]))
        resolver = Resolver([("127.0.0.1", self.names.server.port)], timeout=1.0)
        web = {"pages": self.served.pages.place, "door": self.served.door.place} if self.served else {}
        outside = Outside(resolver, "include:spf.troth.example", self.witness, relay=self.relay, bounces=BOUNCES,
                          addresses=(ADDRESS,), address_lists=(LIST,), **web)  # fmt: skip
        return running.look(connection, keys, outside, patience=patience)

    def check(self, *ids: str, programme: str | None = None):
        """As `troth claims check`: a connection of its own; the standings by id."""
        with scope.connect(self.database.conninfo("troth_control"), "claims test") as connection:
            found = running.check(self.look(connection), ids, programme)
        return {each.claim.id: each for each in found}

    def state(self, claim: str) -> str:
        return str(self.check(claim)[claim].state)

    def why(self, claim: str) -> str:
        return "\n".join(why for part in self.check(claim)[claim].parts for why in part.evidence["why"])

    def stored(self, *ids: str):
        with scope.connect(self.database.conninfo("troth_control"), "claims test") as connection:
            return {each.claim.id: each for each in running.stored(connection, ids)}

    def seal(self) -> None:
        asyncio.run(seal(self))


def build(database: Database, names: Names, witness: Path) -> World:
    """Everything up to the last checkpoint; takes about three seconds."""
    operator = make_operator(database)
    seal_accounts(operator)
    codes = {"property": "homes", "construction": "sites", "retail": "shops"}
    firms = {profile: make_firm(operator, code, profile) for profile, code in codes.items()}
    made = World(database, operator, firms, names, witness)
    for firm in firms.values():
        names.publish(firm.name)
    # a route that was begun to be warmed up yesterday
    starts = (now() - timedelta(days=1)).date().isoformat()
    operator.govern("route", None, "relay", {"starts": starts, "caps": [100, 200, 300, 400, 500, 600]})
    sign_in(made)
    reported(made)
    read(made)
    enrol(made)
    bring(made, open_session)
    drill(made, open_session)
    asking(made)
    for profile, firm in firms.items():
        for local in EVERYBODY:
            confirm(made, firm, at(firm, local), "multi-step" if profile == "retail" else "confirmation-link")
    index = firms["property"].index(at(firms["property"], LISTED))
    database.run("SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[5::smallint], ARRAY['staff'], ARRAY[%s::uuid], ARRAY[NULL::bytea])",
                 index, firms["property"].tenant)  # fmt: skip
    asyncio.run(_mail(made))
    for firm in firms.values():
        firm.domain_ready()
    database.fill("UPDATE domain_state SET path_until = ready_until")
    for name, state in ((LIST, "clean"), ("reverse-name", "confirmed")):
        database.fill("INSERT INTO reputation_look VALUES (gen_random_uuid(), NULL, %s, %s, now_v1(), %s, '')",
                      ADDRESS, name, state)  # fmt: skip
    # the inbound server and the duties have just given a sign of life
    database.fill(
        "INSERT INTO inbound_beat (domain, at, seen) VALUES ('bounce.homes.example', now_v1(), clock_timestamp())"
    )
    database.fill("INSERT INTO clock_mark (high_water) VALUES (now_v1()) ON CONFLICT DO NOTHING")
    asyncio.run(seal(made))
    for connection in database.opened:
        connection.close()
    return made


def sign_in(world: World) -> None:
    """Each firm has an admin and an approver, who have signed in with a second factor; one has signed out again."""
    index = world.operator.secrets.blind_index()
    keyset = world.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = world.operator.keyring.tenant(OPERATOR, keyset)
    for firm in world.firms.values():
        for role in ("admin", "approver"):
            account, who = uuid7(now()), parse_mailbox(f"An {role} <{role}@{firm.name}>")
            artefact = owners.access_artefact(who, role, account, uuid7(now()), operator=keys, index=index)
            world.operator.govern("grant", firm.tenant, f"account-{account.hex}", artefact, account)
            secret = open_session(world, account, keys.seal(b"{}", places.access("detail")))
            control = world.operator.control
            control.execute("SELECT access_act_v1('act', %s, 'a page 200', NULL, NULL)", (secret,))
            if role == "admin":
                control.execute("SELECT review_open_v1(%s, %s, %s)", (secret, uuid7(now()), firm.tenant))
            else:
                control.execute("SELECT session_end_v1(%s, NULL)", (secret,))
    world.operator.control.execute("SELECT review_open_v1(%s, %s, NULL)", (world.operator.sessions[0], uuid7(now())))


def open_session(world: World, account, detail: bytes, *, second: bool = True) -> bytes:
    """As role troth_signin, which alone may."""
    secret = os.urandom(32)
    with psycopg.connect(**world.database.conninfo("troth_signin"), autocommit=True) as signin:
        signin.execute(
            "SELECT * FROM troth.page_session_open_v1(%s, %s, %s, %s, %s, %s, %s)",
            (account, hashlib.sha256(secret).digest(), ["password", "totp"], second, os.urandom(32), os.urandom(32), detail),
        )  # fmt: skip
    return secret


def at(firm: Firm, local: str) -> str:
    """A recipient of this firm's own: suppression is everybody's."""
    return f"{local}@{firm.name.split('.')[1]}.people.example"


def seal_accounts(operator: Operator) -> None:
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, keyset)
    for (account,) in operator.admin.execute("SELECT id FROM account").fetchall():
        sealed = [keys.seal(b"An Owner", places.account(account, column)) for column in ("name", "address")]
        operator.admin.execute("UPDATE account SET name_ct = %s, address_ct = %s WHERE id = %s", (*sealed, account))


def confirm(world: World, firm: Firm, address: str, pathway: str = "confirmation-link") -> None:
    """A person is registered and follows the link."""
    person, secret = firm.person(address, status=1), os.urandom(32)
    world.database.fill(
        "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, code_hash, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, now(), now() + interval '3 days')",
        hashlib.sha256(secret).digest(), firm.tenant, person, pathway, hashlib.sha256(secret + b"123456").digest(),
    )  # fmt: skip
    world.operator.control.execute("SELECT verify_person_v1(%s, '123456')", (secret,))


async def _mail(world: World) -> None:
    store = MailStore(world.witness.parent / "box" / "mail")
    sink = Sink(store)
    route = Route("relay", "127.0.0.1", await sink.start(), tls="none", max_connections=4)
    gate = Gate(
        lambda n: connect(world.database.conninfo("troth_flow"), n), world.operator.keyring, world.operator.secrets
    )
    await gate.start()
    settings = Settings(lease_seconds=60, return_path_domain="bounce.homes.example", inbound_port=2525)
    deps = Deps(world.database.connect, world.operator.keyring, world.operator.secrets, route)
    worker = Worker(settings, deps)
    running_worker = asyncio.create_task(worker.run())
    try:
        await _asked(world, gate)
        await _settled(world, deferred=6)  # full and full-twice of each
        for minutes in WAITS:
            world.sql("UPDATE installation SET clock_offset = clock_offset + make_interval(mins => %s)", minutes)
            for firm in world.firms.values():
                firm.domain_ready()
            await _settled(world)
            if minutes == WAITS[0]:
                await complaint(world, at, COMPLAINERS[0])
                reviewed(world, open_session)
        await complaint(world, at, COMPLAINERS[1])
        reviewed(world, open_session)
        await complaint(world, at, COMPLAINERS[2])
    finally:
        worker.stop()
        await running_worker
        await gate.stop()
        await sink.stop()
        store.close()


async def _asked(world: World, gate: Gate) -> None:
    for firm in world.firms.values():
        for local in EVERYBODY:
            asked = EmailAsked((at(firm, local),), template="reminder", variables={"name": "Ann"})
            answer = await gate.submit(Ask(Caller(key_hash=firm.key_hash), (asked,), "POST", "/emails"))
            assert type(answer).__name__ == "Taken", answer


_DUE = "SELECT count(*) FROM spool WHERE due <= now_v1() OR state IN (3, 4)"


async def _settled(world: World, deferred: int | None = None) -> None:
    """Until nothing is due and nobody holds a claim; at first, until so many were put off."""
    for _ in range(400):
        waiting = world.sql("SELECT count(*) FROM message WHERE state = 7")[0][0]
        if world.sql(_DUE)[0][0] == 0 and (deferred is None or waiting == deferred):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(world.sql("SELECT state, count(*) FROM message GROUP BY 1"))


async def seal(world: World) -> None:
    """The sequencer's turn: what waits becomes leaves under a checkpoint, and the witness hears of it."""
    installation = world.sql("SELECT id FROM installation")[0][0]
    connection = await world.database.connect("sequencer", "troth_ledger")
    try:
        keeper = Keeper(Signer.of(installation, world.operator.secrets.ledger_seed), Witness(world.witness))
        await keeper.begin(connection)
        await keeper.turn(connection)
        await keeper.testify()
    finally:
        await connection.close()


def ids() -> tuple[str, ...]:
    """The claims whose control this world has all for; of the others, what they look at is made beside their tests."""
    return tuple(control.claim for control in running.CONTROLS if control.claim not in ELSEWHERE)


__all__ = ["GOOD", "HARD", "Names", "World", "at", "build", "confirm", "ids", "now", "uuid7"]
