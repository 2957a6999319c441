"""The command line, `troth key`: an API key, shown once, that works when a second person has approved it."""

import argparse
import re
from datetime import timedelta

from troth.cli import acting, wiring
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
