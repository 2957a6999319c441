"""Around the house: doctor's check of the last backup: whether there is one, and how old it is."""

import json
import time
from datetime import datetime
from pathlib import Path

from troth.cli.commands.backup import LAST
from troth.cli.doctor.finding import Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient

_OLD = 7 * 86_400.0  # seconds
_TAKE = "Take one: `troth backup`, best every night and to another machine."


def look(patient: Patient) -> Findings:
    if not patient.reached.begun:
        return
    path = patient.settings.var_dir / LAST
    try:
        last = json.loads(path.read_text())
        taken, file, key = datetime.fromisoformat(last["at"]).timestamp(), str(last["file"]), last.get("key")
    except FileNotFoundError:
        yield unknown("backups: none was taken from here", _TAKE)
        return
    except (OSError, ValueError, KeyError, TypeError):
        yield unknown(f"the last backup: {path} cannot be read", _TAKE)
        return
    age = max(0.0, time.time() - taken)
    if age > _OLD:
        yield wrong(f"the last backup is {age / 86_400:.0f} days old", _TAKE)
    else:
        yield ok(f"the last backup, {Path(file).name}, is {age / 3600:.0f} h old{_beside(file, key)}")


def _beside(file: str, key: object) -> str:
    """A key beside the backup opens it for whoever takes both."""
    if isinstance(key, str) and Path(key).parent == Path(file).parent and Path(key).exists():
        return "; its key lies in the same folder: keep the two apart"
    return ""
