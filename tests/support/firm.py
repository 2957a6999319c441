"""The cast of the river's tests: an operator with two owners, and client firms made by governed changes alone."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.support.postgres import Database

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import OPERATOR, Keyring, TenantKeys
from troth.ledger.canonical import canonical_document
from troth.mail.address import parse_address
from troth.outside.kms import LocalKms
from troth.rules.profile import load_profile

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_PEM = _RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
PUBLIC_DER = _RSA.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
SCHEMA = {"name": {"type": "string", "max_length": 200}}
TEMPLATE = {"category": "rent", "subject": "Rent, {{ name }}", "html": "<p>Dear {{ name }}, the rent is due.</p>",
            "text": "Dear {{ name }}, the rent is due.", "schema": SCHEMA, "targeting": {}}  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


def key_end(days: int = 80) -> str:
    """An API key's end, within what every policy lets it live."""
    return (now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass
class Operator:
    """The installation with its keyring, and sessions of its two owners: one proposes, the other approves."""

    database: Database
    kms_path: Path
    keyring: Keyring
    secrets: InstallationSecrets
    admin: psycopg.Connection[Any]
    control: psycopg.Connection[Any]
    sessions: tuple[bytes, bytes]

    def govern(self, kind: str, tenant: UUID | None, code: str, artefact: Any, subject: UUID | None = None) -> UUID:
        """Proposes and approves; returns the subject."""
        subject, change = subject or uuid7(now()), uuid7(now())
        text = canonical_document(artefact).decode()
        digest = self.control.execute(
            "SELECT propose_v1(%s,%s,%s,%s,%s,%s,%s,%s)",
            (change, kind, tenant, subject, code, text, "for the test", self.sessions[0]),
        ).fetchone()[0]
        self.control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, self.sessions[1]))
        return subject

    def designate(self, tenant: UUID) -> None:
        """The owner who proposes is one of the named individuals, which matters under the profile `construction`."""
        query = "SELECT account_id FROM session WHERE secret_hash = sha256(%s)"
        account = self.admin.execute(query, (self.sessions[0],)).fetchone()[0]
        self.govern("designation", tenant, "designation", {"accounts": [str(account)]})

    def snapshot(self, subject: UUID) -> UUID:
        return self.admin.execute("SELECT snapshot_id FROM governed WHERE subject = %s", (subject,)).fetchone()[0]

    def revoke(self, subject: UUID) -> None:
        self.control.execute("SELECT revoke_v1(%s,%s,%s)", (self.snapshot(subject), "stop", self.sessions[0]))


@dataclass
class Firm:
    """One client firm, ready to send: domain, category `rent`, template `reminder`, one API key."""

    operator: Operator
    tenant: UUID
    programme: UUID
    domain: UUID
    category: UUID
    template: UUID
    key: UUID
    key_hash: bytes
    key_text: str
    name: str
    keys: TenantKeys
    people: dict[str, UUID] = field(default_factory=dict)

    def person(self, address: str, status: int = 2, pathway: str = "confirmation-link") -> UUID:
        """A recipient, verified unless told otherwise, put in by the superuser."""
        person, parsed = uuid7(now()), parse_address(address)
        key, wrapped = self.keys.new_person_key(person)
        verified = (pathway, now()) if status == 2 else (None, None)
        self.operator.admin.execute(
            "INSERT INTO person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at,"
            " created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            (person, self.tenant, self.index(address), key.seal(parsed.addr_spec.encode(), places.address(person)),
             wrapped, os.urandom(16), status, *verified, now()),
        )  # fmt: skip
        self.people[address] = person
        return person

    def index(self, address: str) -> bytes:
        return self.operator.secrets.blind_index().index(parse_address(address).normal)

    def domain_ready(self, ready: bool = True) -> None:
        until = "now_v1() + interval '2 hours'" if ready else "'epoch'"
        self.operator.admin.execute(
            f"UPDATE domain_state SET ready_until = {until}, checked_at = now_v1(), last_good_at = now_v1(),"
            " findings = %s WHERE domain_id = %s",
            (json.dumps([{"code": "dmarc.missing", "ok": ready, "sentence": "."}]), self.domain),
        )


@pytest.fixture
def operator(database: Database) -> Operator:
    return make_operator(database)


