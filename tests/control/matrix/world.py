"""The cast of the matrix: three clients, one of each profile, everybody there is a role for, and a thing of each kind."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from tests.control.ledger.house import House
from tests.support import history
from tests.support.firm import Firm, Operator, make_firm, make_operator, now
from tests.support.pages import PASSWORD, Somebody, join, name_owners
from tests.support.postgres import Database
from tests.support.seeding import SENT

from troth.control.people import credentials, owners
from troth.control.people.permissions import CLIENT_ROLES, OPERATOR_ROLES
from troth.flow.events import Happening, row
from troth.keys import places
from troth.keys.ids import uuid7, wire
from troth.keys.keyring import OPERATOR
from troth.ledger.canonical import canonical_document
from troth.mail.mailbox import parse_mailbox
from troth.rules.states import Kind

KINDS = (
    "template",
    "category",
    "policy",
    "domain",
    "override",
    "grant",
    "api-key",
    "release",
    "import",
    "sign-on",
    "designation",
)
_CATEGORY = {"name": "Waits", "purpose": "To wait", "sender": {"name": "Firm", "address": "waits@mail.example"},
             "legal_class": "transactional", "raw": False, "policy": {}}  # fmt: skip
_WORDS = {"category": "rent", "subject": "Rent", "html": "<p>x</p>", "text": "x", "schema": {}, "targeting": {}}
PROFILES = {"a": "property", "b": "retail", "c": "construction"}
NOBODY = "nobody"


@dataclass(frozen=True)
class Persona:
    """Who asks, and where they look: `at` is a client's letter, or "" for staff who look at none."""

    role: str
    scope: str  # own, clients, house
    at: str
    named: bool = False
    cookies: dict[str, str] = field(default_factory=dict, hash=False, compare=False)

    @property
    def profile(self) -> str:
        return PROFILES[self.at] if self.at else ""

    @property
    def secret(self) -> bytes:
        """Of the session of the pages, as the functions ask for it."""
        return base64.urlsafe_b64decode(self.cookies["__Host-troth_proof"] + "=")

    @property
    def handle(self) -> str:
        return f"{self.role}@{self.at or 'house'}"

    def __str__(self) -> str:
        return f"{self.role}, {self.scope}, {self.profile or 'no client'}{', named' if self.named else ''}"


