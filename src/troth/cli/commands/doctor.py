"""The command line, `troth doctor`: what is wrong with this installation, one line each, with the way to mend it."""

import argparse
import os
from pathlib import Path

from troth.cli.doctor import lenient, order, reaching
from troth.cli.doctor.finding import State
from troth.cli.doctor.patient import Patient
from troth.cli.doctor.running import Report, examine, healthy
from troth.cli.words import show


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("doctor", help="name what is wrong, and the fix; 1 if anything is")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, reads_settings_itself=True)


def run(args: argparse.Namespace, _settings: None) -> int:
    """Settings that cannot be read are a finding like any other."""
    reports = look(Path.cwd())
    value = {
        "ok": healthy(reports),
        "findings": [
            {"check": r.check, "state": str(r.finding.state), "what": r.finding.what, "fix": r.finding.fix}
            for r in reports
        ],
    }
    show(value, json_wanted=args.json, text=_lines(reports))
    return 0 if healthy(reports) else 1


def look(cwd: Path) -> list[Report]:
    """Every check's findings about the installation of the settings that are read here."""
    found = lenient.read(os.environ, cwd)
    with reaching.reach(found.settings) as reached:
        return examine(order.CHECKS, Patient(found, os.environ, reached))


def _lines(reports: list[Report]) -> list[str]:
    width = max(len(report.check) for report in reports)
    lines = [
        f"{report.finding.state:<11}  {report.check:<{width}}  {report.finding.what}."
        + (f" Fix: {report.finding.fix}" if report.finding.fix else "")
        for report in reports
    ]
    bad = sum(report.finding.state is State.WRONG for report in reports)
    return [*lines, f"{bad} {'thing is' if bad == 1 else 'things are'} wrong." if bad else "Nothing is wrong."]
