"""Around the house: a first run from the first question to what comes next; run again, it goes on where it stopped."""

import socket
from pathlib import Path

from troth.cli import wiring
from troth.cli.commands import init
from troth.cli.first_run import owners, programme, settings
from troth.cli.first_run.asking import say, title, yes
from troth.cli.first_run.governing import Desk
from troth.cli.words import CommandError
from troth.cli.zone_lines import zone_file
from troth.control.audit import scope
from troth.control.tenants.sending_domains import Record
from troth.settings import Settings


def run(out: Path) -> int:
    """The whole conversation. 0: done; 1: stopped, and what to do."""
    say("Troth, the first run. Each answer is checked and kept before the next question.")
    try:
        return _run(out)
    except EOFError:
        raise CommandError(
            "The terminal is closed. What was answered is kept: run `troth init` again to go on."
        ) from None
    except KeyboardInterrupt:
        say("", "Stopped. What was answered is kept: run `troth init` again to go on.")
        raise


def _run(out: Path) -> int:
    found = settings.ask_all(settings.environment(Path.cwd()))
    init.check_cell(found)
    title("2. Database and master key")
    with wiring.running_database(found, new=True):
        with owners.uninterrupted():
            init.prepare(found)
        say(f"The database is ready. The master key is in {found.key_path}.", *init.key_warning(found))
        with scope.connect(wiring.conninfo(found, "control"), "init") as connection:
            return _people(found, connection, out)


def _people(found: Settings, connection: scope.Connection, out: Path) -> int:
    first, second = owners.enrol(found, connection, out)
    if not owners.sign(connection, second):
        return _end(found, [])
    if not yes("Make or look at the first programme now, with both owners here", default=True):
        return _end(found, [])
    desk = Desk(connection, wiring.control_keys(found, connection), first, second)
    return _end(found, programme.first(desk, found))


def _end(found: Settings, records: list[Record]) -> int:
    title("What comes next")
    if records:
        say("Publish these records; mail is sent when they are seen:", "", *zone_file(records), "")
    if found.return_path_domain:
        say(f"Bounces: {found.return_path_domain}. needs an MX that leads here, and SPF:", "",
            f"{found.return_path_domain}. IN MX 10 {socket.getfqdn()}.",
            f'{found.return_path_domain}. IN TXT "v=spf1 {found.spf_mechanism} -all"', "")  # fmt: skip
    say(*init.key_warning(found), "")
    say("  troth doctor   looks at all of this and names what is wrong",
        "  troth up       starts the platform",
        "Then client firms, their domains and templates: docs/first-day.md.")  # fmt: skip
    return 0
