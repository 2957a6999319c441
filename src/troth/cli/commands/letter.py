"""The command line, `troth letter`: letters that came in and were kept for a person, who reads them and is done."""

import argparse
import re
import sys
from uuid import UUID

from troth.cli import acting, wiring
from troth.cli.words import show, table
from troth.control.letters import opening as letters
from troth.settings import Settings

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # a stranger's letter does not steer a terminal


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("letter", help="letters that the server for incoming mail kept for a person")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    lists = acts.add_parser("list", help="those that nobody has read, the oldest first, then those that were read")
    lists.add_argument("--json", action="store_true", help="print JSON")
    lists.set_defaults(run=run_list)
    reads = acts.add_parser("read", help="one of them, as it came; that it was read is an entry of the ledger")
    reads.add_argument("id", type=UUID, help="the letter, as `troth letter list` names it")
    acting.add_options(reads)
    reads.set_defaults(run=run_read)
    done = acts.add_parser("done", help="say that nothing more is to be done about some of them")
    done.add_argument("id", type=UUID, nargs="+", help="the letters, as `troth letter list` names them")
    acting.add_options(done)
    done.set_defaults(run=run_done)


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found = letters.waiting_first(connection)
    rows = [(each.id, f"{each.at:%Y-%m-%d %H:%M}", each.desk, each.reason, each.size, _state(each)) for each in found]
    value = [{name: getattr(each, name) for name in letters.Letter.__slots__} for each in found]
    show(value, json_wanted=args.json, text=table(("letter", "came (UTC)", "desk", "reason", "octets", ""), rows))
    return 0


def run_read(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        secret = acting.secret(settings, connection, args)
        octets = letters.read(connection, secret, wiring.control_keys(settings, connection).operator, args.id)
    sys.stdout.buffer.write(for_a_terminal(octets).encode() if sys.stdout.isatty() else octets)
    return 0


def run_done(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        n = letters.done(connection, acting.secret(settings, connection, args), args.id)
    print(f"Done with {n} of {len(args.id)}; the others were done already, or are not there.")
    return 0


def _state(letter: letters.Letter) -> str:
    return "done" if letter.done_at else "read" if letter.read_at else "unread"


def for_a_terminal(octets: bytes) -> str:
    """As UTF-8 where it is that, and without what a terminal would obey."""
    return _CONTROL.sub("?", octets.decode("utf-8", "replace"))
