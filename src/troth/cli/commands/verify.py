"""The command line, `troth verify`: is the ledger whole, here or in an export, and does it extend what was seen before?

exit status 0   yes
            1   no: the first bad entry is named
            2   it could not be verified; why is said on standard error
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from troth.cli import wiring
from troth.cli.words import CommandError, as_json, show, warn
from troth.control.audit.refusals import StoreAway
from troth.control.ledger import rows
from troth.control.ledger.events import OpenTenant
from troth.control.ledger.offline import verify_export
from troth.control.ledger.report import Report
from troth.control.ledger.verification import Asked, verify
from troth.keys.errors import KeyringError
from troth.ledger import receipt
from troth.ledger.checkpoint import notes
from troth.ledger.verify import CannotVerify, Found
from troth.outside.kms import KmsError
from troth.outside.postgres import PostgresError
from troth.settings import Settings

BAD, UNKNOWN = 1, 2
_CANNOT = (CannotVerify, CommandError, PostgresError, StoreAway, KeyringError, KmsError, psycopg.Error, OSError)
_EVERY = 2.0  # seconds between two words of progress
_MOST = 2**30  # bytes of a witness file


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("verify", help="is the ledger whole, here or in an export?")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", metavar="DIR", type=Path, help="verify an export; needs no database and no keys")
    what.add_argument("--receipt", metavar="FILE", type=Path, help="verify one message's proof, likewise")
    parser.add_argument(
        "--since", metavar="FILE", type=Path, action="append", default=[],
        help="a checkpoint seen earlier, or a witness file: the ledger must extend every one in it",
    )  # fmt: skip
    parser.add_argument("--key", metavar="VKEY", help="the ledger's verifier key as you hold it, or a file with it")
    parser.add_argument(
        "--without-keys",
        action="store_true",
        help="do not open the events' sealed details, even where that is possible",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, cannot=UNKNOWN)


def run(args: argparse.Namespace, settings: Settings) -> int:
    try:
        return _receipt(args) if args.receipt else _ledger(args, settings)
    except Found as found:
        bad = {"ok": False, "index": found.index, "what": found.what}
        show(bad, json_wanted=args.json, text=[f"BAD: {found}."])
        return BAD
    except psycopg.errors.UndefinedTable as old:
        why = f"The database has another version's schema: `troth migrate` first ({old.diag.message_primary})."
    except (
        CannotVerify,
        CommandError,
        PostgresError,
        StoreAway,
        KeyringError,
        KmsError,
        psycopg.Error,
        OSError,
    ) as wrong:
        why = str(wrong).strip()
    if args.json:
        print(as_json({"ok": None, "what": why}))
    warn(f"could not verify: {why}")
    return UNKNOWN


def _ledger(args: argparse.Namespace, settings: Settings) -> int:
    key = _key(args.key)
    since = [(str(path), _notes(path)) for path in args.since]
    report = verify_export(args.export, key, since, progress()) if args.export else _live(args, settings, key, since)
    show(report.as_json(), json_wanted=args.json, text=report.lines())
    return 0


def _live(
    args: argparse.Namespace, settings: Settings, key: str | None, since: Sequence[tuple[str, Sequence[str]]]
) -> Report:
    with ExitStack() as stack:
        stack.enter_context(wiring.running_database(settings))
        connection = stack.enter_context(rows.connect(wiring.conninfo(settings, "ledger"), "verify"))
        open_tenant, said = (None, "Not opened: --without-keys.") if args.without_keys else _keys(settings, connection)
        reader = connection
        if open_tenant:
            reader = stack.enter_context(rows.connect(wiring.conninfo(settings, "flow"), "verify"))
        report = verify(connection, reader, Asked(key, since, open_tenant, progress=progress()))
    if said:
        report.said.append(said)
    return report


def _keys(settings: Settings, connection: rows.Connection) -> tuple[OpenTenant | None, str | None]:
    """How to open a client's keyset; or why that is not possible here, in a sentence."""
    if not settings.key_path.exists():
        return (
            None,
            f"Not opened: the events' sealed details; the keyring ({settings.key_path}) is not here.",
        )
    found = connection.execute("SELECT secrets_ct, operator_keyset FROM installation").fetchone()
    if found is None:
        raise CannotVerify("This database has no installation yet: `troth init` comes first.")
    return wiring.open_keys(settings, *found).keyring.tenant, None


def _receipt(args: argparse.Namespace) -> int:
    if args.since or args.without_keys:
        raise CannotVerify("--since and --without-keys are for a ledger, not for a receipt.")
    key = _key(args.key)
    verified = receipt.verify_receipt(receipt.decode(args.receipt.read_bytes()), key)
    checkpoint = verified.checkpoint
    size, at = checkpoint.size, f"{checkpoint.at:%Y-%m-%d %H:%M:%S}"
    said = (
        f"OK: {verified.events} events of message {verified.message} are in the ledger of {size:,} entries of {at} UTC."
    )
    opened = (
        "Message, kinds and times are proved, too."
        if verified.opened == verified.events
        else "What the events are (message, kind, time) is the word of who made the receipt: it was made without keys."
    )
    whose = "the one given" if key else "the receipt says so itself; --key checks that"
    value = {"ok": True, "message": verified.message, "events": verified.events, "opened": verified.opened,
             "size": size, "at": checkpoint.at, "key": verified.vkey, "key_given": key is not None}  # fmt: skip
    show(value, json_wanted=args.json, text=[said, opened, f"Key: {verified.vkey} ({whose})"])
    return 0


def _notes(path: Path) -> list[str]:
    if path.stat().st_size > _MOST:
        raise CannotVerify(f"{path} is larger than a witness file can be.")
    try:
        return notes(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise CannotVerify(f"{path} is not a checkpoint: it is not text.") from None


def _key(given: str | None) -> str | None:
    """A verifier key has pluses, a file's name hardly."""
    if given is None or "+" in given:
        return given
    return Path(given).read_text("utf-8", "replace").strip()


def progress() -> Callable[[int, int], None]:
    """How far it is, on a terminal, every few seconds."""
    last = time.monotonic()

    def tell(done: int, size: int) -> None:
        nonlocal last
        if sys.stderr.isatty() and time.monotonic() - last > _EVERY:
            last = time.monotonic()
            print(f"{done:,} of {size:,} entries", file=sys.stderr)

    return tell
