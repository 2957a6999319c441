"""The command line, `troth verify`: is the ledger whole, here or in an export, and does it extend what was seen before?

exit status 0   yes
            1   no: what is wrong is named, and the entry where it has one
            2   it could not be verified; why is said on standard error
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from troth.cli import audits, receipts, wiring
from troth.cli.words import CommandError, as_json, show, warn
from troth.control.audit.refusals import StoreAway
from troth.control.ledger import rows
from troth.control.ledger.events import OpenTenant
from troth.control.ledger.offline import verify_export
from troth.control.ledger.report import Report
from troth.control.ledger.verification import Asked, verify
from troth.keys.errors import KeyringError
from troth.ledger import trust_check
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
    parser.add_argument("--export", metavar="DIR", type=Path, help="verify an export; needs no database and no keys")
    parser.add_argument(
        "--since", metavar="FILE", type=Path, action="append", default=[],
        help="a checkpoint seen earlier, or a witness file: the ledger must extend every one in it",
    )  # fmt: skip
    _add_key(parser)
    parser.add_argument(
        "--without-keys",
        action="store_true",
        help="do not open the events' sealed details, even where that is possible",
    )
    parser.set_defaults(run=run_ledger, cannot=UNKNOWN)
    kinds = parser.add_subparsers(dest="what", metavar="receipt|trust|bundle")
    receipt = kinds.add_parser("receipt", help="is a receipt true? needs the file and the public key, nothing else")
    receipt.add_argument("file", metavar="FILE", type=Path)
    _add_key(receipt)
    receipt.set_defaults(run=run_receipt, cannot=UNKNOWN)
    _add_trust(kinds)
    _add_bundle(kinds)


def _add_trust(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    trust = kinds.add_parser("trust", help="is a programme’s trust document (trust.json) true, and still valid?")
    trust.add_argument("file", metavar="FILE", type=Path)
    trust.add_argument("--at", metavar="TIME", type=audits.moment, help="as of this time (default: now)")
    trust.add_argument("--programme", metavar="CODE", help="the programme that it must be of")
    trust.add_argument("--host", metavar="NAME", help="the host that it must be of")
    trust.add_argument(
        "--since", metavar="FILE", type=Path, action="append", default=[],
        help="a checkpoint seen earlier, or a witness file: the document must not contradict it",
    )  # fmt: skip
    _add_key(trust)
    trust.set_defaults(run=run_trust, cannot=UNKNOWN)


def _add_bundle(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    bundle = kinds.add_parser("bundle", help="is an auditor’s bundle true, and nothing left out of it?")
    bundle.add_argument("file", metavar="FILE", type=Path)
    bundle.add_argument("--programme", metavar="CODE", help="the programme that it must be of")
    _add_key(bundle)
    bundle.set_defaults(run=run_bundle, cannot=UNKNOWN)


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", metavar="VKEY", help="the ledger's verifier key as you hold it, or a file with it")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_ledger(args: argparse.Namespace, settings: Settings) -> int:
    return _judged(args, lambda: _ledger(args, settings))


def run_receipt(args: argparse.Namespace, settings: Settings) -> int:
    del settings  # of the house it needs nothing
    return _judged(args, lambda: receipts.show_verified(args.file, _key(args.key), json_wanted=args.json))


def run_trust(args: argparse.Namespace, settings: Settings) -> int:
    del settings
    return _judged(args, lambda: audits.show_trust(args.file, _asked(args), json_wanted=args.json))


def run_bundle(args: argparse.Namespace, settings: Settings) -> int:
    del settings
    return _judged(args, lambda: audits.show_bundle(args.file, _key(args.key), args.programme, json_wanted=args.json))


def _asked(args: argparse.Namespace) -> trust_check.Asked:
    held = [(str(path), _notes(path)) for path in args.since]
    return trust_check.Asked(args.at or datetime.now(UTC), _key(args.key), held, args.programme, args.host)


def _judged(args: argparse.Namespace, judge: Callable[[], int]) -> int:
    try:
        return judge()
    except Found as found:
        bad = {"ok": False, "index": found.index, "what": found.what}
        show(bad, json_wanted=args.json, text=[f"BAD: {found}."])
        return BAD
    except psycopg.errors.UndefinedTable as old:
        why = f"The database has another version's schema: `troth migrate` first ({old.diag.message_primary})."
    except _CANNOT as wrong:
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
