"""Claims: what one check looks with: a connection of role troth_control, the keys, the clock, and what is read once for
all controls. Bounded: each statement has its time, and the whole has a deadline.

    OutOfTime   temporary: the check took too long; the control has no data, and says so
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

from troth.control.audit.scope import Connection, within
from troth.control.trust import schema
from troth.control.trust.schema import Schema
from troth.control.trust.web_probe import Place
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring, TenantKeys
from troth.outside.dns import Resolver
from troth.outside.relay_probe import Relay
from troth.rules.earlier import of_profile
from troth.rules.policy import Document, Policy, PolicyError, resolve
from troth.rules.profile import load_profile

LOG = timedelta(days=90)  # how far back messages are looked at
_STATEMENT = "8s"
_FACT = "SELECT * FROM claim_fact_v1(%s, %s)"
_PROGRAMMES = "SELECT id, code, profile FROM programme ORDER BY code"
_TENANTS = """
SELECT s.subject, s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'tenant' AND g.tenant_id IS NULL ORDER BY g.code
"""
_TENANT = "SELECT kind, plan, keyset FROM tenant WHERE id = %s"
_POLICIES = """
SELECT g.tenant_id IS NULL, g.code, s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'policy' AND NOT g.retired
"""
_STATE = "SELECT state FROM claim_state WHERE claim = %s AND programme_id IS NOT DISTINCT FROM %s"
_REMEMBERED = """
SELECT evidence FROM claim_state WHERE claim = %(claim)s AND programme_id IS NOT DISTINCT FROM %(programme)s
UNION ALL
(SELECT evidence FROM claim_history WHERE claim = %(claim)s AND programme_id IS NOT DISTINCT FROM %(programme)s
 AND state = 'holds' ORDER BY checked_at DESC LIMIT 1)
"""


class OutOfTime(Exception):  # noqa: N818 - reads as what happened
    """The check's time is over."""

    temporary = True


def level_of(artefact: str) -> Document | None:
    """A policy's level as it is stored; None: it is none, whatever was approved, and nothing may go by the others."""
    try:
        read: object = json.loads(artefact)
    except ValueError:
        return None
    return dict(read) if isinstance(read, dict) else None


@dataclass(frozen=True, slots=True)
class Programme:
    id: UUID
    code: str
    profile: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """`system`: the programme's own, which sends Troth's mail. `keyset` is wrapped."""

    id: UUID
    programme: UUID
    system: bool
    plan: str
    keyset: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """A count over one client's rows, or (tenant None) over all; `example`: an id, a time, or None."""

    tenant: UUID | None
    n: int
    wrong: int
    example: str | None


@dataclass(frozen=True, slots=True)
class Outside:
    """What the settings say of the world: resolvers and the SPF mechanism; files with checkpoints that others keep;
    where our own pages and the sending door listen; the relay that mail is handed to; the domain of return paths; the
    addresses that mail leaves from, and the DNS lists that are asked about them.
    """

    resolver: Resolver
    spf_mechanism: str | None
    witness: Path | None = None
    memory: Path | None = None
    pages: Place | None = None
    door: Place | None = None
    relay: Relay | None = None
    bounces: str | None = None
    addresses: tuple[str, ...] = ()
    address_lists: tuple[str, ...] = ()


