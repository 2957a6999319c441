"""The command line's person: whose session a governed command acts in, and how a passphrase is asked for."""

import argparse
import base64
import getpass
import sys
from pathlib import Path

import msgspec

from troth.cli.words import CommandError
from troth.control.audit import scope
from troth.control.people import credentials, sessions
from troth.settings import Settings


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: str
    secret: str
    expires: str


def add_options(parser: argparse.ArgumentParser) -> None:
    """How a governed command is told who acts."""
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--session", metavar="FILE", type=Path, help="session file; else the only one that is open")
    who.add_argument("--credential", metavar="FILE", type=Path, help="open a session for this command alone")
    add_passphrase(parser)


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", metavar="FILE", type=Path, help="its first line; else it is asked for")


def passphrase(file: Path | None, whose: str, *, twice: bool = False) -> str:
    """The passphrase from its file, or from the terminal."""
    if file is not None:
        return first_line(file)
    if not sys.stdin.isatty():
        raise CommandError(f"The passphrase of {whose} is needed: give --passphrase-file, or run this in a terminal.")
    given = getpass.getpass(f"Passphrase of {whose}: ")
    if twice and getpass.getpass("The same once more: ") != given:
        raise CommandError("The two passphrases differ: nothing was done.")
    return given


def first_line(file: Path) -> str:
    lines = credentials.read_private(file).decode().splitlines()
    if not lines or not lines[0]:
        raise CommandError(f"{file} has no passphrase in its first line.")
    return lines[0]


def folder(settings: Settings) -> Path:
    return settings.var_dir / "sessions"


def keep(settings: Settings, session: sessions.Session) -> Path:
    """Keep a session for the commands that follow, in a file that only this user reads."""
    place = folder(settings)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / str(session.account)
    path.unlink(missing_ok=True)
    kept = _Kept(str(session.account), base64.b64encode(session.secret).decode(), session.expires.isoformat())
    credentials.write_private(path, msgspec.json.encode(kept))
    return path


def secret(settings: Settings, connection: scope.Connection, args: argparse.Namespace) -> bytes:
    """The session's secret with which this command acts."""
    if args.credential:
        credential = credentials.read(args.credential)
        words = passphrase(args.passphrase_file, str(args.credential))
        return sessions.open_session(connection, credential, words).secret
    return _read(args.session or _only(settings))


def _only(settings: Settings) -> Path:
    place = folder(settings)
    there = sorted(place.iterdir()) if place.is_dir() else []
    if not there:
        raise CommandError("No session is open: run `troth session open --credential FILE` first.")
    if len(there) > 1:
        names = ", ".join(str(path) for path in there)
        raise CommandError(f"Several sessions are open; say with --session whose this is: {names}.")
    return there[0]


def _read(path: Path) -> bytes:
    try:
        kept = msgspec.json.decode(credentials.read_private(path), type=_Kept)
        return base64.b64decode(kept.secret, validate=True)
    except (msgspec.DecodeError, ValueError):
        raise CommandError(f"{path} is not a session file: open a new session.") from None
