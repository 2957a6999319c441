"""The command line, `troth tenant`: a new client firm, with its keyset, as a change to approve."""

import argparse
import base64

from troth.cli import acting, wiring
from troth.cli.commands.change import tell_proposed
from troth.cli.words import show, table
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.tenants import clients
from troth.keys.ids import uuid7
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("tenant", help="client firms")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    adds = acts.add_parser("add", help="propose a new client firm")
    adds.add_argument("--programme", required=True, metavar="CODE")
    adds.add_argument("--code", required=True)
    adds.add_argument("--name", required=True)
    adds.add_argument("--timezone", required=True, help="IANA name; its days are the firm's days")
    adds.add_argument("--postal-address", required=True, help="printed in every message")
    adds.add_argument("--plan", default="standard")
    adds.add_argument("--system", action="store_true", help="the programme's own tenant, for Troth's own mail")
    adds.add_argument("--reason", default="A new client firm")
    acting.add_options(adds)
    adds.set_defaults(run=run_add)
    lists = acts.add_parser("list", help="the client firms there are")
    lists.set_defaults(run=run_list)
    for one in (adds, lists):
        one.add_argument("--json", action="store_true", help="print JSON")


def run_add(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        keys = wiring.control_keys(settings, connection)
        subject = uuid7(changes.clock(connection))
        artefact = {
            "programme": str(clients.programme(connection, args.programme).id),
            "name": args.name,
            "kind": 2 if args.system else 1,
            "timezone": args.timezone,
            "plan": args.plan,
            "postal_address": args.postal_address,
            "keyset": base64.b64encode(keys.keyring.new_tenant_keyset(subject)).decode(),
        }
        proposal = Proposal("tenant", args.code, artefact, args.reason, subject=subject)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"tenant {args.code}", json_wanted=args.json)
    return 0


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        homes = {str(each.id): each.code for each in clients.programmes(connection)}
        found = clients.clients(connection)
    rows = [(c.code, homes.get(c.artefact["programme"], "-"), c.name, c.id) for c in found]
    value = [dict(zip(("code", "programme", "name", "id"), row, strict=True)) for row in rows]
    show(value, json_wanted=args.json, text=table(("client", "programme", "name", "id"), rows))
    return 0
