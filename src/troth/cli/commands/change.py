"""The command line, `troth change` and `troth version`: one person proposes, another looks and approves."""

import argparse
import difflib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from troth.cli import acting, names, wiring
from troth.cli.words import CommandError, show, table
from troth.control.approvals import changes
from troth.control.approvals.changes import STATES, Change, Proposal, Proposed
from troth.control.audit import scope
from troth.control.tenants import clients
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("change", help="propose, look at, approve or close a change")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    _add_propose(acts.add_parser("propose", help="propose an artefact for approval"))
    lists = acts.add_parser("list", help="the open changes")
    lists.add_argument("--all", action="store_true", help="the decided ones too")
    lists.add_argument("--tenant", metavar="CODE", help="of one client only; - for none")
    lists.set_defaults(run=run_list)
    shows = acts.add_parser("show", help="what a change would change, and its digest")
    shows.set_defaults(run=run_show)
    approves = acts.add_parser("approve", help="approve what was shown, as a second person")
    approves.add_argument("--digest", metavar="HEX", help="as it was shown; asked for at a terminal, else needed")
    approves.set_defaults(run=run_approve)
    closes = acts.add_parser("close", help="withdraw one's own change, or reject another's")
    closes.add_argument("--note", required=True, help="why")
    closes.set_defaults(run=run_close)
    for one in (shows, approves, closes):
        one.add_argument("id", type=UUID, help="the change")
    for one in (approves, closes):
        acting.add_options(one)
    for one in (lists, shows, approves, closes):
        one.add_argument("--json", action="store_true", help="print JSON")
    _add_version(commands)


def _add_propose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", help="programme, tenant, grant, policy, domain, category, template, api-key, ...")
    parser.add_argument("--tenant", metavar="CODE", default="-", help="the client it belongs to; - for none")
    parser.add_argument("--code", required=True, help="the code of what is governed")
    parser.add_argument("--artefact", metavar="FILE", type=Path, required=True, help="JSON")
    parser.add_argument("--reason", required=True, help="read by the person who approves")
    parser.add_argument("--subject", type=UUID, help="its id, where it has one already (a pause, a programme's policy)")
    acting.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run_propose)


