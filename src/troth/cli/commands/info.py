"""The command line, `troth migrate` and `troth settings`: upgrades, and what is set."""

import argparse

from troth.cli import database, wiring
from troth.cli.words import show, tell
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    migrates = commands.add_parser("migrate", help="bring the database to this version's schema, roles and grants")
    migrates.add_argument("--plan", action="store_true", help="only say what would be done")
    migrates.add_argument("--json", action="store_true", help="print JSON")
    migrates.set_defaults(run=run_migrate)
    settings = commands.add_parser("settings", help="the settings in force, secrets masked")
    settings.add_argument("--json", action="store_true", help="print JSON")
    settings.set_defaults(run=run_settings)


def run_migrate(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.running_database(settings):
        migrate = wiring.conninfo(settings, "migrate")
        pending = [f"{app}.{name}" for app, name in database.plan(migrate).pending]
        tell(f"to do: {', '.join(pending) or 'no migration'}; then row-level security, grants and partitions")
        if not args.plan:
            database.upgrade(migrate, lambda done: tell(f"done: {done}"))
    done = [] if args.plan else pending
    lines = ["Nothing was done."] if args.plan else ["The database is up to date."]
    show({"pending": pending, "done": done}, json_wanted=args.json, text=lines)
    return 0


def run_settings(args: argparse.Namespace, settings: Settings) -> int:
    from troth.settings.declared import declared

    value = {name: _masked(getattr(settings, name), secret=about.secret) for name, (about, _) in declared().items()}
    show(value, json_wanted=args.json, text=[f"{name} = {shown}" for name, shown in value.items()])
    return 0


def _masked(value: object, *, secret: bool) -> str | None:
    if value is None or value == ():
        return None
    if secret:
        return "(set, not shown)"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
