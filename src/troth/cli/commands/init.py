"""The command line, `troth init`: the first run: settings, database, keys, two owners who both sign the genesis entry.

At a terminal it asks (troth.cli.first_run); with --owner, or without a terminal, it does what the words say.
"""

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg

from troth.cli import acting, database, wiring
from troth.cli.doctor.checks.settings import NEEDED
from troth.cli.words import CommandError, show
from troth.control.audit import scope
from troth.control.people import credentials, owners
from troth.keys.ids import uuid7
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import OPERATOR, Keyring
from troth.mail.address import AddressError
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.outside.kms import LocalKms
from troth.settings import Settings, load
from troth.settings.declared import declared

_INSTALL = """
INSERT INTO troth.installation (id, mode, cell, secrets_ct, operator_keyset) VALUES (gen_random_uuid(), %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("init", help="prepare the database and the keys, and enrol two owners")
    parser.add_argument("--owner", action="append", metavar='"Name <addr>"', help="give it twice; without, it is asked")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the two credential files (default: here)")
    parser.add_argument(
        "--passphrase-file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="once for each owner, in order",
    )
    parser.add_argument("--generate-passphrases", action="store_true", help="make them, and print each once")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, reads_settings_itself=True)


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner to be; `made`: the passphrase was made here and must be printed."""

    who: Mailbox
    file: Path
    passphrase: str = field(repr=False)
    made: bool


def run(args: argparse.Namespace, _settings: Settings | None) -> int:
    if not args.owner and not args.json and sys.stdin.isatty() and sys.stdout.isatty():
        from troth.cli.first_run import guide

        return guide.run(args.out)
    settings = load(os.environ, Path.cwd())
    enrolled = _owners(args, settings)
    check_cell(settings)
    with wiring.running_database(settings, new=True):
        prepare(settings)
        with scope.connect(wiring.conninfo(settings, "control"), "init") as connection:
            change, digest = genesis(settings, connection, enrolled)
    _tell(args, settings, enrolled, change, digest)
    return 0


def check_cell(settings: Settings) -> None:
    if len(settings.cell) != 1 or not settings.cell.isalpha():
        raise CommandError(f"cell is {settings.cell!r}; a new installation's is one letter of a-z.")


def missing(settings: Settings) -> dict[str, str]:
    """Settings that `troth up` needs and that are not set, with what each is."""
    return {name: declared()[name][0].doc for name in NEEDED if not getattr(settings, name)}


def key_warning(settings: Settings) -> list[str]:
    key = settings.key_path
    return [
        f"Whoever loses {key} loses everything: nothing sealed can ever be read again, by anyone.",
        "Copy it now to a safe place on another machine, apart from the database's backups.",
    ]


def _owners(args: argparse.Namespace, settings: Settings) -> tuple[Owner, ...]:
    given = args.owner or ()
    if len(given) != 2:
        raise CommandError("\n".join(("Give --owner twice: it begins with two people.", *_needed(settings))))
    people = [_mailbox(text) for text in given]
    if people[0].address.normal == people[1].address.normal:
        raise CommandError("The two owners need two addresses: they are two people.")
    files = [args.out / f"owner-{n}.credential" for n in (1, 2)]
    for file in files:
        if file.exists():
            raise CommandError(f"{file} is there already and is not replaced: move it away, or give --out.")
    return tuple(_owner(args, n, who, file) for n, (who, file) in enumerate(zip(people, files, strict=True)))


def _needed(settings: Settings) -> list[str]:
    absent = missing(settings)
    lines = [f"  {name} (TROTH_{name.upper()}): {doc}" for name, doc in absent.items()]
    return ["These settings are needed before `troth up`:", *lines] if absent else []


def _mailbox(text: str) -> Mailbox:
    try:
        found = parse_mailbox(text)
    except AddressError as wrong:
        raise CommandError(f"--owner {text!r}: {wrong.hint}") from wrong
    if not found.name:
        raise CommandError(f'--owner {text!r}: give the name too, as in "Jo Doe <jo@example.com>".')
    return found


