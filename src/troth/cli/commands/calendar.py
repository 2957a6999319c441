"""The command line, `troth calendar`: what is promised to be done again and again, and what of it falls due."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from troth.cli import wiring
from troth.cli.words import CommandError, show, table
from troth.control.calendar import reading
from troth.rules.due import Due
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("calendar", help="what is promised on a schedule, and when it falls due")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    lists = acts.add_parser("list", help="every duty, what is due first at the beginning")
    lists.set_defaults(run=run_list)
    dues = acts.add_parser("due", help="what is overdue or soon due; exit status 1 if something is overdue")
    dues.set_defaults(run=run_due)
    for one in (lists, dues):
        one.add_argument("--programme", metavar="CODE", help="what this programme promises; without it, all of them")
        one.add_argument("--json", action="store_true", help="print JSON")


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    _show(_found(args, settings), "Nothing is promised on a schedule.", json_wanted=args.json)
    return 0


def run_due(args: argparse.Namespace, settings: Settings) -> int:
    found = [each for each in _found(args, settings) if each.state in ("overdue", "soon")]
    _show(found, "Nothing is overdue, and nothing is soon due.", json_wanted=args.json)
    return 1 if any(each.state == "overdue" for each in found) else 0


def _found(args: argparse.Namespace, settings: Settings) -> list[Due]:
    with wiring.control(settings) as connection:
        found = reading.agenda(connection, args.programme)
    if args.programme and not any(each.programme == args.programme for each in found):
        raise CommandError(f"There is no programme {args.programme!r}, or it promises nothing on a schedule.")
    return found


def _show(found: Sequence[Due], nothing: str, *, json_wanted: bool) -> None:
    heads = ("due (UTC)", "state", "duty", "of", "claim", "owner", "last done")
    rows = [(_day(each.due_at), each.state, each.duty.title, each.programme or "installation", each.duty.claim,
             each.duty.owner, each.done_at and f"{each.done_at:%Y-%m-%d}") for each in found]  # fmt: skip
    lines: Iterator[str] = iter(table(heads, rows) if rows else [nothing])
    show([_document(each) for each in found], json_wanted=json_wanted, text=lines)


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _document(each: Due) -> dict[str, Any]:
    return {
        "duty": each.duty.code,
        "title": each.duty.title,
        "programme": each.programme or None,
        "claim": each.duty.claim,
        "owner": each.duty.owner,
        "every_days": each.days,
        "state": each.state,
        "due_at": each.due_at,
        "promised_at": each.promised_at,
        "zone": each.zone,
        "done_at": each.done_at,
        "shown_by": each.ref,
    }
