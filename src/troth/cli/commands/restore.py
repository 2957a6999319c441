"""The command line, `troth restore`: an installation out of a backup; it sends nothing until two people say so."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from troth.cli import acting, wiring
from troth.cli.backup import holding, keyring, opening, restoring
from troth.cli.backup.holding import Held
from troth.cli.backup.restoring import Backup
from troth.cli.words import CommandError, show, tell
from troth.rules import restore_drill
from troth.settings import Settings, load
from troth.settings.load import CONFIG

_UNKNOWN = 2  # argparse's status for a command that it does not know


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("restore", help="restore a backup into an empty installation")
    parser.add_argument("file", type=Path, metavar="FILE", help="what `troth backup` wrote")
    parser.add_argument("--key", type=Path, metavar="FILE", help="copy of the master key (default: FILE.key, if there)")
    parser.add_argument("--check", action="store_true", help="only read it to its end; nothing is restored")
    parser.add_argument(
        "--waiting",
        choices=holding.WAITING,
        default="policy",
        help="mail that waited and may have been sent since: as each category's policy says of uncertain mail "
        "(the default), or never again (it expires)",
    )
    parser.add_argument(
        "--drill", type=Path, metavar="FILE", help="write what a restore drill measured to FILE, to be handed in"
    )
    parser.add_argument("--without-verify", action="store_true", help="do not run `troth verify` at the end")
    acting.add_passphrase(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, reads_settings_itself=True)


def run(args: argparse.Namespace, _settings: None) -> int:
    settings, began = _settings_before(), datetime.now(UTC)
    with _master(args, settings) as master:
        backup = restoring.read(args.file, master)
        if args.check:
            show(_summary(backup), json_wanted=args.json, text=[_whole(backup)])
            return 0
        with restoring.placed(backup, settings, tell) as now:
            held = restoring.restore(backup, now, args.waiting, tell)
    verified = None if args.without_verify else _verify(now)
    if args.drill:
        _record(args.drill, backup, began, verified=verified is True)
    value = _summary(backup) | {"pause": held.pause, "uncertain": held.uncertain, "verified": verified}
    show(value, json_wanted=args.json, text=_told(args, backup, held))
    if verified is False:
        raise CommandError(
            "All is restored as it was, but its ledger does not verify (see above): it did not before, either."
        )
    return 0


def _record(path: Path, backup: Backup, began: datetime, *, verified: bool) -> None:
    """Lost: all that was written since the backup was taken. Took: up to here, where the service may start."""
    lost, took = began - datetime.fromisoformat(backup.contents.manifest.taken), datetime.now(UTC) - began
    found = restore_drill.measured(lost, took, verified=verified)
    path.write_text(json.dumps(found.document()) + "\n", encoding="ascii")
    tell(f"{path} says what this drill measured: hand it in under /evidence/new?claim=INF-9")


def _settings_before() -> Settings:
    """A settings file that `--config` names may be lost with the machine: then the backup's takes its place."""
    lost = CONFIG in os.environ and not restoring.settings_file().exists()
    given = {name: value for name, value in os.environ.items() if not (lost and name == CONFIG)}
    return load(given, Path.cwd())


@contextmanager
def _master(args: argparse.Namespace, settings: Settings) -> Iterator[Path]:
    """The file with the master key: the one named, the one in the backup, the one beside it, the one in its place."""
    header = opening.header(args.file)
    beside = args.file.with_name(f"{args.file.name}.key")
    found = args.key or next((path for path in (beside, settings.key_path) if path.exists()), None)
    if args.key is None and header.keyring is not None and (args.passphrase_file or found is None):
        words = acting.passphrase(args.passphrase_file, str(args.file))
        unsealed = keyring.as_file(keyring.unseal(header.keyring, words, str(args.file)))
        try:
            yield unsealed
        finally:
            unsealed.unlink()
        return
    if found is None or not found.exists():
        raise CommandError(
            f"The keyring of this backup is missing: neither {found or beside} nor {settings.key_path} is there. "
            f"{keyring.LOST} Give the copy of master key {header.key_id} with --key. Nothing was changed."
        )
    yield found


def _verify(settings: Settings) -> bool | None:
    """`troth verify` on what is there now, in a process of its own; None where a version has no such command."""
    with wiring.running_database(settings, new=True):
        command = [sys.executable, "-m", "troth.cli", "verify"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own words
    for line in done.stdout.decode(errors="replace").splitlines()[-3:]:
        tell(f"verify: {line}")
    return None if done.returncode == _UNKNOWN else done.returncode == 0


def _summary(backup: Backup) -> dict[str, object]:
    manifest = backup.contents.manifest
    return {
        "installation": manifest.installation,
        "taken": manifest.taken,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "checkpoint": manifest.checkpoint,
    }


def _whole(backup: Backup) -> str:
    manifest = backup.contents.manifest
    return (
        f"{backup.path} is whole, and {backup.master} opens it: installation {manifest.installation}, taken "
        f"{manifest.taken}, {len(manifest.tables)} tables, {manifest.rows} rows."
    )


def _told(args: argparse.Namespace, backup: Backup, held: Held) -> list[str]:
    manifest = backup.contents.manifest
    fate = "as each category's policy says of uncertain mail" if args.waiting == "policy" else "never: it expires"
    text = f"""
Restored: installation {manifest.installation} as of {manifest.taken}; every table and the keyring checked.
NOTHING IS SENT: everything is paused ({held.pause}).
  {held.uncertain} messages waited then and may have been sent since. They become uncertain, and are sent again
  {fate}. {held.later} wait for a later time, or for review.
  What was accepted, suppressed, opted out or cancelled after {manifest.taken} is not in the backup:
  enter what you know of it (the relay's log, clients' records) before anything is sent.
Then start the platform, and let two people lift the pause:
  troth up
  troth pause release {held.pause} --reason TEXT"""
    return text.strip().splitlines()
