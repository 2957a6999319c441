"""The command line, `troth simulate`: what a proposed policy would have made of the last days' real traffic."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from troth.cli import simulating, wiring
from troth.cli.commands.change import read_artefact
from troth.cli.words import CommandError, show, table
from troth.control.audit import scope
from troth.control.audit.refusals import Invalid
from troth.control.simulator import candidate
from troth.control.simulator.candidate import LEVELS, Candidate
from troth.control.simulator.running import LONGEST, Hearing, Question, simulate
from troth.control.simulator.tally import CHANGES, Example
from troth.control.tenants import clients
from troth.keys.ids import wire
from troth.settings import Settings

_EVERY = 1.0  # seconds between two lines of progress


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("simulate", help="try a proposed policy on the last days' real traffic")
    parser.add_argument("--policy", metavar="FILE", type=Path, required=True,
                        help="a policy document of one level, as JSON; or a category's artefact")  # fmt: skip
    parser.add_argument("--level", choices=LEVELS, help="the level it stands for (default: tenant with --tenant, else "
                        "operator)")  # fmt: skip
    parser.add_argument("--tenant", metavar="CODE", help="a client's own policy; at other levels, its traffic alone")
    parser.add_argument("--category", metavar="CODE", help="the category, at the level category")
    parser.add_argument("--programme", metavar="CODE", help="the programme, at the level promise")
    parser.add_argument("--days", type=_days, default=7, help=f"1 to {LONGEST} (default: 7)")
    parser.add_argument("--messages", metavar="FILE", type=Path, help="write each message that would fare otherwise "
                        "there, one JSON object a line")  # fmt: skip
    parser.add_argument("--sample", type=int, default=10_000, metavar="N", help="compare so many messages with their "
                        "sealed decisions (default: 10000; 0: none)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST):
        raise argparse.ArgumentTypeError(f"is a whole number of days, 1 to {LONGEST}")
    return int(text)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Exit status 0 whatever is found; a policy that nobody could approve is an error."""
    if args.sample < 0:
        raise CommandError("--sample is a number of messages, or 0 for none.")
    document = read_artefact(args.policy)
    with wiring.running_database(settings):
        with scope.connect(wiring.conninfo(settings, "control"), "command") as connection:
            tried, only = _candidate(connection, args, document)
            _check(connection, tried)
        question = Question(tried, args.days, only, args.sample)
        with _messages(args.messages, settings) as tell:
            found = simulate(simulating.connect(settings), question, Hearing(_Progress(), tell))
    show(found, json_wanted=args.json, text=_lines(found))
    return 0


def _check(connection: scope.Connection, tried: Candidate) -> None:
    try:
        candidate.check(connection, tried)
    except Invalid as wrong:
        hints = "".join(f"\n  {each.field}: {each.hint}" for each in wrong.problems)
        raise CommandError(f"Nobody could approve this policy, so it is not tried:{hints}") from wrong


def _candidate(connection: scope.Connection, args: argparse.Namespace, document: Any) -> tuple[Candidate, UUID | None]:
    level = args.level or ("tenant" if args.tenant else "operator")
    tenant = clients.client(connection, args.tenant).id if args.tenant else None
    if level in ("tenant", "category") and tenant is None:
        raise CommandError(f"At the level {level}, say whose policy it is: --tenant CODE.")
    if (level == "category") != (args.category is not None):
        raise CommandError("--category CODE goes with --level category, and the level with it.")
    if (level == "promise") != (args.programme is not None):
        raise CommandError("--programme CODE goes with --level promise, and the level with it.")
    programme = clients.programme(connection, args.programme).id if args.programme else None
    own = tenant if level in ("tenant", "category") else None
    tried = Candidate.of(level, document, tenant=own, programme=programme, code=args.category or "")
    return tried, tenant


class _Progress:
    """A line a second on standard error."""

    def __init__(self) -> None:
        self._said = 0.0

    def __call__(self, done: int, there: int) -> None:
        if time.monotonic() - self._said < _EVERY and done < there:
            return
        self._said = time.monotonic()
        percent = 100 * done // there if there else 100
        print(f"  {done:,} of {there:,} messages ({percent} %)", file=sys.stderr, flush=True)


@contextmanager
def _messages(path: Path | None, settings: Settings) -> Iterator[Callable[[Example], None] | None]:
    """What writes the messages down, if anybody wants them."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as trouble:
        raise CommandError(f"{path} cannot be written: {trouble.strerror}.") from trouble
    with file:
        yield lambda one: print(
            json.dumps(one.to_document(lambda kind, value: wire(kind, settings.cell, value))), file=file
        )


def _lines(found: dict[str, Any]) -> Iterator[str]:
    changes = found["changes"]
    yield (
        f"{found['messages']:,} messages of {found['clients']} clients, {found['from']} to {found['to']}, tried in "
        f"{found['seconds']:g} seconds"
    )
    yield from _states(found)
    if not any(changes.values()):
        yield "Nothing would have fared otherwise."
        return
    yield ""
    yield from _part(("client", "category", "template"), found["by_template"])
    yield ""
    yield from _part(("hour",), found["by_hour"])
    yield ""
    yield from table(
        ("change", "reason", "client", "messages"),
        [(row["change"], row["code"], row["client"], row["messages"]) for row in found["reasons"]],
    )


def _states(found: dict[str, Any]) -> Iterator[str]:
    states = list(found["then"])
    yield from table(
        ("", *states),
        [("as decided", *found["then"].values()), ("with this policy", *found["now"].values())],
    )
    compared = found["agreement"]
    if compared["sample"]:
        yield (
            f"Of {compared['sample']:,} sealed decisions, the policy of the day gives "
            f"{compared['policy_of_the_day']:,} again, this policy {compared['this_policy']:,}."
        )


def _part(named: tuple[str, ...], rows: list[dict[str, Any]]) -> list[str]:
    heads = (*named, "messages", *CHANGES)
    return table(heads, [[row[head] for head in heads] for row in rows if _touched(row)])


def _touched(row: dict[str, Any]) -> bool:
    return any(row[change] for change in CHANGES)
