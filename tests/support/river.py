"""A small river for tests: one programme, one client firm ready to send, and messages queued past the gate, by SQL.

What approve_v1 and the gate would write is written here with triggers off, so that delivery can be tested by itself.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.support.postgres import Database

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import OPERATOR, Keyring, PersonKey, TenantKeys
from troth.mail.address import parse_address
from troth.mail.letter import HeaderMailbox, Letter, encode
from troth.outside.kms import LocalKms
from troth.rules.profile import load_profile
from troth.rules.states import Kind, State

DOMAIN = "mail.acme.example"
SELECTOR = "troth1"
LONG = timedelta(hours=72)
TEMPLATE = {
    "category": "rent-reminder",
    "subject": "Rent due for {{ flat }}",
    "html": "<p>Dear {{ name }},</p><p>the rent for {{ flat }} is due.</p>",
    "text": "Dear {{ name }},\n\nthe rent for {{ flat }} is due.\n",
    "schema": {"type": "object", "properties": {"name": {"type": "string"}, "flat": {"type": "string"}}},
    "targeting": {},
}
VARIABLES = {"name": "Zoë", "flat": "12b"}


@cache
def dkim_pair() -> tuple[bytes, bytes]:
    """(private PEM, public DER), made once a process."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem, public


@dataclass(frozen=True)
class Person:
    id: UUID
    address: str
    key: PersonKey
    index: bytes


