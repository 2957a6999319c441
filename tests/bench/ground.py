"""Under the bench's river: one installation as `make run` makes it, with one client firm, its recipients and the sink.

Settings are those that the demo lays out, every process is one that `troth up` starts, and everything in force was
proposed by one person and approved by another. Only the promise's limits are wider, so that the bench meets none.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TextIO

import dns.resolver
import msgspec
import psycopg
from tests.bench import words

from troth.cli import wiring
from troth.cli.commands import up
from troth.cli.demo import layout
from troth.cli.demo.building import SELECTOR, Builder, House
from troth.cli.demo.clock import Clock
from troth.cli.demo.firms import Category, Key, Person, Programme, cast
from troth.cli.demo.layout import HOST, Layout
from troth.cli.demo.staff import Desk
from troth.cli.demo.web import listens
from troth.cli.demo.zone import Zone
from troth.cli.supervise import Child, Supervisor
from troth.control.approvals import changes
from troth.keys import places
from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document
from troth.mail.address import parse_address
from troth.rules.profile import load_profile
from troth.settings import Settings

SENDER = "The Warehouse <orders@mail.warehouse.test>"
DOMAIN = "mail.warehouse.test"
_WHY = "For the bench"
_PLENTY = 9_000_000  # messages a window
_OF_THE_MACHINE = frozenset(
    """var_dir pg_bin http_port web_port public_url relay_port relay_password relay_ca_file dns_resolvers
    secret_key key_file""".split()
)
_PERSON = (
    "COPY person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at)"
    " FROM STDIN"
)


def _programme() -> Programme:
    """The demo's first programme with a firm of our own."""
    theirs = cast().programme[0]
    orders = Category(
        "orders",
        "Orders",
        "Says where an order is",
        Person("The Warehouse", f"orders@{DOMAIN}"),
        "contract",
        (),
        raw=True,
    )
    firm = msgspec.structs.replace(
        theirs.firm, code="warehouse", name="The Warehouse", domain=DOMAIN, category=(orders,), key=(Key("main"),)
    )
    return msgspec.structs.replace(theirs, firm=firm)


class BenchBuilder(Builder):
    """As the demo builds, but the programme promises more messages a window."""

    def programme(self, programme: Programme) -> House:
        connection = self.connect("bench")
        desk = Desk(connection, *self.owners)
        artefact = {"name": programme.name, "profile": programme.code, "domain": programme.domain}
        made = desk.govern("programme", programme.code, artefact, _WHY)
        promise = json.loads(msgspec.json.encode(dict(load_profile(programme.code).document)))
        promise["limits"] = dict.fromkeys(promise["limits"], _PLENTY)
        promise["anomaly"] |= {"floor": _PLENTY, "first_week_floor": _PLENTY}
        _promise(desk, f"programme:{programme.code}", promise)
        self._tenant(desk, made.subject, programme.system)
        house = self._tenant(desk, made.subject, programme.firm)
        for code, template in words.TEMPLATES.values():
            Desk(connection, house.author, house.approver, house.id).govern("template", code, template, _WHY)
        return house


def _promise(desk: Desk, code: str, document: dict[str, Any]) -> None:
    """Proposed and approved by two people, past the control plane, which rightly refuses more than the profile says."""
    connection, now = desk.connection, changes.clock(desk.connection)
    change, subject = uuid7(now), uuid7(now)
    text = canonical_document(document).decode()
    asked = (change, "policy", None, subject, code, text, _WHY, desk.proposer.session(connection))
    row = connection.execute("SELECT propose_v1(%s, %s, %s, %s, %s, %s, %s, %s)", asked).fetchone()
    assert row is not None
    connection.execute("SELECT approve_v1(%s, %s, %s)", (change, row[0], desk.approver.session(connection)))


