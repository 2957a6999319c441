"""Around the house: doctor's check of the master key: there, whole, ours alone, and the database's."""

import stat
from pathlib import Path

from troth.cli import wiring
from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there
from troth.keys.errors import KeyringError
from troth.outside.kms import KmsError, LocalKms

_RESTORE = "Copy the right key file back from where you keep its copy; without it nothing sealed can ever be read."


def look(patient: Patient) -> Findings:
    path = patient.settings.key_path
    yield from _folder(path)
    if not path.exists() and not path.is_symlink() and not patient.reached.begun:
        yield unknown(f"the key file {path}: there is none yet", "`troth init` makes it.")
        return
    try:
        LocalKms(path)
    except KmsError as bad:
        yield _bad(path, str(bad))
        return
    yield from _web_key(patient)
    yield from _opens(patient, path)


def _bad(path: Path, said: str) -> Finding:
    what, _, hint = said.partition(": ") if not said.startswith("cannot") else said.partition("; ")
    fix = f"{hint[0].upper()}{hint[1:]}." if hint else _RESTORE
    if not path.exists():
        fix = _RESTORE
    return wrong(what, fix)


def _folder(path: Path) -> Findings:
    """Whoever may write in the folder may put another key there."""
    try:
        mode = path.parent.stat().st_mode
    except OSError:
        return
    if mode & 0o022 and not mode & stat.S_ISVTX:
        yield wrong(
            f"the key file's folder {path.parent} can be written by others (mode {stat.S_IMODE(mode):04o})",
            f"`chmod 700 {path.parent}`.",
        )


def _web_key(patient: Patient) -> Findings:
    path = patient.settings.var_dir / "keys" / "web"
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & 0o077:
        yield wrong(
            f"the key of sessions and links {path} is open to others (mode {stat.S_IMODE(mode):04o})",
            f"`chmod 600 {path}`, or remove it and start Troth again if others use this machine.",
        )


def _opens(patient: Patient, path: Path) -> Findings:
    with patient.connection("control") as connection:
        if not there(connection, "installation"):
            raise NotAsked
        row = connection.execute("SELECT secrets_ct, operator_keyset FROM installation").fetchone()
    if row is None:
        yield unknown(f"what {path} opens: the database has no installation yet", "Run `troth init`.")
        return
    try:
        wiring.open_keys(patient.settings, *row)
    except (KmsError, KeyringError) as bad:
        yield wrong(f"{path} does not open this installation's secrets: {bad}", _RESTORE)
        return
    yield ok(f"{path} opens this installation's secrets and is nobody else's; keep a copy of it on another machine")
