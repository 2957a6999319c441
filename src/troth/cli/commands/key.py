"""The command line, `troth key`: an API key, shown once, that works when a second person has approved it."""

import argparse
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.cli import acting, system_key, wiring
from troth.cli.commands.change import tell_proposed
from troth.cli.words import CommandError
from troth.control.approvals import changes, standing
from troth.control.approvals.changes import Proposal
from troth.control.audit.scope import Connection
from troth.control.tenants import clients
from troth.keys.api_keys import ApiKey, make_key
from troth.settings import Settings

_DAYS = "until it ends (default: as long as policy lets it live)"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("key", help="API keys")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    adds = acts.add_parser("create", help="make an API key and propose it")
    adds.add_argument("--tenant", required=True, metavar="CODE")
    adds.add_argument("--name", required=True, help="the program that will use it")
    adds.add_argument("--categories", metavar="A,B", help="what it may send; without, all of the client's")
    adds.add_argument("--networks", metavar="A,B", help="where it may be used from (CIDR); without, anywhere")
    adds.add_argument("--test", action="store_true", help="a key of which all is checked and nothing is sent")
    _proposes(adds, run_create, "A program needs a key")
    turns = acts.add_parser("rotate", help="make a new secret for a key, beside which the old one works for a while")
    turns.add_argument("code", metavar="KEY", help="the key's code, as `troth version` and the page of keys name it")
    turns.add_argument("--tenant", required=True, metavar="CODE")
    _proposes(turns, run_rotate, "The key is rotated")
    own = acts.add_parser("system", help="propose the pages' own key of a system tenant, or its next")
    own.add_argument("--tenant", required=True, metavar="CODE")
    own.add_argument("--tests", action="store_true", help="of a client: the key with which people test its templates")
    _proposes(own, run_system, "The pages send links to set a password")


def _proposes(parser: argparse.ArgumentParser, run: Any, reason: str) -> None:
    parser.add_argument("--days", type=int, help=_DAYS)
    parser.add_argument("--reason", default=reason)
    acting.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run_system(args: argparse.Namespace, settings: Settings) -> int:
    """Its text is derived from the installation's secrets and shown to nobody."""
    with wiring.control(settings) as connection:
        client, keys = clients.client(connection, args.tenant), wiring.control_keys(settings, connection)
        before = system_key.in_force(connection, keys.secrets, settings.cell, client.id)
        generation = 0 if before is None else before + 1
        key = system_key.system_key(keys.secrets, settings.cell, client.id, generation)
        artefact = system_key.artefact(key, _ends(connection, client.id, args.days), tests=args.tests)
        proposal = Proposal("api-key", system_key.NAME, artefact, args.reason, client.id)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"the pages' own API key of {args.tenant}", json_wanted=args.json)
    return 0


def run_create(args: argparse.Namespace, settings: Settings) -> int:
    key = make_key(settings.cell)
    with wiring.control(settings) as connection:
        client = clients.client(connection, args.tenant)
        artefact = {
            "name": args.name,
            "prefix": key.prefix,
            "hash": key.hash.hex(),
            "categories": _split(args.categories) if args.categories is not None else None,
            "expires_at": _ends(connection, client.id, args.days).isoformat(),
            "policy": {},
            **({"mode": "test"} if args.test else {}),
            **({"networks": _split(args.networks)} if args.networks else {}),
        }
        code = f"{_slug(args.name)}-{key.hash.hex()[:8]}"
        proposal = Proposal("api-key", code, artefact, args.reason, client.id)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"API key {args.name} of {args.tenant}", json_wanted=args.json, more=_shown(key), key=key.text)
    return 0


def run_rotate(args: argparse.Namespace, settings: Settings) -> int:
    """The same scope, with a new secret and a new end."""
    key = make_key(settings.cell)
    with wiring.control(settings) as connection:
        client = clients.client(connection, args.tenant)
        there = standing.standing(connection, client.id).keys.get(args.code)
        if there is None:
            raise CommandError(f"{args.tenant} has no API key {args.code} in force.")
        ends = _ends(connection, client.id, args.days).isoformat()
        artefact = {**there, "prefix": key.prefix, "hash": key.hash.hex(), "expires_at": ends}
        proposal = Proposal("api-key", args.code, artefact, args.reason, client.id)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"a new secret of {args.code}", json_wanted=args.json, more=_shown(key), key=key.text)
    return 0


def _shown(key: ApiKey) -> tuple[str]:
    return (f"The key, shown this once (it works when it is approved): {key.text}",)


def _ends(connection: Connection, tenant: UUID, days: int | None) -> datetime:
    """The longest that policy gives, unless told otherwise; in whole seconds, so that two people read the same."""
    policy = standing.resolved(standing.standing(connection, tenant))
    if days is None:
        days = policy.access.key_days if policy else 90
    return (changes.clock(connection) + timedelta(days=days)).replace(microsecond=0)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _slug(name: str) -> str:
    """A code's grammar from a name; the hash behind it makes it the key's own."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:40].strip("-") or "key"