@dataclass(slots=True)
class Ground:
    """A platform that runs. `people` counts the verified recipients; runs take them from the front, each once."""

    layout: Layout
    supervisor: Supervisor
    builder: Builder
    sink: subprocess.Popen[bytes]
    sink_port: int
    house: House
    people: int = 0
    taken: int = 0

    @property
    def folder(self) -> Path:
        return self.layout.folder

    @property
    def sink_folder(self) -> Path:
        return self.layout.folder / "sink"

    @property
    def key_file(self) -> Path:
        return self.layout.folder / "keys" / "api-key"

    def pids(self) -> dict[str, int]:
        """The platform's own processes: all that `troth up` starts, and the database."""
        return {name: pid for name, pid in self.supervisor.pids().items() if pid is not None and name != "dns"}

    def restarts(self) -> int:
        return sum(self.supervisor.restarts().values())

    def start(self, wrapper: str | None = None) -> None:
        """Every process of `troth up`; `wrapper`, a module, runs the door and the worker in its way."""
        for child in up.children(self.layout.settings):
            wrapped = wrapper and child.name.startswith(("door", "worker", "sequencer"))
            argv = (sys.executable, "-m", str(wrapper), *child.argv[3:]) if wrapped else child.argv
            self.supervisor.add(replace(child, argv=argv))

    @contextmanager
    def admin(self) -> Iterator[psycopg.Connection[Any]]:
        """The database's own account, for looking and for what takes no part in the measuring."""
        with psycopg.connect(**self.conninfo(), autocommit=True, options="-c search_path=troth") as connection:
            yield connection

    def conninfo(self) -> dict[str, Any]:
        return wiring.server(self.layout.settings).conninfo("postgres", wiring.DATABASE)

    def one(self, query: str, *params: Any) -> Any:
        with self.admin() as connection:
            row = connection.execute(query, params or None).fetchone()
        return row[0] if row else None

    def register(self, count: int) -> None:
        """So many more verified recipients, each with a key and a blind index of its own."""
        keys = wiring.client_keys(self.layout.settings, self.builder.connect("bench people"), self.house.id)
        index, now = self.builder.keys.secrets.blind_index(), self.one("SELECT now_v1()")
        with self.admin() as connection:
            connection.execute("SET session_replication_role = replica")
            with connection.cursor() as cursor, cursor.copy(_PERSON) as copy:
                for number in range(self.people, self.people + count):
                    person, parsed = uuid7(now), parse_address(words.address(number))
                    key, wrapped = keys.new_person_key(person)
                    sealed = key.seal(parsed.addr_spec.encode(), places.address(person))
                    copy.write_row((
                        person, self.house.id, index.index(parsed.normal), sealed, wrapped, os.urandom(16), 2,
                        "confirmation-link", now, now,
                    ))  # fmt: skip
            connection.execute("ANALYZE person")
        self.people += count

    def take(self, count: int) -> int:
        """The number of the first of so many recipients whom no run has written to."""
        first, self.taken = self.taken, self.taken + count
        if self.taken > self.people:
            self.register(self.taken - self.people)
        return first

    def public_key(self) -> bytes:
        """The DER of the firm's DKIM key, as the world's resolvers find it."""
        resolver = dns.resolver.Resolver(configure=False)
        (where,) = self.layout.settings.dns_resolvers
        resolver.nameservers, resolver.port = [where.host], where.port
        record = b"".join(next(iter(resolver.resolve(f"{SELECTOR}._domainkey.{DOMAIN}", "TXT"))).strings)
        return dkim_key(record)


def dkim_key(record: bytes) -> bytes:
    """The p= of a DKIM record."""
    import base64

    tags = dict(tag.strip().split(b"=", 1) for tag in record.split(b";") if tag.strip())
    return base64.b64decode(tags[b"p"])


def settings_of(settings: Settings) -> dict[str, str]:
    """What governs behaviour: every setting but the places and secrets of this one machine."""
    return {
        each.name: str(getattr(settings, each.name)) for each in fields(Settings) if each.name not in _OF_THE_MACHINE
    }


def settings_hash(settings: Settings) -> str:
    return hashlib.sha256(json.dumps(settings_of(settings), sort_keys=True).encode()).hexdigest()


@contextmanager
def stand(folder: Path, wrapper: str | None = None) -> Iterator[Ground]:
    """The platform up and ready to send, in a folder that may be thrown away; all down again at the end."""
    with ExitStack() as held:
        placed = layout.lay_out(Settings(var_dir=folder, pg_bin=_pg_bin()), held)
        placed.folder.mkdir(parents=True, exist_ok=True)
        before = dict(os.environ)
        _become(layout.environment(placed, os.environ))
        held.callback(_become, before)
        log = held.enter_context(placed.log.open("a", encoding="utf-8"))
        yield held.enter_context(_standing(placed, log, wrapper))


@contextmanager
def _standing(placed: Layout, log: TextIO, wrapper: str | None) -> Iterator[Ground]:
    zone = Zone(placed.zone)
    with Supervisor(placed.folder, log) as supervisor:
        layout.clear(placed)
        zone.begin(f"d{n:02d}.sink.test" for n in range(words.DOMAINS))
        supervisor.add(wiring.server(placed.settings))
        (resolver,) = placed.settings.dns_resolvers
        argv = (sys.executable, "-m", "troth.cli.demo.names", str(placed.zone), str(resolver.port))
        supervisor.add(Child("dns", argv, ready=listens(HOST, resolver.port)))
        sink = _sink(placed)
        builder = BenchBuilder(placed, zone)
        try:
            demo = cast()
            builder.begin(demo)
            house = builder.programme(_programme())
            ground = Ground(placed, supervisor, builder, sink, placed.settings.relay_port, house)
            ground.key_file.touch(0o600)
            ground.key_file.write_text(house.keys["main"])
            ground.start(wrapper)
            Clock(placed.settings).await_domain_checks()
            yield ground
        finally:
            builder.close()
            sink.terminate()
            sink.wait(10)


def _sink(placed: Layout) -> subprocess.Popen[bytes]:
    told = {
        "dir": placed.folder / "sink", "tls-dir": placed.tls, "password-file": placed.password,
        "port": placed.settings.relay_port, "user": layout.USER,
    }  # fmt: skip
    argv: Sequence[str] = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", *argv], cwd=ROOT)
    ready = listens(HOST, placed.settings.relay_port)
    while not ready():
        if process.poll() is not None:
            raise RuntimeError("The sink did not start.")
    return process


ROOT = Path(__file__).resolve().parents[2]


def _pg_bin() -> Path | None:
    given = os.environ.get("TROTH_PG_BIN")
    return Path(given) if given else None


def _become(environment: dict[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
