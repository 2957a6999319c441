"""The command line, `troth demo`: the whole platform on one machine, with mail through every stage."""

import argparse

from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("demo", help="the whole platform on one machine, with real mail")
    parser.add_argument("--once", action="store_true", help="end after the main job; 0 only if all went as expected")
    words = "codes: who may sign in, and what their apps show now; pack: a template's artefact, ready to be proposed"
    parser.add_argument("what", nargs="?", choices=["codes", "pack"], help=words)
    parser.add_argument("pack", nargs="?", help="such as system/confirm-address")
    parser.set_defaults(run=run, mode="demo")  # so that what a demo may do may be set for it


def run(args: argparse.Namespace, settings: Settings) -> int:
    """The demo's own room does it: `troth.cli.demo.command.run(settings, once=...)`."""
    import importlib

    if args.what == "pack":
        importlib.import_module("troth.cli.demo.command").pack(args.pack or "")
        return 0
    if args.what == "codes":
        importlib.import_module("troth.cli.demo.command").codes(settings)
        return 0
    status: int = importlib.import_module("troth.cli.demo.command").run(settings, once=args.once)
    return status
