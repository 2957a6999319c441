"""The command line, `troth ledger`: what leaves the house for those who want to verify it themselves."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from troth.cli import wiring
from troth.cli.commands.verify import progress
from troth.cli.words import CommandError, show
from troth.control.ledger import receipts, rows
from troth.control.ledger.export import CannotExport, export
from troth.control.ledger.proof import newest
from troth.keys import ids
from troth.keys.errors import Undecryptable
from troth.ledger.signed_file import WrongKey
from troth.rules.receipts import Altered, Rights
from troth.settings import Settings

_WHOSE = """
SELECT tenant_id FROM message WHERE id = %s UNION ALL SELECT tenant_id FROM email WHERE id = %s LIMIT 1
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("ledger", help="export the ledger, its newest checkpoint, or a receipt")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    exports = acts.add_parser("export", help="write the whole ledger to a new folder, to be verified anywhere")
    exports.add_argument("folder", metavar="DIR", type=Path)
    exports.set_defaults(run=run_export)
    checkpoint = acts.add_parser("checkpoint", help="the newest checkpoint, to keep for `troth verify --since`")
    checkpoint.set_defaults(run=run_checkpoint)
    receipt = acts.add_parser("receipt", help="a receipt: a message's or an email's decision and events, with proofs")
    receipt.add_argument("id", metavar="ID", type=_id, help="msg_a_..., em_a_..., or a message's 32 digits")
    receipt.add_argument("--out", metavar="FILE", type=Path, help="write it there (else to standard output)")
    receipt.set_defaults(run=run_receipt)
    for one in (exports, checkpoint):
        one.add_argument("--json", action="store_true", help="print JSON")


def run_export(args: argparse.Namespace, settings: Settings) -> int:
    with ExitStack() as stack:
        connection = _connect(settings, stack)
        try:
            made = export(connection, args.folder, progress())
        except CannotExport as wrong:
            raise CommandError(str(wrong)) from None
    value = {"folder": str(made.folder), "entries": made.entries, "checkpoints": made.checkpoints,
             "files": made.files, "vkey": made.vkey}  # fmt: skip
    lines = [
        f"Exported {made.entries:,} entries, {made.checkpoints:,} checkpoints to {made.folder} ({made.files:,} files).",
        f"Anyone verifies it with `troth verify --export {made.folder}`; its key: {made.vkey}",
    ]
    show(value, json_wanted=args.json, text=lines)
    return 0


def run_checkpoint(args: argparse.Namespace, settings: Settings) -> int:
    with ExitStack() as stack:
        found = newest(_connect(settings, stack))
    if found is None:
        raise CommandError("The ledger has no checkpoint yet: the sequencer signs the first one (`troth up`).")
    value = {"size": found.size, "root": found.root, "at": found.at, "note": found.note, "vkey": found.vkey}
    show(value, json_wanted=args.json, text=[found.note.removesuffix("\n")])
    return 0


def _id(text: str) -> tuple[UUID | None, UUID | None]:
    """An email, or a message."""
    if email := ids.unwire("em", text):
        return email, None
    try:
        return None, ids.unwire("msg", text) or UUID(text)
    except ValueError:
        said = (
            f"{text} is not the id of a message or an email, such as msg_a_ or em_a_ and 32 digits; its page shows it"
        )
        raise argparse.ArgumentTypeError(said) from None


def run_receipt(args: argparse.Namespace, settings: Settings) -> int:
    if args.out and args.out.exists():
        raise CommandError(f"{args.out} is there already: name a new file.")
    with ExitStack() as stack:
        made = _receipt(_connect(settings, stack, "flow"), settings, *args.id)
    if args.out:
        args.out.write_bytes(made)
        print(f"Written to {args.out}; anyone verifies it with `troth verify receipt {args.out}`.")
    else:
        sys.stdout.buffer.write(made)
        sys.stdout.flush()
    return 0


def _receipt(connection: rows.Connection, settings: Settings, email: UUID | None, message: UUID | None) -> bytes:
    """Whoever has the master key may see all of it."""
    installed = connection.execute("SELECT secrets_ct, operator_keyset FROM installation").fetchone()
    whose = connection.execute(_WHOSE, (message, email)).fetchone()
    if installed is None or whose is None:
        raise CommandError(f"There is no {'message' if message else 'email'} {message or email} here.")
    keys = wiring.open_keys(settings, *installed)
    means = receipts.Means(keys.keyring, keys.secrets.ledger_seed)
    wanted = receipts.Wanted(whose[0], email, message)
    try:
        return receipts.file(connection, wanted, means, Rights(content=True, house=True))
    except (receipts.NoReceipt, Altered, WrongKey, Undecryptable) as wrong:
        raise CommandError(str(wrong)) from None


def _connect(settings: Settings, stack: ExitStack, role: str = "ledger") -> rows.Connection:
    stack.enter_context(wiring.running_database(settings))
    return stack.enter_context(rows.connect(wiring.conninfo(settings, role), "ledger"))
