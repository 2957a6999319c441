"""Before the demo's river: its cast, read from firms.toml: owners, programmes, tenants, categories, keys."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).with_name("firms.toml")


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    address: str

    @property
    def mailbox(self) -> str:
        return f"{self.name} <{self.address}>"


class Colleague(Person, frozen=True, forbid_unknown_fields=True):
    """Somebody more, with another role."""

    role: str


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name: str
    purpose: str
    sender: Person
    lawful_basis: str
    templates: tuple[str, ...]
    legal_class: str = "transactional"
    raw: bool = False
    policy: dict[str, Any] = {}

    def artefact(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "purpose": self.purpose,
            "sender": {"name": self.sender.name, "address": self.sender.address},
            "legal_class": self.legal_class,
            "lawful_basis": self.lawful_basis,
            "raw": self.raw,
            "policy": self.policy,
        }


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`categories` None: all of the firm's. `days`: how long it lives."""

    name: str
    days: int = 90
    categories: tuple[str, ...] | None = None
    policy: dict[str, Any] = {}


class Tenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client firm, or (without staff) the operator's own tenant of a programme."""

    code: str
    name: str
    timezone: str
    plan: str
    postal_address: str
    domain: str
    category: tuple[Category, ...]
    key: tuple[Key, ...] = ()
    author: Person | None = None
    approver: Person | None = None
    colleague: tuple[Colleague, ...] = ()


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` is its profile's name too."""

    code: str
    name: str
    domain: str
    telephone: str
    subprocessors: list[dict[str, str]]
    system: Tenant
    firm: Tenant

    def contacts(self) -> dict[str, str]:
        """Its desks, which the inbound server of the demo takes mail for, and where else it is reached."""
        desks = {desk: f"{desk}@{self.domain}" for desk in ("abuse", "privacy", "security")}
        return {**desks, "postal": self.system.postal_address, "telephone": self.telephone}


class Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: tuple[Person, Person]
    staff: tuple[Colleague, ...]
    programme: tuple[Programme, ...]

    def mail_domains(self) -> set[str]:
        """Where the firms' own people get mail: they are recipients of their firms, too."""
        staff = (
            person
            for each in self.programme
            for person in (each.firm.author, each.firm.approver, *each.firm.colleague)
            if person is not None
        )
        return {person.address.rpartition("@")[2] for person in staff}


def cast() -> Cast:
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), Cast)