def make_operator(database: Database, mode: str = "test") -> Operator:
    admin, control = database.open(), database.open("troth_control")
    kms_path = Path(database.server.home).parent / f"{database.name}.key"
    kms = LocalKms.create(kms_path)
    keyring, secrets = Keyring(kms), InstallationSecrets.create()
    admin.execute(
        "INSERT INTO installation (id, mode, cell, secrets_ct, operator_keyset) VALUES (%s,%s,'a',%s,%s)",
        (uuid7(now()), mode, secrets.seal(kms), keyring.new_tenant_keyset(OPERATOR)),
    )
    return Operator(database, kms_path, keyring, secrets, admin, control, _genesis(admin, control, keyring))


def _genesis(admin: psycopg.Connection[Any], control: psycopg.Connection[Any], keyring: Keyring) -> tuple[bytes, bytes]:
    wrapped = admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    sealed = keyring.tenant(OPERATOR, wrapped).seal(b"an owner", b"test")
    humans, accounts = [uuid7(now()), uuid7(now())], [uuid7(now()), uuid7(now())]
    devices, passphrases = [os.urandom(32), os.urandom(32)], [os.urandom(32), os.urandom(32)]
    change = uuid7(now())
    digest = control.execute(
        "SELECT genesis_v1(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
        (change, humans, accounts, [sealed] * 2, [sealed] * 2, [os.urandom(32), os.urandom(32)],
         [_sha(d) for d in devices], [os.urandom(16)] * 2, [_sha(p) for p in passphrases], '{"genesis":"test"}'),
    ).fetchone()[0]  # fmt: skip
    secrets = (os.urandom(32), os.urandom(32))
    for account, device, passphrase, secret in zip(accounts, devices, passphrases, secrets, strict=True):
        control.execute("SELECT session_open_v1(%s,%s,%s,%s)", (account, device, passphrase, secret))
    control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, secrets[1]))
    return secrets


def make_firm(
    operator: Operator, code: str = "firm", profile: str = "property", limits: int = 1_000_000, floor: int | None = None
) -> Firm:
    """A firm of `profile`; `limits` replaces the promise's rates, so that only the tests of rates meet them; `floor`
    its floors of what is unusual, for who sends a lot at once.
    """
    promise = json.loads(json.dumps(load_profile(profile).document))
    promise["limits"] = dict.fromkeys(promise["limits"], limits)
    if floor is not None:
        promise["anomaly"] |= {"floor": floor, "first_week_floor": floor}
    programme = operator.govern(
        "programme", None, f"p-{code}", {"name": "P", "profile": profile, "domain": f"{code}.example"}
    )
    operator.govern("policy", None, f"programme:p-{code}", promise)
    tenant = uuid7(now())
    keyset = operator.keyring.new_tenant_keyset(tenant)
    name = f"mail.{code}.example"
    operator.govern("tenant", None, code, {
        "programme": str(programme), "name": f"Firm {code}", "kind": 1, "timezone": "Europe/London", "plan": "standard",
        "postal_address": "1 Test Street", "keyset": base64.b64encode(keyset).decode()}, tenant)  # fmt: skip
    operator.designate(tenant)
    domain = operator.govern("domain", tenant, name, {"name": name, "selector": "s1"})
    keys = operator.keyring.tenant(tenant, keyset)
    operator.admin.execute(
        "INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)"
        " VALUES (%s,%s,%s,'s1',2048,%s,%s,%s)",
        (uuid7(now()), tenant, domain, keys.seal(PRIVATE_PEM, places.dkim(domain, "s1")), PUBLIC_DER, now()),
    )
    category = operator.govern("category", tenant, "rent", {
        "name": "Rent", "purpose": "Rent notices", "sender": {"name": f"Firm {code}", "address": f"rent@{name}"},
        "legal_class": "transactional", "raw": True, "policy": {}})  # fmt: skip
    template = operator.govern("template", tenant, "reminder", TEMPLATE)
    text = f"troth_a_test{code}"
    key = operator.govern("api-key", tenant, "key", {
        "name": "key", "prefix": text[:12], "hash": _sha(text.encode()).hex(), "categories": ["rent"],
        "expires_at": key_end(), "policy": {}})  # fmt: skip
    firm = Firm(operator, tenant, programme, domain, category, template, key, _sha(text.encode()), text, name, keys)
    firm.domain_ready()
    return firm


@pytest.fixture
def firm(operator: Operator) -> Firm:
    return make_firm(operator)
