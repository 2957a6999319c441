"""Around the house: doctor's check of the processes that `troth up` keeps: all there, none left behind by a kill."""

from collections.abc import Iterator

import msgspec

from troth.cli.commands import up
from troth.cli.doctor import listeners
from troth.cli.doctor.finding import Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.cli.supervise_remains import Record
from troth.outside import processes


def look(patient: Patient) -> Findings:
    served = [] if patient.supervisor else list(_served(patient))
    if served:
        yield ok(f"{', '.join(served)} run, each by itself, without `troth up`")
        return
    if not patient.run_dir.exists():
        yield unknown("the platform: it was never started", "`troth up` starts it.")
        return
    records = _records(patient)
    if patient.supervisor is None:
        left = sorted(name for name, record in records.items() if _lives(record))
        if left:
            yield wrong(f"`troth up` was killed and {', '.join(left)} run on without it",
                        "Run `troth up`: it ends what was left and starts anew.")  # fmt: skip
        elif records:
            yield wrong("`troth up` was killed, and nothing of it runs", "Run `troth up`.")
        else:
            yield unknown("the platform: it is stopped", "`troth up` starts it.")
        return
    expected = [child.name for child in up.children(patient.settings)]
    if down := [name for name in expected if name not in records or not _lives(records[name])]:
        yield wrong(
            f"{', '.join(down)} is down", "Its last lines in the output of `troth up` say why; it is tried again."
        )
    else:
        yield ok(f"{len(expected)} processes run")


def _served(patient: Patient) -> Iterator[str]:
    """What something else than `troth up` (systemd) runs with this folder's settings; not what a kill left."""
    for seen in processes.everyone():
        found = listeners.SERVES.search(seen.command)
        if found and not patient.is_ours(seen.pid) and listeners.ours(patient, seen.pid):
            yield found[1]


def _records(patient: Patient) -> dict[str, Record]:
    found = {}
    for file in patient.run_dir.glob("*.json"):
        try:
            found[file.stem] = msgspec.json.decode(file.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            continue
    return found


def _lives(record: Record) -> bool:
    seen = processes.look(record.pid)
    return seen is not None and seen.started == record.started
