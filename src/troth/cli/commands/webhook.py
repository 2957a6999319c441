"""The command line, `troth webhook`: where a client's events go; secrets, tests, what failed, and sending it again."""

import argparse
import asyncio
import getpass
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.cli import webhooks, wiring
from troth.cli.words import CommandError, show, table, warn
from troth.control.audit import scope
from troth.control.tenants import clients
from troth.control.webhooks import deliveries, endpoints
from troth.control.webhooks.deliveries import Again, Delivery
from troth.control.webhooks.endpoints import Endpoint
from troth.keys import ids
from troth.keys.hook_ids import ENDPOINT, event_id, event_of
from troth.outside.guarded_http import NoAnswer
from troth.outside.guarded_url import ForbiddenAddress
from troth.rules.hook_events import TYPES, type_of
from troth.settings import Settings

_NOTICES = {1: "to be sent", 2: "sent", 3: "not sent"}
_WAIT = 25.0  # seconds for a test's outcome: a delivery may take 15
_MESSAGE = "msg"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("webhook", help="endpoints that a client's events are sent to")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    adds = acts.add_parser("add", help="a new endpoint; its secret is shown this once")
    adds.add_argument("--tenant", required=True, metavar="CODE")
    adds.add_argument("--url", required=True, help="https, and a public address")
    adds.add_argument("--events", metavar="A,B", help=f"without, all there are: {', '.join(TYPES)}")
    adds.set_defaults(run=run_add)
    lists = acts.add_parser("list", help="the endpoints, and how each does")
    lists.add_argument("--tenant", metavar="CODE", help="of one client only")
    lists.set_defaults(run=run_list)
    made = [adds, lists]
    for name, run, what in _ONE:
        one = acts.add_parser(name, help=what)
        one.add_argument("id", help=f"the endpoint ({ENDPOINT}_...)")
        one.set_defaults(run=run)
        made.append(one)
    shows, rotates, replays, tests = made[2], made[3], made[4], made[5]
    shows.add_argument("--limit", type=int, default=10, help="deliveries shown, of those that wait and of those done")
    rotates.add_argument(
        "--overlap-hours", type=float, default=24.0, help="for how long the old secret signs, too (default: 24)"
    )
    replays.add_argument("--since", metavar="TIME", help="events from then on, such as 2026-11-20T08:00:00Z")
    replays.add_argument("--event", metavar="ID", help="one event (evt_...), or all of one message (msg_...)")
    replays.add_argument("--failed", action="store_true", help="what was given up")
    tests.add_argument("--no-wait", action="store_true", help="do not wait for the outcome")
    for each in made:
        each.add_argument("--json", action="store_true", help="print JSON")


def run_add(args: argparse.Namespace, settings: Settings) -> int:
    types = [name.strip() for name in args.events.split(",") if name.strip()] if args.events is not None else None
    with wiring.control(settings) as connection:
        tenant = clients.client(connection, args.tenant).id
        keys = wiring.client_keys(settings, connection, tenant)
        asked = endpoints.Asked(args.url, types, _by())
        guard = webhooks.guard(settings)
        endpoints.check_url(guard, args.url)
        asyncio.run(_look(settings, args.url))
        made = endpoints.add(connection, keys, tenant, asked, guard)
    name = ids.wire(ENDPOINT, settings.cell, made.id)
    lines = [f"Added: {name}", f"The secret that signs, shown this once: {made.secret}",
             f"To see that it works: troth webhook test {name}"]  # fmt: skip
    show({"id": name, "secret": made.secret}, json_wanted=args.json, text=lines)
    return 0


