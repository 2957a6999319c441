"""The command line, `troth letter`: letters to postmaster (RFC 5321 section 4.5.1), which a person reads."""

import argparse
import re
import sys
from uuid import UUID

from troth.cli import acting, wiring
from troth.cli.words import show, table
from troth.control.pipeline import letters
from troth.settings import Settings

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # a stranger's letter does not steer a terminal


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("letter", help="letters to postmaster, which the server for incoming mail kept")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    lists = acts.add_parser("list", help="those that nobody has read, the oldest first, then those that were read")
    lists.add_argument("--json", action="store_true", help="print JSON")
    lists.set_defaults(run=run_list)
    reads = acts.add_parser("read", help="one of them, as it came; that it was read is an entry of the ledger")
    reads.add_argument("id", type=UUID, help="the letter, as `troth letter list` names it")
    acting.add_options(reads)
    reads.set_defaults(run=run_read)


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found = letters.waiting_first(connection)
    rows = [(each.id, f"{each.at:%Y-%m-%d %H:%M}", each.size, "read" if each.read_at else "unread") for each in found]
    value = [{name: getattr(each, name) for name in letters.Letter.__slots__} for each in found]
    show(value, json_wanted=args.json, text=table(("letter", "came (UTC)", "octets", ""), rows))
    return 0


def run_read(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        secret = acting.secret(settings, connection, args)
        octets = letters.read(connection, secret, wiring.control_keys(settings, connection).operator, args.id)
    sys.stdout.buffer.write(for_a_terminal(octets).encode() if sys.stdout.isatty() else octets)
    return 0


def for_a_terminal(octets: bytes) -> str:
    """As UTF-8 where it is that, and without what a terminal would obey."""
    return _CONTROL.sub("?", octets.decode("utf-8", "replace"))
