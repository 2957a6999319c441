"""The command line's words: every command of `troth`, in the order of a first day with it."""

import argparse
import importlib.util
from pathlib import Path

from troth.cli.commands import (
    backup,
    change,
    claims,
    demo,
    doctor,
    domain,
    info,
    init,
    inspect,
    key,
    ledger,
    pause,
    person,
    restore,
    serve,
    session,
    simulate,
    tenant,
    up,
    verify,
    webhook,
)

_COMMANDS = (
    init,
    doctor,
    session,
    change,
    simulate,
    person,
    tenant,
    domain,
    key,
    pause,
    webhook,
    up,
    serve,
    claims,
    inspect,
    verify,
    ledger,
    backup,
    restore,
    info,
)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="troth", description="Transactional email for many client firms that keeps its word, provably."
    )
    top.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: troth.toml here, if there)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for each in _COMMANDS:
        each.add(commands)
    if importlib.util.find_spec("troth.cli.demo.command"):
        demo.add(commands)
    return top