async def _look(settings: Settings, url: str) -> None:
    """A name that leads inside is refused at once; one that leads nowhere yet is only told of."""
    client = webhooks.client(settings)
    try:
        await client.resolve(client.guard.read(url))
    except ForbiddenAddress as inner:
        raise CommandError(
            f"{inner.sentence} ({inner.address}) Webhooks go to public addresses only: nothing was added."
        ) from inner
    except NoAnswer as none:
        warn(f"{none.sentence} The endpoint is added all the same; deliveries are tried for a day.")


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        there = [clients.client(connection, args.tenant)] if args.tenant else clients.clients(connection)
        found = [
            (client.code, each, each.url(wiring.client_keys(settings, connection, client.id)))
            for client in there
            for each in endpoints.listed(connection, client.id)
        ]
    value = [_endpoint(settings, code, each, url) for code, each, url in found]
    rows = [(v["id"], v["client"], v["url"], v["state"], v["last"], v["notice"] or "") for v in value]
    heads = ("endpoint", "client", "url", "state", "last answer", "mail to its administrators")
    show(value, json_wanted=args.json, text=table(heads, rows))
    return 0


def _endpoint(settings: Settings, code: str, each: Endpoint, url: str) -> dict[str, Any]:
    state = "enabled"
    if each.disabled_at is not None:
        state = f"disabled ({each.disabled_why}) since {each.disabled_at:%Y-%m-%d %H:%M} UTC"
    elif each.failing_since is not None:
        state = f"failing since {each.failing_since:%Y-%m-%d %H:%M} UTC"
    notice = _NOTICES.get(each.notice)
    return {
        "id": ids.wire(ENDPOINT, settings.cell, each.id),
        "client": code,
        "url": url,
        "events": list(each.types),
        "state": state,
        "enabled": each.disabled_at is None,
        "failing_since": each.failing_since,
        "failures": each.failures,
        "last": each.last_error or (f"HTTP {each.last_status}" if each.last_status else "none yet"),
        "last_status": each.last_status,
        "last_success_at": each.last_success_at,
        "last_attempt_at": each.last_attempt_at,
        "quiet_until": each.quiet_until,
        "notice": f"{notice}: {each.notice_why}" if notice and each.notice_why else notice,
    }