def _add_version(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    acts = commands.add_parser("version", help="stop one approved version, or (alone) say which Troth this is")
    acts.set_defaults(run=run_version)
    revokes = acts.add_subparsers(dest="act", metavar="ACT").add_parser("revoke", help="stop a version, for good")
    revokes.add_argument("snapshot", type=UUID)
    revokes.add_argument("--reason", required=True)
    revokes.add_argument("--tenant", metavar="CODE", default="-", help="the client it belongs to; - for none")
    acting.add_options(revokes)
    revokes.set_defaults(run=run_revoke)


def tenant_id(connection: scope.Connection, code: str | None) -> UUID | None:
    return None if code in (None, "-") else clients.client(connection, code or "").id


def everywhere(connection: scope.Connection) -> tuple[UUID | None, ...]:
    """None, then every client: where an operator looks for a change."""
    return (None, *(client.id for client in clients.clients(connection)))


def run_propose(args: argparse.Namespace, settings: Settings) -> int:
    artefact = read_artefact(args.artefact)
    with wiring.control(settings) as connection:
        tenant = tenant_id(connection, args.tenant)
        proposal = Proposal(args.kind, args.code, artefact, args.reason, tenant, args.subject)
        made = changes.propose(connection, acting.secret(settings, connection, args), proposal)
    tell_proposed(made, f"{args.kind} {args.code}", json_wanted=args.json)
    return 0


def read_artefact(path: Path) -> dict[str, Any]:
    """The object in a JSON file; a name given twice is refused, because one of the two would be lost unseen."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as trouble:
        raise CommandError(f"{path} cannot be read: {trouble.strerror}.") from trouble
    except ValueError as wrong:
        raise CommandError(f"{path} is not JSON: {wrong}.") from wrong
    if not isinstance(value, dict):
        raise CommandError(f"{path} holds no JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def tell_proposed(made: Proposed, what: str, *, json_wanted: bool, more: tuple[str, ...] = (), **extra: object) -> None:
    """What every proposal ends with: the command for the second person."""
    value = {"change": made.id, "subject": made.subject, "digest": made.digest, **extra}
    lines = [
        f"Proposed: {what}. A second person looks at it and approves:",
        f"  troth change show {made.id}",
        f"  troth change approve {made.id} --digest {made.digest.hex()}",
    ]
    show(value, json_wanted=json_wanted, text=[*more, *lines])


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        places = everywhere(connection) if args.tenant is None else (tenant_id(connection, args.tenant),)
        names = {client.id: client.code for client in clients.clients(connection)}
        found = [change for place in places for change in changes.listed(connection, place, all_states=args.all)]
    rows = [
        (c.id, c.kind, names.get(c.tenant_id, "-") if c.tenant_id else "-", c.code, _state(c), c.reason) for c in found
    ]
    value = [_as_value(change) for change in found]
    show(value, json_wanted=args.json, text=table(("change", "kind", "client", "code", "state", "reason"), rows))
    return 0


def _state(change: Change) -> str:
    return "lapsed" if change.state == 1 and change.expired else STATES[change.state]


def _as_value(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(change, name) for name in Change.__slots__}
    return {**found, "artefact": json.loads(change.artefact), "state": _state(change)}


def run_show(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        change = changes.find(connection, args.id, everywhere(connection))
        old = changes.before(connection, change)
        known = names.known(connection, wiring.control_keys(settings, connection), change.tenant_id)
    show({**_as_value(change), "before": old}, json_wanted=args.json, text=picture(change, old, known))
    return 0


def picture(change: Change, old: dict[str, Any] | None, known: dict[str, str]) -> list[str]:
    """The change as its approver must see it: what it replaces, line by line, names for ids, and the digest."""
    before, after = _lines(old), _lines(json.loads(change.artefact))
    diff = list(difflib.unified_diff(before, after, "in force", "proposed", lineterm="", n=len(after)))
    proposer = known.get(str(change.proposer_human), change.proposer_human)
    return [
        f"{change.kind} {change.code}, {_state(change)}: {change.reason}",
        f"proposed {change.proposed_at:%Y-%m-%d %H:%M %Z} by {proposer}",
        *(diff[3:] if diff else ["(the same as what is in force)"]),
        *names.legend("\n".join((*before, *after)), known),
        f"digest {change.digest.hex()}",
    ]


def _lines(artefact: dict[str, Any] | None) -> list[str]:
    return [] if artefact is None else json.dumps(artefact, indent=2, sort_keys=True, ensure_ascii=False).splitlines()


def run_approve(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        change = changes.find(connection, args.id, everywhere(connection))
        digest = _digest(args.digest) if args.digest else _seen(connection, settings, change)
        made = changes.approve(connection, acting.secret(settings, connection, args), change, digest)
    told = f"is version {made}" if made else "waits for more approvals, as policy asks"
    show({"version": made}, json_wanted=args.json, text=[f"Approved: {change.kind} {change.code} {told}"])
    return 0


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CommandError("--digest is 64 hex digits, as `troth change show` prints them.") from None


def _seen(connection: scope.Connection, settings: Settings, change: Change) -> bytes:
    """Without a digest the change is shown first, and its digest typed in short: nobody approves unseen."""
    import sys

    if not sys.stdin.isatty():
        raise CommandError("Give --digest, from `troth change show`: what is approved is what was looked at.")
    known = names.known(connection, wiring.control_keys(settings, connection), change.tenant_id)
    print("\n".join(picture(change, changes.before(connection, change), known)))
    if input("Approve exactly this? The digest's first eight digits: ").strip() != change.digest.hex()[:8]:
        raise CommandError("Those are other digits: nothing was approved.")
    return change.digest


def run_close(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        change = changes.find(connection, args.id, everywhere(connection))
        word = changes.close(connection, acting.secret(settings, connection, args), change, args.note)
    show({"state": word}, json_wanted=args.json, text=[f"{change.kind} {change.code}: {word}"])
    return 0


def run_version(_args: argparse.Namespace, _settings: Settings) -> int:
    from importlib.metadata import version

    print(f"troth {version('troth')}")
    return 0


def run_revoke(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        tenant = tenant_id(connection, args.tenant)
        changes.revoke(connection, acting.secret(settings, connection, args), args.snapshot, args.reason, tenant)
    print(f"Stopped for good: {args.snapshot}. Nothing is sent under it from now on; approve a new version instead.")
    return 0