class Child:
    """asker.py, running. One line a question."""

    def __init__(self, operator: Operator, folder: Path) -> None:
        where = operator.database.conninfo("troth_control")
        place = f"/{where['dbname']}?host={quote(where['host'], safe='')}"
        roles = {
            f"TROTH_DATABASE_URL_{role.upper()}": f"postgresql://troth_{role}@{place}" for role in ("control", "signin")
        }
        env = {**os.environ, **roles, "TROTH_MODE": "test", "TROTH_PUBLIC_URL": "https://localhost:8443",
               "TROTH_VAR_DIR": str(folder), "TROTH_KEY_FILE": str(operator.kms_path)}  # fmt: skip
        root = Path(__file__).resolve().parents[3]
        argv = [sys.executable, "-m", "tests.control.matrix.asker"]
        pipe = subprocess.PIPE
        with (folder / "asker.log").open("wb") as log:
            self.process = subprocess.Popen(argv, env=env, cwd=root, stdin=pipe, stdout=pipe, stderr=log, text=True)

    def do(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the asker ended: see asker.log"
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        self.process.communicate(timeout=20)


@dataclass
class World:
    """`things`: of each client by letter, what the addresses of pages name; `missing`: the same, and nobody's."""

    operator: Operator
    child: Child
    firms: dict[str, Firm]
    personas: list[Persona]
    things: dict[str, dict[str, Any]]
    missing: dict[str, Any]

    def second(self, *, shown: bool) -> None:
        """All of the cast's sessions, with a second factor or without."""
        self._sessions(f"second_factor_at = {'now_v1()' if shown else 'NULL'}")

    def proved(self, *, minutes: int) -> None:
        self._sessions(f"proved_at = now_v1() - make_interval(mins => {minutes})")

    def _sessions(self, what: str) -> None:
        # seen in a while to come: looking at a page then writes nothing
        self.operator.database.fill(
            f"UPDATE session SET {what}, seen_at = now_v1() + interval '1 day', expires_at = ends_at WHERE kind = 'page'"
        )


def make(database: Database, folder: Path) -> World:
    operator = make_operator(database)
    name_owners(operator)
    firms = {letter: make_firm(operator, f"firm-{letter}", profile) for letter, profile in PROFILES.items()}
    things = {letter: _things(firm, folder / letter) for letter, firm in firms.items()}
    House(firms["a"], folder / "a").seal()
    _entries(operator, firms, things)
    members = {
        (at, role): _member(operator, firm.tenant, at, role) for at, firm in firms.items() for role in CLIENT_ROLES
    }
    staff = {role: join(operator, f"S {role} <{role}@operator.test>", role, second=False) for role in OPERATOR_ROLES}
    _designate(operator, firms["c"].tenant, members["c", "author"], staff["compliance"])
    for letter in firms:
        things[letter]["person"] = str(members[letter, "viewer"].account)
        things[letter]["account"] = str(members[letter, "approver"].account)
        things[letter]["admin"] = str(members[letter, "admin"].account)
        things[letter]["owner"] = str(staff["owner"].account)
    things["house"] = {**things["b"], "level": "operator"}  # where no client is looked at, addresses lead to this one's
    child = Child(operator, folder)
    world = World(operator, child, firms, [], things, _missing())
    world.personas = [*_members(child, members), *_staff(child, staff, firms)]
    return world


def _things(firm: Firm, folder: Path) -> dict[str, Any]:
    """What a client has one of, and a suppressed address. Who adds a kind of page adds its thing here, and its stranger in `_missing`."""
    folder.mkdir()
    operator, gone = firm.operator, f"gone@{firm.name}"
    firm.person(gone)
    if not operator.admin.execute("SELECT FROM governed WHERE kind = 'route'").fetchall():
        history.warming(operator)
    operator.admin.execute(
        "SELECT suppress_v1(%s, '{1}', '{one-click}', %s, '{NULL}')", ([firm.index(gone)], [firm.tenant])
    )
    return {
        "tenant": str(firm.tenant),
        "level": "client",
        "template": str(firm.template),
        "category": str(firm.category),
        "domain": str(firm.domain),
        "key": str(firm.key),
        "version": str(operator.snapshot(firm.template)),
        "message": wire("msg", "a", _message(firm, folder)),
        "session": str(uuid4()),
        "arrival": str(_arrived(firm)),
        "review": str(uuid4()),
        "pause": str(_stopped(operator, firm.tenant)),
        "anomaly": str(history.unusual(operator, firm)),
        "draft": str(_draft(operator, firm.tenant)),
        **_private(firm, folder / "private"),
        **_case(firm),
        **_desks(firm),
        "recipient": wire("rcp", "a", firm.person(f"seen@{firm.name}")),
        "import": str(_import(firm)),
        "simulation": str(_simulation(firm)),
        **_changes(operator, firm.tenant),
    }


def _private(firm: Firm, folder: Path) -> dict[str, Any]:
    """A required notice that waits to be served otherwise, and a report of abuse, both of one message."""
    folder.mkdir()
    house = House(firm, folder)
    message = house.tell(f"yan@{firm.name}", (Kind.ACCEPTED, Kind.SUPPRESSED))
    person, report = firm.people[f"yan@{firm.name}"], uuid7(now())
    values = (message, firm.tenant, person, firm.category)
    firm.operator.database.fill(
        "INSERT INTO serve_otherwise VALUES (%s, %s, %s, %s, now_v1(), now_v1() + '1 day')", *values
    )
    firm.operator.database.fill(
        "INSERT INTO abuse_report (message_id, tenant_id, person_id, category_id, id, at) VALUES (%s, %s, %s, %s, %s, now_v1())",
        *values, report,
    )  # fmt: skip
    return {"service": str(message), "report": str(report)}


def _case(firm: Firm) -> dict[str, Any]:
    """An incident with a letter that is kept of it."""
    made, paper, keyset = uuid7(now()), uuid7(now()), "SELECT operator_keyset FROM installation"
    open_one = "SELECT case_open_v1(%s, 'incident', 'complaint', %s, 'A complaint', '', %s, NULL, NULL, NULL, NULL, '{}', '{}', NULL)"
    firm.operator.admin.execute(open_one, (made, str(made), firm.tenant))
    keys = firm.operator.keyring.tenant(OPERATOR, bytes(firm.operator.admin.execute(keyset).fetchone()[0]))
    sealed = keys.seal(b"octets", places.case_paper(paper))
    firm.operator.admin.execute("SELECT case_note_v1(%s, %s, 'letter', NULL, %s)", (made, paper, sealed))
    return {"incident": str(made), "incident_paper": str(paper)}


def _desks(firm: Firm) -> dict[str, Any]:
    """A case of abuse that somebody looks at, and a weakness; both about this client."""
    open_one = "SELECT case_open_v1(%s, %s, 'letter', %s, 'A letter', '', %s, NULL, NULL, NULL, NULL, '{}', '{}', NULL)"
    found = {"abuse": uuid7(now()), "weakness": uuid7(now())}
    for (name, made), kind in zip(found.items(), ("abuse", "disclosure"), strict=True):
        firm.operator.admin.execute(open_one, (made, kind, f"{name}:{made}", firm.tenant))
    values = found["abuse"], uuid7(now()), firm.operator.sessions[0]
    firm.operator.control.execute("SELECT case_step_v1(%s, 'acknowledge', '', %s, NULL, '{}', '{}', %s)", values)
    return {name: str(made) for name, made in found.items()}


def _import(firm: Firm) -> UUID:
    """A file that was handed in and waits to be looked at."""
    one = uuid7(now())
    query = "SELECT import_receive_v1(%s, %s, 'recipients', 'f.csv', 'a test', '{}', sha256('f'), 1, 1, %s)"
    with firm.operator.control.transaction():
        firm.operator.control.execute("SELECT set_config('troth.tenant', %s, true)", (str(firm.tenant),))
        firm.operator.control.execute(query, (one, firm.tenant, firm.operator.sessions[0]))
    return one


def _simulation(firm: Firm) -> UUID:
    """A policy that waits to be tried."""
    one = uuid7(now())
    query = "SELECT simulation_ask_v1(%s, %s, 'tenant', 'tenant', NULL, '{}', 7, %s)"
    with firm.operator.control.transaction():
        firm.operator.control.execute("SELECT set_config('troth.tenant', %s, true)", (str(firm.tenant),))
        firm.operator.control.execute(query, (one, firm.tenant, firm.operator.sessions[0]))
    return one


def _message(firm: Firm, folder: Path) -> UUID:
    """A letter to zoe about December, as the river tells of it."""
    house = House(firm, folder)
    message = house.tell(f"zoe@{firm.name}", (Kind.ACCEPTED, Kind.QUEUED))
    firm.operator.database.fill(
        "INSERT INTO email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)"
        " SELECT email_id, tenant_id, category_id, %s, sha256('p'), created_at, 1 FROM message WHERE id = %s",
        firm.operator.snapshot(firm.category), message,
    )  # fmt: skip
    wrapped = house.database.run("SELECT data_key FROM person WHERE id = %s", firm.people[f"zoe@{firm.name}"])[0][0]
    key = firm.keys.person(wrapped, firm.people[f"zoe@{firm.name}"])
    house.insert([row(Happening(message, firm.tenant, Kind.SENT, "attempt:1", key, SENT), now())])
    return message


def _missing() -> dict[str, Any]:
    uuids = (
        "draft",
        "tenant",
        "template",
        "category",
        "domain",
        "key",
        "session",
        "change",
        "person",
        "pause",
        "anomaly",
        "arrival",
        "review",
        "import",
        "simulation",
        "service",
        "report",
        "incident",
        "incident_paper",
        "abuse",
        "weakness",
    )
    return {
        **{name: str(uuid7(now())) for name in uuids},
        "recipient": wire("rcp", "a", uuid7(now())),
        "message": wire("msg", "a", uuid7(now())),
        "entry": 999_999,
    }


def _changes(operator: Operator, tenant: UUID) -> dict[str, Any]:
    """A change of each kind that waits, with its digest; the template's is `change` as well."""
    found: dict[str, Any] = {}
    query = "SELECT propose_v1(%s, %s, %s, %s, %s, %s, 'for the test', %s)"
    for kind in KINDS:
        artefact = {"template": _WORDS, "category": _CATEGORY, "grant": _grant(operator)}.get(kind, {})
        change, text = uuid7(now()), canonical_document(artefact).decode()
        values = (change, kind, tenant, uuid7(now()), f"waits-{kind}", text, operator.sessions[0])
        digest = operator.control.execute(query, values).fetchone()[0]
        name = kind.replace("-", "_")
        found |= {f"change_{name}": str(change), f"digest_{name}": digest}
    return {**found, "change": found["change_template"]}


def _grant(operator: Operator) -> dict[str, Any]:
    """Somebody who would come in."""
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys, index = operator.keyring.tenant(OPERATOR, wrapped), operator.secrets.blind_index()
    who, account, human = parse_mailbox("W Aits <waits@elsewhere.test>"), uuid7(now()), uuid7(now())
    made = owners.enrol(who, credentials.make_passphrase(), account, human, operator=keys, index=index)
    found: dict[str, Any] = owners.grant_artefact(made, "viewer")
    return found


def _arrived(firm: Firm) -> UUID:
    """Somebody whom the client's provider vouched for."""
    arrival = uuid7(now())
    sealed = [firm.keys.seal(b"new@firm.test", places.arrival(arrival, column)) for column in ("name", "address")]
    query = "INSERT INTO troth.arrival VALUES (%s, %s, sha256('matrix'), %s, %s, now_v1(), now_v1())"
    firm.operator.admin.execute(query, (arrival, firm.tenant, *sealed))
    return arrival


def _draft(operator: Operator, tenant: UUID) -> UUID:
    draft = uuid7(now())
    query = "SELECT draft_save_v1(%s, %s, 'template', NULL, 'waits', '{}', 0, %s)"
    operator.control.execute(query, (draft, tenant, operator.sessions[0]))
    return draft


def _stopped(operator: Operator, tenant: UUID) -> UUID:
    query = "SELECT (pause_v1(ARRAY[%s::uuid], 'stop-new', 'The matrix', 'watch'))[1]"
    found: UUID = operator.admin.execute(query, (tenant,)).fetchone()[0]
    return found


def _entries(operator: Operator, firms: dict[str, Firm], things: dict[str, dict[str, Any]]) -> None:
    """An entry of each client's own."""
    for letter, firm in firms.items():
        query = "SELECT max(index) FROM ledger_leaf WHERE tenant_id = %s"
        things[letter]["entry"] = operator.admin.execute(query, (firm.tenant,)).fetchone()[0]


def _member(operator: Operator, tenant: UUID, at: str, role: str) -> Somebody:
    return join(operator, f"M {role} <{role}@firm-{at}.test>", role, tenant, second=False)


def _designate(operator: Operator, tenant: UUID, *who: Somebody) -> None:
    query = "SELECT subject FROM governed WHERE kind = 'designation' AND tenant_id = %s"
    subject = operator.admin.execute(query, (tenant,)).fetchone()[0]
    operator.govern("designation", tenant, "designation", {"accounts": [str(one.account) for one in who]}, subject)


def _members(child: Child, members: dict[tuple[str, str], Somebody]) -> list[Persona]:
    return [
        Persona(role, "own", at, at == "c" and role == "author", _signed_in(child, who))
        for (at, role), who in members.items()
    ]


def _staff(child: Child, staff: dict[str, Somebody], firms: dict[str, Firm]) -> list[Persona]:
    found = []
    for role, who in staff.items():
        cookies = _signed_in(child, who)
        found.append(Persona(role, "house", "", cookies=cookies))
        for at, firm in firms.items():
            looking = child.do(do="choose", cookies=cookies, client=str(firm.tenant))["cookies"]
            found.append(Persona(role, "clients", at, at == "c" and role == "compliance", looking))
    return found


def _signed_in(child: Child, who: Somebody) -> dict[str, str]:
    answer = child.do(do="sign_in", login=who.address, password=PASSWORD)
    assert (answer["status"], answer["location"]) == (302, "/"), answer
    cookies: dict[str, str] = answer["cookies"]
    return cookies