def run_show(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found, code = _find(connection, settings, args.id)
        url = found.url(wiring.client_keys(settings, connection, found.tenant_id))
        tally = deliveries.tally(connection, found)
        newest = deliveries.newest(connection, found, args.limit)
    value = _endpoint(settings, code, found, url)
    value |= {"waiting": tally.waiting, "delivered": tally.delivered, "given_up": tally.given_up}
    value["deliveries"] = [_delivery(settings, each) for each in newest]
    heads = ("event", "type", "state", "tries", "last answer", "next try")
    rows = [(d["id"], d["type"], d["state"], d["attempts"], d["last"], d["next_try"]) for d in value["deliveries"]]
    lines = [f"{name:16} {value[name]}" for name in ("id", "client", "url", "state", "last", "last_success_at")]
    lines += [f"{'events':16} {', '.join(found.types)}"]
    lines += [f"{'mail':16} {value['notice']}"] if value["notice"] else []
    lines += [f"{'seven days':16} {tally.delivered} delivered, {tally.waiting} waiting, {tally.given_up} given up", ""]
    show(value, json_wanted=args.json, text=[*lines, *table(heads, rows)])
    return 0


def _delivery(settings: Settings, each: Delivery) -> dict[str, Any]:
    return {
        "id": event_id(settings.cell, each.message_id, each.kind, each.source_key),
        "type": type_of(each.kind),
        "at": each.at,
        "state": each.word,
        "attempts": each.attempts,
        "replays": each.replays,
        "last": each.last_error or (f"HTTP {each.last_status}" if each.last_status else "none yet"),
        "last_status": each.last_status,
        "last_at": each.last_at,
        "next_try": each.due if each.word == "waiting" else None,
        "done_at": each.done_at,
    }


def run_rotate(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found, _ = _find(connection, settings, args.id)
        keys = wiring.client_keys(settings, connection, found.tenant_id)
        secret, ends = endpoints.rotate(connection, keys, found, _by(), timedelta(hours=args.overlap_hours))
    lines = [f"The new secret, shown this once: {secret}", f"Both sign until {ends:%Y-%m-%d %H:%M:%S} UTC."]
    show({"id": args.id, "secret": secret, "old_ends_at": ends}, json_wanted=args.json, text=lines)
    return 0


def run_disable(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found, _ = _find(connection, settings, args.id)
        endpoints.disable(connection, found, _by())
    lines = ["Disabled: nothing more is sent. What happens meanwhile is kept for seven days, to be replayed."]
    show({"id": args.id, "enabled": False}, json_wanted=args.json, text=lines)
    return 0


def run_enable(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found, _ = _find(connection, settings, args.id)
        endpoints.enable(connection, found, _by())
        missed = deliveries.tally(connection, found).given_up
    lines = ["Enabled: what happens from now on is sent."]
    lines += [f"{missed} events were not taken; to send them: troth webhook replay {args.id} --failed"] * bool(missed)
    show({"id": args.id, "enabled": True, "given_up": missed}, json_wanted=args.json, text=lines)
    return 0


def run_remove(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found, _ = _find(connection, settings, args.id)
        endpoints.remove(connection, found, _by())
    show({"id": args.id, "removed": True}, json_wanted=args.json, text=["Removed, with its secrets and what waited."])
    return 0


def run_replay(args: argparse.Namespace, settings: Settings) -> int:
    message, kind = _event(args.event) if args.event else (None, None)
    again = Again(_time(args.since) if args.since else None, message, kind, args.failed)
    with wiring.control(settings) as connection:
        found, _ = _find(connection, settings, args.id)
        sent = deliveries.replay(connection, found, again, _by())
    lines = [f"{sent} events go out again, each under its own id."]
    show({"id": args.id, "events": sent}, json_wanted=args.json, text=lines)
    return 0


def run_test(args: argparse.Namespace, settings: Settings) -> int:
    """Waits for the sender's answer; status 1 when the endpoint did not take it, or nobody sent it."""
    with wiring.control(settings) as connection:
        found, _ = _find(connection, settings, args.id)
        made = deliveries.test(connection, found)
        ends = time.monotonic() + (0 if args.no_wait else _WAIT)
        while (seen := deliveries.one(connection, found, made)) and seen.state not in deliveries.DONE:
            if time.monotonic() > ends:
                break
            time.sleep(0.1)
    value = _delivery(settings, seen) if seen else {"state": "gone"}
    lines = [f"{value['state']}: {value.get('last', '')}"]
    if value["state"] in ("waiting", "under way"):
        lines = ["Queued." if args.no_wait else "Queued, but nobody has sent it yet: does `troth serve webhooks` run?"]
    show(value, json_wanted=args.json, text=lines)
    return 0 if args.no_wait or value["state"] == "delivered" else 1


def _find(connection: scope.Connection, settings: Settings, text: str) -> tuple[Endpoint, str]:
    """The endpoint and its client's code."""
    try:
        wanted = ids.unwire(ENDPOINT, text) or UUID(text)
    except ValueError:
        raise CommandError(f"{text!r} is not an endpoint: its id begins with {ENDPOINT}_{settings.cell}_.") from None
    there = {client.id: client.code for client in clients.clients(connection)}
    found = endpoints.find(connection, list(there), wanted)
    return found, there[found.tenant_id]


def _event(text: str) -> tuple[UUID, int | None]:
    if found := event_of(text):
        return found
    if message := ids.unwire(_MESSAGE, text):
        return message, None
    raise CommandError(f"{text!r} is neither an event (evt_...) nor a message (msg_...).")


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CommandError(f"--since {text!r} is not a time with its zone, such as 2026-11-20T08:00:00Z.")
    return at


def _by() -> str:
    return f"command:{getpass.getuser()}"


_ONE = (
    ("show", run_show, "one endpoint: its deliveries, the last answers, the next tries"),
    ("rotate", run_rotate, "a new secret; the old one signs beside it for a while"),
    ("replay", run_replay, "send events of the last seven days again"),
    ("test", run_test, "send a test event and say what came of it"),
    ("disable", run_disable, "send nothing more"),
    ("enable", run_enable, "send again"),
    ("remove", run_remove, "for good"),
)
