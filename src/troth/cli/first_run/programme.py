"""Around the house: a first run's first programme: its promise, its own tenant, and the domain that it writes from."""

import base64
import re
import zoneinfo
from collections.abc import Callable
from uuid import UUID

from troth.cli import wiring
from troth.cli.first_run.asking import Unfit, ask, filled, one_of, say, title
from troth.cli.first_run.governing import Desk
from troth.cli.zone_lines import ours
from troth.control.approvals import changes
from troth.control.approvals.artefacts.domain import name_problem
from troth.control.approvals.artefacts.programme import code_problems
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import within
from troth.control.people.permissions import names_individuals
from troth.control.tenants import clients, sending_domains
from troth.control.tenants.clients import Client, Programme
from troth.control.tenants.sending_domains import Record
from troth.keys.ids import uuid7
from troth.rules.profile import PROFILES, load_profile
from troth.settings import Settings

_SELECTOR = "troth1"
_OWNERS = (
    "SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' AND disabled_at IS NULL "
    "ORDER BY created_at, id LIMIT 2"
)
_KEY = (
    "SELECT selector, public_der FROM dkim_key WHERE domain_id = %s AND retired_at IS NULL ORDER BY created_at LIMIT 1"
)
_DOMAIN = (
    "SELECT code, subject FROM governed WHERE kind = 'domain' AND tenant_id = %s AND NOT retired ORDER BY code LIMIT 1"
)


def first(desk: Desk, settings: Settings) -> list[Record]:
    """Programme, policy, its own tenant and domain, each where it is not there yet; gives the domain's DNS records."""
    title("4. The first programme")
    programme = _programme(desk)
    _policy(desk, programme)
    tenant = _own_tenant(desk, programme)
    if names_individuals(programme.profile):
        _designation(desk, tenant)
    return _domain(desk, settings, programme, tenant)


def _programme(desk: Desk) -> Programme:
    if there := clients.programmes(desk.connection):
        say(f"Programme {there[0].code} ({there[0].profile}) is there already.")
        return there[0]
    change = desk.waiting("programme")
    if change is None:
        say("A programme is a set of client firms under one promise; it has its own name and domain.")
        name = ask("Its name (Lettings)", filled("The name"))
        code = ask("Its code in commands and addresses", _fits(code_problems), _slug(name))
        profile = ask(f"Its promise: {', '.join(PROFILES)}", one_of(PROFILES))
        domain = ask("Its domain (lettings.example.com)", _domain_name)
        change = desk.propose("programme", code, {"name": name, "profile": profile, "domain": domain})
    desk.approve(change)
    return clients.programme(desk.connection, change.code)


def _fits(check: Callable[[str], list[Problem]]) -> Callable[[str], str]:
    def one(given: str) -> str:
        for problem in check(given):
            raise Unfit(problem.hint)
        return given

    return one


_domain_name = _fits(lambda given: name_problem("domain", given))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:24].strip("-") or "main"


def _policy(desk: Desk, programme: Programme) -> None:
    code = f"programme:{programme.code}"
    if changes.subject_of(desk.connection, "policy", code, None):
        say("Its policy is in force.")
        return
    change = desk.waiting("policy", code=code)
    if change is None:
        say("Its policy: the profile's own numbers. Stricter ones are a change like any other.")
        change = desk.propose("policy", code, load_profile(programme.profile).document)
    desk.approve(change)


def _own_tenant(desk: Desk, programme: Programme) -> Client:
    for client in clients.clients(desk.connection):
        if client.artefact["kind"] == 2 and client.artefact["programme"] == str(programme.id):
            say(f"Its own tenant {client.code}, for Troth's own mail, is there already.")
            return client
    change = desk.waiting("tenant")
    if change is None:
        say("", "Troth's own mail (confirmations, notices) goes out under a tenant of the programme's own.")
        name = ask("Name in that mail", filled("The name"), programme.name)
        zone = ask("Time zone (Europe/London)", _zone)
        address = ask("Postal address, printed in every message", filled("The address"))
        subject = uuid7(changes.clock(desk.connection))
        artefact = {
            "programme": str(programme.id),
            "name": name,
            "kind": 2,
            "timezone": zone,
            "plan": next(iter(load_profile(programme.profile).plans), "standard"),
            "postal_address": address,
            "keyset": base64.b64encode(desk.keys.keyring.new_tenant_keyset(subject)).decode(),
        }
        change = desk.propose("tenant", f"system-{programme.code}"[:31], artefact, subject=subject)
    desk.approve(change)
    return clients.client(desk.connection, change.code)


def _designation(desk: Desk, tenant: Client) -> None:
    """Under a promise of named individuals (CHG-7) only they write: for Troth's own mail, the two owners."""
    if changes.subject_of(desk.connection, "designation", "designation", tenant.id):
        return
    change = desk.waiting("designation", tenant.id)
    if change is None:
        accounts = [str(row[0]) for row in desk.connection.execute(_OWNERS).fetchall()]
        change = desk.propose("designation", "designation", {"accounts": accounts}, tenant=tenant.id)
    desk.approve(change)


def _zone(given: str) -> str:
    if given not in zoneinfo.available_timezones():
        raise Unfit("Give an IANA name such as Europe/Berlin.")
    return given


def _domain(desk: Desk, settings: Settings, programme: Programme, tenant: Client) -> list[Record]:
    with within(desk.connection, tenant.id):
        there = desk.connection.execute(_DOMAIN, (tenant.id,)).fetchone()
    if there:
        say(f"Its domain {there[0]} is there already.")
        return _records(desk, settings, tenant, *there)
    change = desk.waiting("domain", tenant.id)
    if change is None:
        name = ask(
            "The domain that this mail comes from, best one of its own", _domain_name, f"mail.{programme.domain}"
        )
        keyset = wiring.client_keys(settings, desk.connection, tenant.id)

        def make_key(subject: UUID) -> None:
            sending_domains.add_key(desk.connection, keyset, tenant=tenant.id, domain=subject, selector=_SELECTOR)

        change = desk.propose("domain", name, {"name": name, "selector": _SELECTOR}, tenant=tenant.id, along=make_key)
    desk.approve(change)
    return _records(desk, settings, tenant, change.code, change.subject)


def _records(desk: Desk, settings: Settings, tenant: Client, name: str, subject: UUID) -> list[Record]:
    with within(desk.connection, tenant.id):
        row = desk.connection.execute(_KEY, (subject,)).fetchone()
    if row is None:
        say(f"{name} has no DKIM key: run `troth domain add {name} --tenant {tenant.code}`.")
        return []
    return sending_domains.records(name, row[0], bytes(row[1]), ours(settings))
