"""The command line, `troth pause`: the emergency stop, one person's act; lifting it takes two (a `release`)."""

import argparse
import getpass
from uuid import UUID

from troth.cli import acting, wiring
from troth.cli.commands.change import everywhere, tell_proposed, tenant_id
from troth.cli.words import CommandError, show, table
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.tenants import clients, pauses
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("pause", help="stop sending at once")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    starts = acts.add_parser("start", help="stop a client, or (--tenant -) everything")
    starts.add_argument("--tenant", required=True, metavar="CODE", help="- for the whole installation")
    starts.add_argument(
        "--effect",
        choices=pauses.EFFECTS,
        default="stop-delivery",
        help="stop-new: new mail is refused, accepted mail goes on; stop-delivery (the default): that waits, too",
    )
    starts.add_argument("--reason", required=True)
    starts.set_defaults(run=run_start)
    lists = acts.add_parser("list", help="the pauses in force")
    lists.set_defaults(run=run_list)
    releases = acts.add_parser("release", help="propose to lift a pause; a second person approves")
    releases.add_argument("id", type=UUID, help="the pause")
    releases.add_argument("--reason", required=True, help="read by the person who approves")
    acting.add_options(releases)
    releases.set_defaults(run=run_release)
    for one in (starts, lists, releases):
        one.add_argument("--json", action="store_true", help="print JSON")


def run_start(args: argparse.Namespace, settings: Settings) -> int:
    by = f"command:{getpass.getuser()}"
    with wiring.control(settings) as connection:
        tenant = tenant_id(connection, args.tenant)
        started = pauses.start(connection, tenant, args.effect, args.reason, by)
    lines = [
        f"Stopped ({args.effect}): pause {started}",
        "To lift it, one person proposes its release and another approves:",
        f"  troth pause release {started} --reason TEXT",
    ]
    show({"pause": started}, json_wanted=args.json, text=lines)
    return 0


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        names = {client.id: client.code for client in clients.clients(connection)}
        found = [pause for place in everywhere(connection) for pause in pauses.active(connection, place)]
    rows = [(p.id, names[p.tenant_id] if p.tenant_id else "all", p.effect, p.started_by, p.reason) for p in found]
    value = [{name: getattr(p, name) for name in pauses.Pause.__slots__} for p in found]
    show(value, json_wanted=args.json, text=table(("pause", "client", "effect", "by", "reason"), rows))
    return 0


def run_release(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        active = [pause for place in everywhere(connection) for pause in pauses.active(connection, place)]
        found = next((pause for pause in active if pause.id == args.id), None)
        if found is None:
            raise CommandError(f"There is no pause {args.id} in force; `troth pause list` shows those there are.")
        proposal = Proposal("release", str(found.id), {}, args.reason, found.tenant_id, found.id)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"release of pause {found.id}", json_wanted=args.json)
    return 0