def _owner(args: argparse.Namespace, n: int, who: Mailbox, file: Path) -> Owner:
    if args.generate_passphrases:
        return Owner(who, file, credentials.make_passphrase(), made=True)
    given = args.passphrase_file[n] if n < len(args.passphrase_file) else None
    return Owner(who, file, acting.passphrase(given, who.name, twice=True), made=False)


def prepare(settings: Settings) -> None:
    """Database, master key and the installation's row; each is left alone where it is there."""
    migrate = wiring.conninfo(settings, "migrate")
    database.prepare(wiring.admin_conninfo(settings), migrate, wiring.passwords(settings))
    with psycopg.connect(**migrate, autocommit=True, options="-c role=troth_owner") as owner:
        if owner.execute("SELECT 1 FROM troth.installation").fetchone():
            return
        kms = _kms(settings.key_path)
        sealed, keyset = InstallationSecrets.create().seal(kms), Keyring(kms).new_tenant_keyset(OPERATOR)
        owner.execute(_INSTALL, (settings.mode, settings.cell, sealed, keyset))


def _kms(path: Path) -> LocalKms:
    """The key that is there, or a new one; one that is there is never replaced."""
    if path.exists():
        return LocalKms(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalKms.create(path)


def genesis(settings: Settings, connection: scope.Connection, enrolled: tuple[Owner, ...]) -> tuple[UUID, bytes]:
    """Enrol both; the files are written before the database knows of them, so that none is ever lost."""
    keys = wiring.control_keys(settings, connection)
    row = connection.execute("SELECT id, now_v1() FROM installation").fetchone()
    assert row is not None
    index = keys.secrets.blind_index()
    made = [
        owners.enrol(o.who, o.passphrase, uuid7(row[1]), uuid7(row[1]), operator=keys.operator, index=index)
        for o in enrolled
    ]
    artefact = {
        "installation": str(row[0]),
        "mode": settings.mode,
        "cell": settings.cell,
        "owners": [{"account": str(m.credential.account), "human": str(m.credential.human)} for m in made],
    }
    change, written = uuid7(row[1]), list[Path]()
    try:
        with connection.transaction():
            digest = owners.genesis(connection, change, made, artefact)
            for owner, one in zip(enrolled, made, strict=True):
                owner.file.parent.mkdir(parents=True, exist_ok=True)
                credentials.write(owner.file, one.credential)
                written.append(owner.file)
    except BaseException:
        _take_back(connection, made[0].credential.account, written)
        raise
    return change, digest


def _take_back(connection: scope.Connection, account: UUID, written: list[Path]) -> None:
    """Files of a genesis that was not; they stay when the database cannot say so: it may know of them."""
    with suppress(psycopg.Error):
        if not enrolled_already(connection, account):
            for file in written:
                file.unlink(missing_ok=True)


def enrolled_already(connection: scope.Connection, account: UUID) -> bool:
    """Whether the database knows this account of the operator's."""
    with scope.within(connection, None):
        return connection.execute("SELECT FROM account WHERE id = %s", (account,)).fetchone() is not None


def _tell(
    args: argparse.Namespace, settings: Settings, enrolled: tuple[Owner, ...], change: UUID, digest: bytes
) -> None:
    second = enrolled[1].file
    value = {
        "change": change,
        "digest": digest,
        "credentials": [str(o.file) for o in enrolled],
        "passphrases": [o.passphrase for o in enrolled if o.made],
        "key_file": str(settings.key_path),
        "missing_settings": list(missing(settings)),
    }
    lines = [f"{o.who.name}: {o.file}" for o in enrolled]
    lines += [f"{o.who.name}'s passphrase, shown this once: {o.passphrase}" for o in enrolled if o.made]
    lines += [
        "Hand each owner their own file; nobody may hold both.",
        "Nothing can be approved until the second owner has signed the genesis entry:",
        f"  troth change approve {change} --digest {digest.hex()} --credential '{second}'",
        *key_warning(settings),
        *_needed(settings),
        "Then `troth doctor` names what is still wrong, and `troth up` starts the platform.",
    ]
    show(value, json_wanted=args.json, text=lines)
