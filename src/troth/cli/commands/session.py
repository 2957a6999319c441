"""The command line, `troth session`: opens the session that governed commands act in, for 30 minutes."""

import argparse
from pathlib import Path

from troth.cli import acting, wiring
from troth.cli.words import show
from troth.control.people import credentials, sessions
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("session", help="open a session with both factors")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    opens = acts.add_parser("open", help="open a session and keep it for the commands that follow")
    opens.add_argument("--credential", metavar="FILE", type=Path, required=True, help="the person's credential file")
    acting.add_passphrase(opens)
    opens.add_argument("--json", action="store_true", help="print JSON")
    opens.set_defaults(run=run_open)
    closes = acts.add_parser("forget", help="remove the kept sessions from this machine")
    closes.set_defaults(run=run_forget)


def run_open(args: argparse.Namespace, settings: Settings) -> int:
    credential = credentials.read(args.credential)
    words = acting.passphrase(args.passphrase_file, str(args.credential))
    with wiring.control(settings) as connection:
        opened = sessions.open_session(connection, credential, words)
    path = acting.keep(settings, opened)
    value = {"session": str(path), "account": opened.account, "expires": opened.expires}
    show(value, json_wanted=args.json, text=[f"Open until {opened.expires:%H:%M:%S %Z}, kept in {path}"])
    return 0


def run_forget(_args: argparse.Namespace, settings: Settings) -> int:
    """The database's side ends by itself; without the file nobody holds the secret."""
    place = acting.folder(settings)
    kept = list(place.iterdir()) if place.is_dir() else []
    for path in kept:
        path.unlink()
    print(f"{len(kept)} forgotten")
    return 0
