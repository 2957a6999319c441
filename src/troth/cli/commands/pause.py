"""The command line, `troth pause`: the emergency stop, one person's act; lifting it takes two (a `release`)."""

import argparse
from uuid import UUID

from troth.cli import acting, wiring
from troth.cli.commands.change import everywhere, tell_proposed, tenant_id
from troth.cli.words import CommandError, show, table
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.scope import Connection
from troth.control.tenants import clients, pauses
from troth.control.tenants.pauses import Stop
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("pause", help="stop sending at once")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    starts = acts.add_parser("start", help="stop a client, one category of it, or (--tenant -) everything")
    starts.add_argument("--tenant", required=True, metavar="CODE", help="- for the whole installation")
    starts.add_argument(
        "--effect",
        choices=pauses.EFFECTS,
        default="stop-delivery",
        help="stop-new: new mail is refused, accepted mail goes on; stop-delivery (the default): that waits, too",
    )
    starts.add_argument("--category", metavar="CODE", help="this category of the client alone")
    starts.add_argument("--reason", required=True)
    acting.add_options(starts)
    starts.set_defaults(run=run_start)
    lists = acts.add_parser("list", help="the pauses in force")
    lists.set_defaults(run=run_list)
    releases = acts.add_parser("release", help="propose to lift a pause; a second person approves")
    releases.add_argument("id", type=UUID, help="the pause")
    releases.add_argument("--reason", required=True, help="read by the person who approves")
    acting.add_options(releases)
    releases.set_defaults(run=run_release)
    clock = acts.add_parser("clock", help="the clock was once ahead: stop everything; the release takes its mark back")
    clock.add_argument("--reason", required=True, help="how it was found that the clock is right now")
    acting.add_options(clock)
    clock.set_defaults(run=run_clock)
    for one in (starts, lists, releases, clock):
        one.add_argument("--json", action="store_true", help="print JSON")


def run_start(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        tenant = tenant_id(connection, args.tenant)
        category = _category(connection, tenant, args.category) if args.category else None
        stop = Stop(tenant, args.effect, args.reason, category)
        started = pauses.start(connection, acting.secret(settings, connection, args), stop)
    lines = [
        f"Stopped ({args.effect}): pause {started}",
        "To lift it, one person proposes its release and another approves:",
        f"  troth pause release {started} --reason TEXT",
    ]
    show({"pause": started}, json_wanted=args.json, text=lines)
    return 0


def run_clock(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        started = pauses.start_for_clock(connection, acting.secret(settings, connection, args), args.reason)
    lines = [
        f"Everything is stopped: pause {started}",
        "When its release is approved, the clock's highest mark is the time of that moment, and mail goes:",
        f"  troth pause release {started} --reason TEXT",
    ]
    show({"pause": started}, json_wanted=args.json, text=lines)
    return 0


def _category(connection: Connection, tenant: UUID | None, code: str) -> UUID:
    found = changes.subject_of(connection, "category", code, tenant) if tenant else None
    if found is None:
        raise CommandError(f"There is no category {code!r} here; `--tenant` says whose it is.")
    return found


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        names = {client.id: client.code for client in clients.clients(connection)}
        found = [pause for place in everywhere(connection) for pause in pauses.active(connection, place)]
    rows = [(p.id, _reach(p, names), p.effect, p.started_by, p.reason) for p in found]
    value = [{name: getattr(p, name) for name in pauses.Pause.__slots__} for p in found]
    show(value, json_wanted=args.json, text=table(("pause", "stops", "effect", "by", "reason"), rows))
    return 0


def _reach(pause: pauses.Pause, names: dict[UUID, str]) -> str:
    if pause.tenant_id is None:
        return "all"
    return f"{names[pause.tenant_id]}, one category" if pause.category_id else names[pause.tenant_id]


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