@dataclass(slots=True)
class Look:
    """One check. `until`: time.monotonic() at its deadline."""

    connection: Connection
    keyring: Keyring
    secrets: InstallationSecrets
    operator: TenantKeys
    outside: Outside
    now: datetime
    until: float
    installation: UUID
    _kept: dict[Any, Any] = field(default_factory=dict)

    def once[T](self, name: Any, make: Callable[[], T]) -> T:
        """What `make()` gives, made once in this check."""
        if name not in self._kept:
            self.hurry()
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    def hurry(self) -> None:
        """Raise OutOfTime when the deadline has passed."""
        if time.monotonic() > self.until:
            raise OutOfTime("the check's time was over before this was looked at")

    @contextmanager
    def of(self, tenant: UUID | None) -> Iterator[Connection]:
        """A transaction that sees one client's rows and those of none."""
        self.hurry()
        with within(self.connection, tenant) as connection:
            connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT}'")
            yield connection

    @property
    def schema(self) -> Schema:
        made: Schema = self.once("schema", lambda: schema.read(self.connection))
        return made

    @property
    def programmes(self) -> tuple[Programme, ...]:
        def read() -> tuple[Programme, ...]:
            with self.of(None) as connection:
                return tuple(Programme(*row) for row in connection.execute(_PROGRAMMES).fetchall())

        return self.once("programmes", read)

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return self.once("tenants", lambda: tuple(self._tenants()))

    def _tenants(self) -> Iterator[Tenant]:
        """Those that two people approved: which there are is the installation's own record."""
        with self.of(None) as connection:
            rows = connection.execute(_TENANTS).fetchall()
        for subject, artefact in rows:
            with self.of(subject) as connection:
                row = connection.execute(_TENANT, (subject,)).fetchone()
            if row is not None:
                yield Tenant(subject, UUID(json.loads(artefact)["programme"]), row[0] == 2, row[1], row[2])

    def of_programme(self, programme: Programme) -> tuple[Tenant, ...]:
        return tuple(tenant for tenant in self.tenants if tenant.programme == programme.id)

    def keys(self, tenant: Tenant) -> TenantKeys:
        return self.keyring.tenant(tenant.id, tenant.keyset)

    def facts(self, name: str, programme: Programme | None = None, window: timedelta = LOG) -> tuple[Fact, ...]:
        """What a count over all clients says; of one programme's, and of those that no approval knows."""
        return self.counted(name, _FACT, programme, window)

    def counted(
        self, name: str, query: str, programme: Programme | None = None, window: timedelta = LOG
    ) -> tuple[Fact, ...]:
        """The same of another function that counts: `query` takes the fact's name and since when."""

        def read() -> tuple[Fact, ...]:
            with self.of(None) as connection:
                rows = connection.execute(query, (name, self.now - window)).fetchall()
            return tuple(Fact(*row) for row in rows)

        found: tuple[Fact, ...] = self.once(("fact", query, name, window), read)
        if programme is None:
            return found
        others = {tenant.id for tenant in self.tenants if tenant.programme != programme.id}
        return tuple(fact for fact in found if fact.tenant not in others)

    def attempt(self, *names: str, query: LiteralString = "SELECT claim_attempt_v1(%s)") -> str:
        """The answer to an attempt that is always undone: an SQLSTATE, 'accepted', 'nothing there', and what else the
        function of `query` says.
        """

        def make() -> str:
            with self.of(None) as connection:
                connection.execute("SET LOCAL lock_timeout = '1s'")
                row = connection.execute(query, names).fetchone()
            return str(row[0]) if row else "no answer"

        return self.once(("attempt", query, *names), make)

    def policy(self, tenant: Tenant) -> Policy | None:
        """What is in force for a client, above its categories; None where there is none."""
        return self.once(("policy", tenant.id), lambda: self._policy(tenant))

    def _policy(self, tenant: Tenant) -> Policy | None:
        home = next((each for each in self.programmes if each.id == tenant.programme), None)
        with self.of(tenant.id) as connection:
            rows = connection.execute(_POLICIES).fetchall()
        found = {(bool(shared), code): level_of(artefact) for shared, code, artefact in rows}
        if None in found.values():
            return None
        promise = found.get((True, f"programme:{home.code}")) if home else None
        if home is None or promise is None:
            return None
        profile = load_profile(home.profile)
        promise, plan = of_profile(promise, profile.document), profile.plans.get(tenant.plan)
        levels = (("promise", promise), ("operator", found.get((True, "operator"))),
                  ("plan", plan), ("tenant", found.get((False, "tenant"))))  # fmt: skip
        try:
            return resolve([(name, document) for name, document in levels if document])
        except PolicyError:  # what is stored is not what was approved: it rules nothing
            return None

    def remembered(self, claim: str, programme: Programme | None = None) -> Mapping[str, Any]:
        """What this control saw at its last check that saw anything; empty before the first."""
        whose = {"claim": claim, "programme": programme.id if programme else None}
        with self.of(None) as connection:
            rows = connection.execute(_REMEMBERED, whose).fetchall()
        found: Iterator[Mapping[str, Any]] = (json.loads(evidence).get("seen", {}) for (evidence,) in rows)
        return next((seen for seen in found if seen), {})

    def state(self, claim: str, programme: Programme | None = None) -> str:
        """What its last check said; "" before the first."""
        with within(self.connection, None) as connection:
            row = connection.execute(_STATE, (claim, programme.id if programme else None)).fetchone()
        return str(row[0]) if row else ""