@dataclass
class River:
    """One tenant `acme` of a programme of profile property, its domain ready, `rent-reminder` approved."""

    database: Database
    kms: LocalKms
    secrets: InstallationSecrets = field(default_factory=InstallationSecrets.create)
    programme: UUID = field(default_factory=uuid4)
    tenant: UUID = field(default_factory=uuid4)
    domain: UUID = field(default_factory=uuid4)
    category: UUID = field(default_factory=uuid4)
    template: UUID = field(default_factory=uuid4)
    people: dict[str, Person] = field(default_factory=dict)
    snapshots: dict[UUID, UUID] = field(default_factory=dict)  # subject -> the version in force
    sender: str = f"Acme Homes <rent@{DOMAIN}>"

    def __post_init__(self) -> None:
        self.keyring = Keyring(self.kms)
        self.keyset = self.keyring.new_tenant_keyset(self.tenant)
        self.keys: TenantKeys = self.keyring.tenant(self.tenant, self.keyset)
        self.humans, self.account = (uuid4(), uuid4()), uuid4()

    # ---- filling

    def found(self, *, policy: dict[str, Any] | None = None) -> "River":
        """Everything up to the point where messages can be queued. `policy`: changes to the profile's document."""
        run = self.database.fill
        run(
            "INSERT INTO installation (id, mode, cell, secrets_ct, operator_keyset) VALUES (%s, 'test', 'a', %s, %s)",
            uuid4(), self.secrets.seal(self.kms), self.keyring.new_tenant_keyset(OPERATOR),
        )  # fmt: skip
        for human in self.humans:
            run("INSERT INTO human VALUES (%s, now())", human)
        run(
            "INSERT INTO account (id, human_id, role, name_ct, address_ct, address_index, created_at)"
            " VALUES (%s, %s, 'owner', %s, %s, %s, now())",
            self.account, self.humans[0], b"\x01x", b"\x01x", bytes(32),
        )  # fmt: skip
        run("INSERT INTO programme VALUES (%s, 'homes', 'Homes', 'property', 'homes.example', now())", self.programme)
        run(
            "INSERT INTO tenant (id, programme_id, code, name, kind, timezone, postal_address, keyset, created_at)"
            " VALUES (%s, %s, 'acme', 'Acme Homes', 1, 'Europe/Berlin', 'Hauptstr. 1, Berlin', %s, now())",
            self.tenant, self.programme, self.keyset,
        )  # fmt: skip
        document = json.loads(msgspec.json.encode(dict(load_profile("property").document)))
        for section, values in (policy or {}).items():
            document[section] |= values
        self.approve("policy", self.programme, "programme:homes", document, tenant=None)
        self.add_domain()
        self.add_category()
        self.approve("template", self.template, "rent-reminder", TEMPLATE)
        return self

    def approve(
        self, kind: str, subject: UUID, code: str, artefact: dict[str, Any], *, tenant: UUID | None | str = "own"
    ) -> UUID:
        """A new version in force, as if two people had agreed."""
        whose = self.tenant if tenant == "own" else tenant
        text = json.dumps(artefact, sort_keys=True, ensure_ascii=False)
        digest, change, snapshot = sha256(text.encode()).digest(), uuid4(), uuid4()
        with self.database.filler() as connection, connection.transaction():
            connection.execute(
                "INSERT INTO change (id, kind, tenant_id, subject, code, artefact, digest, reason, proposer_account,"
                " proposer_human, proposed_at, expires_at, state, decided_at, decider_human)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, 'test', %s, %s, now(), now() + interval '1 day', 2, now(), %s)",
                (change, kind, whose, subject, code, text, digest, self.account, *self.humans),
            )
            connection.execute(
                "INSERT INTO snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id,"
                " proposer_human, approver_human, approved_at) VALUES (%s, %s, %s, %s, %s,"
                " (SELECT coalesce(max(version), 0) + 1 FROM snapshot WHERE subject = %s), %s, %s, %s, %s, %s, now())",
                (snapshot, kind, whose, subject, code, subject, text, digest, change, *self.humans),
            )
            connection.execute(
                "INSERT INTO governed (subject, kind, tenant_id, code, snapshot_id) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (subject) DO UPDATE SET snapshot_id = EXCLUDED.snapshot_id",
                (subject, kind, whose, code, snapshot),
            )
        self.snapshots[subject] = snapshot
        return snapshot

    def add_domain(self, **artefact: str) -> None:
        self.approve("domain", self.domain, DOMAIN, {"name": DOMAIN, "selector": SELECTOR, **artefact})
        self.database.fill(
            "INSERT INTO domain_state (domain_id, tenant_id, name, ready_until) VALUES (%s, %s, %s, '2100-01-01')",
            self.domain, self.tenant, DOMAIN,
        )  # fmt: skip
        pem, public = dkim_pair()
        self.database.fill(
            "INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at, state,"
            " active_at) VALUES (%s, %s, %s, %s, 2048, %s, %s, now(), 'active', now())",
            uuid4(), self.tenant, self.domain, SELECTOR,
            self.keys.seal(pem, places.dkim(self.domain, SELECTOR)), public,
        )  # fmt: skip

    def add_category(self, **policy: Any) -> None:
        name, _, address = self.sender.partition(" <")
        artefact = {
            "name": "Rent reminder", "purpose": "rent", "sender": {"name": name, "address": address.rstrip(">")},
            "legal_class": "transactional", "raw": True, "policy": policy,
        }  # fmt: skip
        self.approve("category", self.category, "rent-reminder", artefact)

    def person(self, address: str, *, status: int = 2) -> Person:
        """A verified recipient (status 1: pending), made once."""
        if address in self.people:
            return self.people[address]
        person_id = uuid4()
        key, wrapped = self.keys.new_person_key(person_id)
        index = self.secrets.blind_index().index(parse_address(address).normal)
        verified = datetime.now(UTC) if status == 2 else None
        self.database.fill(
            "INSERT INTO person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at,"
            " created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now())",
            person_id, self.tenant, index, key.seal(address.encode(), places.address(person_id)), wrapped,
            os.urandom(16), status, "confirmation-link" if verified else None, verified,
        )  # fmt: skip
        self.people[address] = Person(person_id, address, key, index)
        return self.people[address]

    def queue(
        self,
        *to: str,
        cc: tuple[str, ...] = (),
        due: datetime | None = None,
        lifetime: timedelta = LONG,
        copies: int = 1,
        variables: dict[str, Any] | None = None,
        scheduled_at: datetime | None = None,
        **letter: Any,
    ) -> list[UUID]:
        """`copies` emails to these people, accepted and queued; the ids of their messages. `subject=...`: raw content."""
        made: list[UUID] = []
        rows = _Rows()
        for _ in range(copies):
            made += self._email(rows, to, cc, due, lifetime, variables, scheduled_at, letter)
        rows.write(self.database)
        return made

    def _email(
        self,
        rows: "_Rows",
        to: tuple[str, ...],
        cc: tuple[str, ...],
        due: datetime | None,
        lifetime: timedelta,
        variables: dict[str, Any] | None,
        scheduled_at: datetime | None,
        letter: dict[str, Any],
    ) -> list[UUID]:
        now = datetime.now(UTC)
        due = due or now
        email = uuid7(now)
        template = None if "subject" in letter else self.snapshots[self.template]
        shown = {n: tuple(HeaderMailbox(self.person(a).id, self.person(a).key.seal(a.encode(), places.mailbox(email)))
                          for a in named) for n, named in (("to", to), ("cc", cc))}  # fmt: skip
        rows.email.append((email, self.tenant, self.category, self.snapshots[self.category], template, bytes(32), now,
                           scheduled_at, len(to) + len(cc)))  # fmt: skip
        ids = []
        for number, address in ((n, a) for n, named in ((1, to), (2, cc)) for a in named):
            person, message = self.person(address), uuid7(now)
            body = Letter(
                sender=self.sender, forward_path=address, **shown,
                variables=(variables or VARIABLES) if template else None, **letter,
            )  # fmt: skip
            rows.message.append((message, email, self.tenant, person.id, person.index, self.category, number, now,
                                 person.key.seal(b"{}", places.decision(message)), int(State.QUEUED), now))  # fmt: skip
            rows.message_body.append((message, self.tenant, person.key.seal(encode(body), places.body(message))))
            rows.spool.append((message, self.tenant, email, person.id, person.index, self.category,
                               self.snapshots[self.category], template, self.domain, int(State.QUEUED), due,
                               due + lifetime))  # fmt: skip
            ids.append(message)
        return ids

    # ---- what may happen meanwhile

    def erase(self, address: str) -> None:
        with self.database.owner() as connection, connection.transaction():
            connection.execute("SELECT set_config('troth.tenant', %s, true)", (str(self.tenant),))
            connection.execute("SELECT erase_person_v1(%s, %s)", (self.tenant, self.people[address].id))

    def suppress(self, address: str, reason: int = 2) -> None:
        self.database.run(
            "SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[%s::smallint], ARRAY['test'], ARRAY[%s::uuid], ARRAY[NULL::bytea])",
            self.person(address).index, reason, self.tenant,
        )  # fmt: skip

    # ---- looking

    def state(self, message: UUID) -> State:
        """As the events' cache tells it."""
        return State(self.database.run("SELECT state FROM message WHERE id = %s", message)[0][0])

    def states(self) -> dict[State, int]:
        return {State(s): n for s, n in self.database.run("SELECT state, count(*) FROM message GROUP BY 1")}

    def spooled(self, message: UUID) -> dict[str, Any] | None:
        found = self.database.run("SELECT row_to_json(s) FROM spool s WHERE message_id = %s", message)
        return found[0][0] if found else None

    def told(self, message: UUID) -> list[Kind]:
        """Kinds of its events, in order."""
        return [kind for kind, _ in self.events(message)]

    def events(self, message: UUID) -> list[tuple[Kind, dict[str, Any]]]:
        """Events with their opened details, in order."""
        rows = self.database.run(
            "SELECT kind, source_key, detail_ct, p.id FROM event e JOIN message m ON m.id = e.message_id"
            " JOIN person p ON p.id = m.person_id WHERE message_id = %s ORDER BY at, e.ctid", message,
        )  # fmt: skip
        keys = {p.id: p.key for p in self.people.values()}
        return [
            (Kind(kind), msgspec.json.decode(keys[who].open(ct, places.event(message, source)))["detail"] if ct else {})
            for kind, source, ct, who in rows
        ]

    def suppressed(self, address: str) -> list[tuple[int, str]]:
        index = self.people[address].index
        return self.database.run("SELECT reason, source FROM suppression WHERE blind_index = %s", index)


class _Rows:
    """Rows of one filling, written together."""

    def __init__(self) -> None:
        self.email: list[tuple[Any, ...]] = []
        self.message: list[tuple[Any, ...]] = []
        self.message_body: list[tuple[Any, ...]] = []
        self.spool: list[tuple[Any, ...]] = []

    def write(self, database: Database) -> None:
        columns = {
            "email": "id, tenant_id, category_id, category_snapshot, template_snapshot, policy_digest, created_at,"
                     " scheduled_at, recipients",
            "message": "id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at, decision_ct,"
                       " state, state_at",
            "message_body": "message_id, tenant_id, body_ct",
            "spool": "message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot,"
                     " template_snapshot, domain_id, state, due, lifetime_ends",
        }  # fmt: skip
        with database.filler() as connection, connection.transaction(), connection.cursor() as cursor:
            for table, names in columns.items():
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in getattr(self, table):
                        copy.write_row(row)


@pytest.fixture
def river(database, tmp_path):
    """A founded river; nothing is queued."""
    return River(database, LocalKms.create(tmp_path / "master.key")).found()
