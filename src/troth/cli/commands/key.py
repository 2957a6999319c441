"""The command line, `troth key`: an API key, shown once, that works when a second person has approved it."""

import argparse
import re
from datetime import timedelta

from troth.cli import acting, system_key, wiring
from troth.cli.commands.change import tell_proposed
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.tenants import clients
from troth.flow.submission.keys import make_key
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("key", help="API keys")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    adds = acts.add_parser("create", help="make an API key and propose it")
    adds.add_argument("--tenant", required=True, metavar="CODE")
    adds.add_argument("--name", required=True, help="the program that will use it")
    adds.add_argument("--categories", metavar="A,B", help="what it may send; without, all of the client's")
    adds.add_argument("--days", type=int, default=90, help="until it ends (default: 90)")
    adds.add_argument("--reason", default="A program needs a key")
    acting.add_options(adds)
    adds.add_argument("--json", action="store_true", help="print JSON")
    adds.set_defaults(run=run_create)
    own = acts.add_parser("system", help="propose the key with which the pages send password mail for a system tenant")
    own.add_argument("--tenant", required=True, metavar="CODE")
    own.add_argument("--days", type=int, default=365, help="until it ends (default: 365)")
    own.add_argument("--reason", default="The pages send links to set a password")
    acting.add_options(own)
    own.add_argument("--json", action="store_true", help="print JSON")
    own.set_defaults(run=run_system)


def run_system(args: argparse.Namespace, settings: Settings) -> int:
    """Its text is derived from the installation's secrets and shown to nobody."""
    with wiring.control(settings) as connection:
        client, keys = clients.client(connection, args.tenant), wiring.control_keys(settings, connection)
        key = system_key.system_key(keys.secrets, settings.cell, client.id)
        artefact = system_key.artefact(key, changes.clock(connection) + timedelta(days=args.days))
        proposal = Proposal("api-key", system_key.NAME, artefact, args.reason, client.id)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"the pages' own API key of {args.tenant}", json_wanted=args.json)
    return 0


def run_create(args: argparse.Namespace, settings: Settings) -> int:
    key = make_key(settings.cell)
    codes = [code.strip() for code in args.categories.split(",")] if args.categories is not None else None
    with wiring.control(settings) as connection:
        client = clients.client(connection, args.tenant)
        ends = changes.clock(connection) + timedelta(days=args.days)
        artefact = {
            "name": args.name,
            "prefix": key.prefix,
            "hash": key.hash.hex(),
            "categories": codes,
            "expires_at": ends.replace(microsecond=0).isoformat(),
            "policy": {},
        }
        code = f"{_slug(args.name)}-{key.hash.hex()[:8]}"
        proposal = Proposal("api-key", code, artefact, args.reason, client.id)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    shown = (f"The key, shown this once (it works when it is approved): {key.text}",)
    tell_proposed(made, f"API key {args.name} of {args.tenant}", json_wanted=args.json, more=shown, key=key.text)
    return 0


def _slug(name: str) -> str:
    """A code's grammar from a name; the hash behind it makes it the key's own."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:40].strip("-") or "key"
