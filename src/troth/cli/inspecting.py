"""The command line, `troth inspect bounce|feedback|report FILE...`: what letters that came back say, without a house.

Files are letters, or reports as they are, each for itself: one that cannot be read is told at the end, by exit code 1.
So is, where people read the answer, one in which there is no report; a JSON line says that by itself.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from troth.cli import inspecting_words
from troth.cli.inspecting_line import line
from troth.mail import bounce, feedback_report
from troth.mail.bounce import Bounced
from troth.outside import reports

Fact = dict[str, Any]
MOST = 104_857_600  # octets of a file: ten of the largest letters that the inbound server takes


def bounces(octets: bytes, _name: str) -> list[Fact]:
    """One fact a recipient; a letter without one says so with an empty recipient."""
    reading = bounce.read(octets)
    return [_bounced(one) for one in reading.recipients or (Bounced(""),)]


def complaints(octets: bytes, _name: str) -> list[Fact]:
    return feedback_report.describe(octets)


def figures(octets: bytes, name: str) -> list[Fact]:
    return [reports.describe(octets, name)]


def inspect_files(paths: Iterable[str], told: Callable[[bytes, str], list[Fact]], *, as_json: bool) -> int:
    """Print what each file says; 1 if any could not be read."""
    unreadable = False
    for path in paths:
        try:
            octets = _octets(path)
        except OSError as error:
            print(f"{line(path)} cannot be read: {error.strerror or error}.", file=sys.stderr)
            unreadable = True
            continue
        for fact in told(octets, Path(path).name):
            print(line({"file": path} | fact | {"file": path}) if as_json else "\n".join(_words(path, fact)))
            unreadable |= not as_json and _none(fact)
    return int(unreadable)


def _none(fact: Fact) -> bool:
    """There is no report in it. That a letter is no bounce is an answer."""
    return fact.get("ok") is False or fact.get("feedback_type") == "none"


def _octets(path: str) -> bytes:
    """All of it, if it is no larger than a letter may ever be."""
    with Path(path).open("rb") as file:
        octets = file.read(MOST + 1)
    if len(octets) > MOST:
        raise OSError(f"it has more than {MOST:,} octets; give one letter a file")
    return octets


def _bounced(one: Bounced) -> Fact:
    return {
        "recipient": one.recipient,
        "permanent": one.permanent,
        "address_bad": one.address_bad,
        "kind": one.kind,
        "status": one.status,
        "class": one.klass,
        "diagnostic": one.diagnostic,
        "remote_mta": one.remote_mta,
    }


def _words(path: str, fact: Fact) -> Iterable[str]:
    if "ok" in fact:
        yield from inspecting_words.report(path, fact)
        return
    if _none(fact):
        yield f"{line(path)}: no feedback report."
        return
    yield f"{line(path)}:"
    for name, value in fact.items():
        if value not in ("", [], None):
            yield f"  {name.replace('_', ' ')}: {value if isinstance(value, bool | int) else line(value)}"
