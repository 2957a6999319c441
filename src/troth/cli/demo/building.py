"""Before the demo's river: an installation is made through its own doors: every programme, firm, domain, category,
template and key is proposed by one person and approved by another.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from uuid import UUID

from troth.cli import system_key, wiring
from troth.cli.commands import init
from troth.cli.demo import packs
from troth.cli.demo.firms import Cast, Category, Colleague, Key, Person, Programme, Tenant
from troth.cli.demo.layout import Layout
from troth.cli.demo.staff import Desk, Made, Member
from troth.cli.demo.zone import INBOUND, Zone
from troth.cli.zone_lines import ours
from troth.control.approvals import changes
from troth.control.audit import scope
from troth.control.people import credentials, owners
from troth.control.tenants import sending_domains
from troth.keys.api_keys import make_key
from troth.keys.ids import uuid7
from troth.keys.opened import Keys
from troth.mail.mailbox import parse_mailbox
from troth.rules.profile import load_profile
from troth.rules.warm_up import ROUTES, grown

SELECTOR = "troth1"
_KEY_DAYS = 90
_WHY = "The demo's first day"
_WARM_SINCE = timedelta(days=4)
_WARM_UP = grown(500, 25, 50_000)  # 22 days; even the first is far more than the story sends


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody with an account for the pages alone."""

    account: UUID
    person: Colleague


@dataclass(slots=True)
class House:
    """A tenant as it stands: who decides there, its API keys' texts by name, and what of it may be stopped, by code."""

    tenant: Tenant
    id: UUID
    author: Member
    approver: Member
    colleagues: list[Joined] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    versions: dict[tuple[str, str], Made] = field(default_factory=dict)


