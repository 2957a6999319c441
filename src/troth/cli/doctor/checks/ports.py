"""Around the house: doctor's check of the ports: each is ours, or free for `troth up` to take."""

import errno
import os
import socket
from collections.abc import Iterator

from troth.cli.doctor import listeners
from troth.cli.doctor.finding import Finding, Findings, ok, wrong
from troth.cli.doctor.patient import Patient
from troth.settings.declared import declared


def look(patient: Patient) -> Findings:
    taken: dict[tuple[str, int], str] = {}
    for name, host, port in _listened(patient):
        twin = taken.setdefault((host, port), name)
        if twin != name:
            yield wrong(f"{twin} and {name} are both {port}", f"Give one of them another port: set {name}.")
        else:
            yield _one(patient, name, host, port)


def _listened(patient: Patient) -> Iterator[tuple[str, str, int]]:
    """Every port that we listen on: the settings `<what>_port` that have a `<what>_host`, but for the relay's."""
    for name in declared():
        host = getattr(patient.settings, f"{name.removesuffix('_port')}_host", None)
        port = getattr(patient.settings, name)
        if name.endswith("_port") and name != "relay_port" and host and port:
            yield name, str(host), int(port)


def _one(patient: Patient, name: str, host: str, port: int) -> Finding:
    trouble = _bind(host, port)
    if trouble is None:
        return ok(f"{name} {port} is free on {host}")
    if trouble.errno == errno.EADDRINUSE:
        return _used(patient, name, host, port)
    another = f"set {name} to another port"
    if trouble.errno == errno.EACCES:
        return wrong(
            f"{name} {port} may not be listened on by user {os.geteuid()}",
            f"Ports below 1024 need a right of their own: {another} and let a proxy stand before it.",
        )
    setting = name.replace("_port", "_host")
    return wrong(
        f"{setting} {host} cannot be listened on: {trouble.strerror or trouble}",
        f"Set {setting} to an address of this machine, such as 127.0.0.1.",
    )


def _bind(host: str, port: int) -> OSError | None:
    """As the door binds, without sharing: anybody who holds the port is seen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        try:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
            tried.listen(1)
        except OSError as trouble:
            return trouble
    return None


def _used(patient: Patient, name: str, host: str, port: int) -> Finding:
    strangers = listeners.strangers(patient, port)
    if strangers is not None and not strangers:
        return ok(f"{name} {port} is held by this Troth")
    who = strangers[0] if strangers else "another program"
    return wrong(
        f"{name} {port} on {host} is in use by {who}",
        f"Stop that program, or set {name} to a free port; then start Troth again.",
    )
