"""The command line, `troth backup`: database and keyring, of a running platform or a stopped one."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from troth.cli import acting, wiring
from troth.cli.backup import files, keyring, opening, restoring
from troth.cli.backup.catalogue import Manifest
from troth.cli.backup.sealed import Header, Writer
from troth.cli.backup.taking import Carried, connect, identity, take
from troth.cli.words import CommandError, show, tell
from troth.control.audit import scope
from troth.control.people.credentials import read_private
from troth.outside.kms import LocalKms
from troth.outside.postgres import find
from troth.outside.postgres_clone import cloned
from troth.settings import Settings

LAST = "backup.json"  # in var_dir: {at, file, key, rows, octets, sha256}, for `troth doctor` and the metrics
_LARGE = 3 << 30  # octets; about 20 s of a snapshot on a slow machine
_ENTRY = """
SELECT ledger_append_v1(ARRAY['backup:database:take'], ARRAY[NULL]::uuid[],
    ARRAY[leaf_json(ARRAY['backup', 'rows', 'taken'], %s::text[])])
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("backup", help="back up database and keyring, sealed under the master key")
    parser.add_argument("to", type=Path, metavar="FILE|DIR", help="a new file, or a folder that gets one with its date")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--key-to", type=Path, metavar="FILE", help="copy of the master key (default: FILE.key)")
    where.add_argument("--with-key", action="store_true", help="seal the master key into FILE under a passphrase")
    where.add_argument("--without-key", action="store_true", help="no copy of the master key is made")
    parser.add_argument(
        "--from-copy",
        action="store_true",
        help="copy the embedded database first, and read the copy (done by itself from 3 GB on)",
    )
    acting.add_passphrase(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    path = _name(args.to)
    key_copy = None if args.with_key or args.without_key else (args.key_to or path.with_name(f"{path.name}.key"))
    sealed = None
    if args.with_key:
        sealed = keyring.seal(settings.key_path, acting.passphrase(args.passphrase_file, "this backup", twice=True))
    with wiring.running_database(settings):
        _openable(settings)
        with _key_copied(settings, key_copy):
            with _source(settings, copied=args.from_copy) as source:
                manifest = _write(settings, source, path, sealed)
            _read_back(settings, path, key_copy)
        done = _remember(settings, path, key_copy, manifest)
    show(done, json_wanted=args.json, text=_told(args, path, key_copy, manifest))
    return 0


def _name(to: Path) -> Path:
    """A folder gets a file named by the time; the file must be new."""
    path = to / f"troth-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup" if to.is_dir() else to
    if path.exists():
        raise CommandError(f"{path} is there already and is not replaced: name another file.")
    return path


def _openable(settings: Settings) -> None:
    """Database and keyring belong together, or the backup would be unreadable; raise in words."""
    with scope.connect(wiring.conninfo(settings, "control"), "backup") as connection:
        wiring.control_keys(settings, connection)


@contextmanager
def _key_copied(settings: Settings, copy: Path | None) -> Iterator[None]:
    """The copy is there before the backup is; the same key's copy of an earlier backup serves on."""
    octets = read_private(settings.key_path)
    if copy is None or (copy.exists() and read_private(copy) == octets):
        yield
        return
    if copy.exists():
        raise CommandError(f"{copy} is there already and is not this master key: name another file with --key-to.")
    files.write(copy, octets)
    try:
        yield
    except BaseException:
        copy.unlink()
        raise


@contextmanager
def _source(settings: Settings, *, copied: bool) -> Iterator[wiring.Conninfo]:
    """Where to read: the database itself, or, so that no long snapshot stands in the way of mail, a copy of it."""
    migrate = wiring.conninfo(settings, "migrate")
    if settings.database_url_for("migrate"):
        if copied:
            raise CommandError("Only the embedded database is copied; name a standby in TROTH_DATABASE_URL_MIGRATE.")
        yield migrate
        return
    with psycopg.connect(**wiring.server(settings).conninfo()) as connection:
        row = connection.execute("SELECT pg_database_size(%s)", (migrate["dbname"],)).fetchone()
    if not copied and (row is None or row[0] < _LARGE):
        yield migrate
        return
    tell("copying the database, so that nothing waits behind a long snapshot")
    with cloned(wiring.server(settings), find(settings.pg_bin)) as copy:
        yield copy.conninfo(str(migrate["user"]), str(migrate["dbname"]))


def _write(settings: Settings, source: wiring.Conninfo, path: Path, sealed: Any) -> Manifest:
    master = LocalKms(settings.key_path)
    with connect(source) as connection:
        found = identity(connection)
        assert found is not None, "the keys were opened"
        key, wrapped = keyring.new_key(master, found.id)
        header = Header(found.now, found.id, master.key_id, wrapped, sealed)
        with files.new_file(path) as out:
            return take(connection, Writer(out, key, header), _carried(settings), tell)


def _carried(settings: Settings) -> list[Carried]:
    """The settings file and the pages' key, where there are any."""
    places = {restoring.SETTINGS: restoring.settings_file(), restoring.WEB: settings.var_dir / "keys" / "web"}
    return [Carried(name, path.read_bytes()) for name, path in places.items() if path.is_file()]


def _read_back(settings: Settings, path: Path, copy: Path | None) -> None:
    """What cannot be read back is not kept."""
    try:
        opening.check(path, keyring.open_key(copy or settings.key_path, opening.header(path)))
    except BaseException:
        path.unlink()
        raise
    tell("read back: whole, and opened by the copy of the master key" if copy else "read back: whole")


def _remember(settings: Settings, path: Path, copy: Path | None, manifest: Manifest) -> dict[str, Any]:
    """In the ledger, and in var_dir for `troth doctor`."""
    done = {
        "at": manifest.taken,
        "file": str(path.absolute()),
        "key": str(copy.absolute()) if copy else None,
        "rows": manifest.rows,
        "octets": path.stat().st_size,
        "sha256": opening.digest(path),
    }
    with scope.connect(wiring.conninfo(settings, "control"), "backup") as connection:
        connection.execute(_ENTRY, ([done["sha256"], str(manifest.rows), manifest.taken],))
    with tempfile.NamedTemporaryFile(dir=settings.var_dir, delete=False) as new:
        new.write(msgspec.json.encode(done))
    Path(new.name).replace(settings.var_dir / LAST)
    return done


def _told(args: argparse.Namespace, path: Path, copy: Path | None, manifest: Manifest) -> list[str]:
    lines = [f"Backed up: {path} ({len(manifest.tables)} tables, {manifest.rows} rows, taken {manifest.taken})"]
    if copy:
        lines += [
            f"Its keyring: {copy}",
            f"Keep the two apart: whoever has both reads everything. {keyring.LOST}",
        ]
    elif args.with_key:
        lines += ["Its keyring is in it, sealed under the passphrase: without that it opens with the key file alone."]
    else:
        lines += [f"THE KEYRING IS NOT IN IT. {keyring.LOST} Keep a copy of the key file elsewhere."]
    return lines
