"""The command line, `troth ledger`: what leaves the house for those who want to verify it themselves."""

import argparse
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
from troth.ledger.receipt import encode
from troth.ledger.verify import Found
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("ledger", help="export the ledger, its newest checkpoint, or one message's proof")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    exports = acts.add_parser("export", help="write the whole ledger to a new folder, to be verified anywhere")
    exports.add_argument("folder", metavar="DIR", type=Path)
    exports.set_defaults(run=run_export)
    checkpoint = acts.add_parser("checkpoint", help="the newest checkpoint, to keep for `troth verify --since`")
    checkpoint.set_defaults(run=run_checkpoint)
    proof = acts.add_parser("proof", help="a receipt: one message's events with their proofs")
    proof.add_argument("message", type=_message, help="the message's id: msg_a_..., or its 32 digits")
    proof.add_argument("--out", metavar="FILE", type=Path, help="write it there (else to standard output)")
    proof.set_defaults(run=run_proof)
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


def _message(text: str) -> UUID:
    try:
        return ids.unwire("msg", text) or UUID(text)
    except ValueError:
        hint = "an email has a message for each recipient" if text.startswith("em_") else "its page shows it"
        said = f"{text} is not a message's id, such as msg_a_ and 32 digits; {hint}"
        raise argparse.ArgumentTypeError(said) from None


def run_proof(args: argparse.Namespace, settings: Settings) -> int:
    if args.out and args.out.exists():
        raise CommandError(f"{args.out} is there already: name a new file.")
    with ExitStack() as stack:
        connection = _connect(settings, stack)
        made = _receipt(connection, settings, stack, args.message)
    if args.out:
        args.out.write_bytes(made)
        print(f"Written to {args.out}; anyone verifies it with `troth verify --receipt {args.out}`.")
    else:
        print(made.decode(), end="")
    return 0


def _receipt(connection: rows.Connection, settings: Settings, stack: ExitStack, message: UUID) -> bytes:
    reader, open_tenant = connection, None
    found = connection.execute("SELECT secrets_ct, operator_keyset FROM installation").fetchone()
    if found and settings.key_path.exists():
        open_tenant = wiring.open_keys(settings, *found).keyring.tenant
        reader = stack.enter_context(rows.connect(wiring.conninfo(settings, "flow"), "proof"))
    try:
        return encode(receipts.make(connection, reader, message, open_tenant))
    except (receipts.NoReceipt, Found) as wrong:
        raise CommandError(str(wrong)) from None


def _connect(settings: Settings, stack: ExitStack) -> rows.Connection:
    stack.enter_context(wiring.running_database(settings))
    return stack.enter_context(rows.connect(wiring.conninfo(settings, "ledger"), "ledger"))
