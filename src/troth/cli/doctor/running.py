"""Around the house: runs the doctor's checks side by side, each within its own time, and keeps what they found."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from troth.cli.doctor.finding import Check, Finding, State, unknown
from troth.cli.doctor.patient import NotAsked, Patient

_NOT_ASKED = "the database cannot be asked"


@dataclass(frozen=True, slots=True)
class Report:
    """One line: the check's name and what it found."""

    check: str
    finding: Finding


class _Run:
    """One check in a thread that nobody has to wait for; a hung one ends with the process."""

    def __init__(self, check: Check, patient: Patient) -> None:
        self.check = check
        self._patient = patient
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._look, name=f"doctor {check.name}", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            for finding in self.check.look(self._patient):
                self._found.append(finding)
        except NotAsked:
            self._found.append(unknown(_NOT_ASKED, "Mend what is said of the database first."))
        except psycopg.errors.InsufficientPrivilege as refused:
            self._found.append(unknown(f"the database refuses: {refused}", "See what is said of schema and rights."))
        except Exception as trouble:  # noqa: BLE001 - one check that fails hides no other
            self._found.append(unknown(f"the check itself failed: {type(trouble).__name__}: {trouble}"))

    def wait(self, until: float) -> list[Finding]:
        self._thread.join(max(0.0, until - time.monotonic()))
        found = list(self._found)
        return [*found, self.check.late] if self._thread.is_alive() else found


def examine(checks: Iterable[Check], patient: Patient) -> list[Report]:
    """Every check's findings in the checks' order; never longer than the slowest check's time."""
    began = time.monotonic()
    runs = [_Run(check, patient) for check in checks]
    reports = []
    for run in runs:
        found = run.wait(began + run.check.seconds)
        reports += [Report(run.check.name, _clean(finding, patient)) for finding in found]
    return reports


def _clean(finding: Finding, patient: Patient) -> Finding:
    fix = patient.scrub(finding.fix) if finding.fix else None
    return Finding(finding.state, patient.scrub(finding.what), fix)


def healthy(reports: Iterable[Report]) -> bool:
    return all(report.finding.state is not State.WRONG for report in reports)