@dataclass(slots=True)
class Builder:
    """Makes the installation of one layout. `close` ends its connections; the members may be used on."""

    layout: Layout
    zone: Zone
    owners: tuple[Member, Member] = field(init=False)
    keys: Keys = field(init=False)
    staff: list[Joined] = field(default_factory=list)
    firms: list[House] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)

    def connect(self, name: str) -> scope.Connection:
        return self._open.enter_context(scope.connect(wiring.conninfo(self.layout.settings, "control"), name))

    def close(self) -> None:
        self._open.close()

    def begin(self, cast: Cast) -> None:
        """`troth init`: two owners with credentials of their own; the second one signs the genesis entry."""
        settings = self.layout.settings
        init.prepare(settings)
        connection = self.connect("demo init")
        enrolled = [
            init.Owner(
                parse_mailbox(person.mailbox),
                self.layout.credentials / f"owner-{n}.credential",
                credentials.make_passphrase(),
                made=True,
            )
            for n, person in enumerate(cast.owner, 1)
        ]
        change, digest = init.genesis(settings, connection, tuple(enrolled))
        first, second = (
            Member(person, credentials.read(owner.file), owner.passphrase)
            for person, owner in zip(cast.owner, enrolled, strict=True)
        )
        found = changes.find(connection, change, (None,))
        changes.approve(connection, second.session(connection), found, digest)
        self.owners, self.keys = (first, second), wiring.control_keys(settings, connection)
        desk = Desk(connection, first, second)
        self.staff = self._join(desk, cast.staff)
        starts = changes.clock(connection).astimezone(UTC).date() - _WARM_SINCE
        desk.govern("route", ROUTES[0], {"starts": f"{starts}", "caps": _WARM_UP}, "The relay gave us a new address")

    def programme(self, programme: Programme) -> House:
        """One programme with its policy, the operator's own tenant in it and its client firm; gives the firm."""
        connection = self.connect(f"demo {programme.code}")
        desk = Desk(connection, *self.owners)
        artefact = {
            "name": programme.name, "profile": programme.code, "domain": programme.domain,
            "contacts": programme.contacts(), "subprocessors": programme.subprocessors,
        }  # fmt: skip
        made = desk.govern("programme", programme.code, artefact, _WHY)
        self.zone.publish(programme.domain, "MX", f"10 {INBOUND}.")  # abuse@, security@ and postmaster@ are taken there
        promise = load_profile(programme.code).document
        desk.govern("policy", f"programme:{programme.code}", promise, "The profile's own numbers", made.subject)
        self._tenant(desk, made.subject, programme.system)
        firm = self._tenant(desk, made.subject, programme.firm)
        self.firms.append(firm)
        return firm

    def _tenant(self, desk: Desk, programme: UUID, tenant: Tenant) -> House:
        subject = uuid7(changes.clock(desk.connection))
        keyset = self.keys.keyring.new_tenant_keyset(subject)
        artefact = {
            "programme": str(programme),
            "name": tenant.name,
            "kind": 1 if tenant.author else 2,
            "timezone": tenant.timezone,
            "plan": tenant.plan,
            "postal_address": tenant.postal_address,
            "keyset": base64.b64encode(keyset).decode(),
        }
        desk.govern("tenant", tenant.code, artefact, _WHY, subject)
        author, approver = desk.proposer, desk.approver
        if tenant.author and tenant.approver:
            author = self._enrol(desk, subject, tenant.author, "admin")
            approver = self._enrol(desk, subject, tenant.approver, "approver")
        house = House(tenant, subject, author, approver)
        house.colleagues = self._join(Desk(desk.connection, *self.owners, subject), tenant.colleague)
        self._designate(desk, house)
        self._domain(desk, house)
        for step in self._steps(house, desk.connection):
            step()
        self._pages_key(Desk(desk.connection, author, approver, subject), tenant)
        return house

    def _pages_key(self, desk: Desk, tenant: Tenant) -> None:
        """With which the pages send: of a system tenant the programme's own mail, of a firm tests of its templates."""
        ends = changes.clock(desk.connection) + timedelta(days=_KEY_DAYS)
        assert desk.tenant is not None
        made = system_key.system_key(self.keys.secrets, self.layout.settings.cell, desk.tenant)
        artefact = system_key.artefact(made, ends, tests=tenant.author is not None)
        desk.govern("api-key", system_key.NAME, artefact, _WHY)

    def _enrol(self, desk: Desk, tenant: UUID, person: Person, role: str) -> Member:
        """An account of a firm's own person, granted by both owners."""
        now = changes.clock(desk.connection)
        account, human, words = uuid7(now), uuid7(now), credentials.make_passphrase()
        who, index = parse_mailbox(person.mailbox), self.keys.secrets.blind_index()
        made = owners.enrol(who, words, account, human, operator=self.keys.operator, index=index)
        grants = Desk(desk.connection, desk.proposer, desk.approver, tenant)
        grants.govern("grant", str(account), owners.grant_artefact(made, role), _WHY, account)
        credentials.write(self.layout.credentials / f"{person.address}.credential", made.credential)
        return Member(person, made.credential, words)

    def _join(self, desk: Desk, people: Iterable[Colleague]) -> list[Joined]:
        """Access for the pages, granted by both owners; each sets a password with an invitation's link."""
        joined = []
        for person in people:
            account, human = (uuid7(changes.clock(desk.connection)) for _ in range(2))
            artefact = owners.access_artefact(
                parse_mailbox(person.mailbox), person.role, account, human,
                operator=self.keys.operator, index=self.keys.secrets.blind_index(),
            )  # fmt: skip
            desk.govern("grant", f"account-{account.hex}", artefact, _WHY, account)
            joined.append(Joined(account, person))
        return joined

    def _designate(self, desk: Desk, house: House) -> None:
        """The two who alone may write templates and rules, where the promise says so."""
        accounts = [str(one.credential.account) for one in (house.author, house.approver)]
        why = "They write what this firm's mail says"
        Desk(desk.connection, *self.owners, house.id).govern("designation", "designation", {"accounts": accounts}, why)

    def _domain(self, desk: Desk, house: House) -> None:
        """The firm proposes, an owner approves; the key is made here, its records go into the zone."""
        name = house.tenant.domain
        asks = Desk(desk.connection, house.author, desk.approver, house.id)
        made = asks.govern("domain", name, {"name": name, "selector": SELECTOR}, _WHY)
        keyset = wiring.client_keys(self.layout.settings, desk.connection, house.id)
        public = sending_domains.add_key(
            desk.connection, keyset, tenant=house.id, domain=made.subject, selector=SELECTOR
        )
        for record in sending_domains.records(name, SELECTOR, public, ours(self.layout.settings)):
            self.zone.publish(record.name, record.kind, record.text)
        self.zone.publish(name, "MX", "10 mailbox.localhost.")

    def _steps(self, house: House, connection: scope.Connection) -> Iterator[Callable[[], None]]:
        desk = Desk(connection, house.author, house.approver, house.id)
        for category in house.tenant.category:
            yield lambda category=category: _category(desk, house, category)  # type: ignore[misc]  # mypy and defaults
        for key in house.tenant.key:
            yield lambda key=key: self._key(desk, house, key)  # type: ignore[misc]  # as above

    def _key(self, desk: Desk, house: House, key: Key) -> None:
        made = make_key(self.layout.settings.cell)
        ends = changes.clock(desk.connection) + timedelta(days=key.days)
        artefact = {
            "name": f"{house.tenant.code}'s {key.name} program",
            "prefix": made.prefix,
            "hash": made.hash.hex(),
            "categories": list(key.categories) if key.categories else None,
            "expires_at": ends.replace(microsecond=0).isoformat(),
            "policy": key.policy,
        }
        house.versions["api-key", key.name] = desk.govern("api-key", key.name, artefact, "A program needs a key")
        house.keys[key.name] = made.text


def _category(desk: Desk, house: House, category: Category) -> None:
    made = desk.govern("category", category.code, category.artefact(), _WHY)
    house.versions["category", category.code] = made
    for pack in category.templates:
        code, artefact = packs.template(pack)
        house.versions["template", code] = desk.govern("template", code, artefact, _WHY)
