"""Around the house: doctor's check of the settings: readable, known, complete, and their secrets nobody else's."""

import stat
from urllib.parse import urlsplit

from troth.cli.doctor.finding import Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.settings.declared import declared

NEEDED = ("relay_host", "spf_mechanism")  # without these `troth up` does not start


def look(patient: Patient) -> Findings:
    found = [*_wrong(patient), *_missing(patient), *_open_to_others(patient)]
    yield from found
    if not found:
        file = patient.read.file
        where = f"{file} and the environment" if file.exists() else f"the environment; there is no {file}"
        yield ok(f"all that is needed is set, from {where}")
    yield from _public_url(patient)


def _wrong(patient: Patient) -> Findings:
    for problem in patient.read.problems:
        yield wrong(problem.rstrip("."), "Correct or remove it; docs/settings.md lists every setting.")


def _missing(patient: Patient) -> Findings:
    for name in NEEDED:
        if not getattr(patient.settings, name):
            about, _ = declared()[name]
            hint = f"{name} = ... ({about.kind.allowed}) in {patient.read.file}"
            yield wrong(
                f"{name} is needed and not set: {about.doc.rstrip('.')}", f"Set it with `troth init`, or {hint}."
            )


def _open_to_others(patient: Patient) -> Findings:
    file = patient.read.file
    secrets = sorted(name for name in patient.read.in_file if name in declared() and declared()[name][0].secret)
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return
    if secrets and mode & 0o007:
        yield wrong(
            f"{file} holds {', '.join(secrets)} and every user of this machine can open it (mode {mode:04o})",
            f"`chmod 600 {file}`, and change the secret if others use this machine.",
        )


def _public_url(patient: Patient) -> Findings:
    host = urlsplit(patient.settings.public_url).hostname
    if patient.settings.mode == "production" and host in {"localhost", "127.0.0.1", "::1"}:
        yield unknown(
            f"whether recipients can follow links: public_url is {patient.settings.public_url}, "
            "which only this machine reaches",
            "Set public_url to the address that the pages have for the world.",
        )
