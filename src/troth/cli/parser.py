"""The command line's words: every command of `troth`, in the order of a first day with it."""

import argparse
import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

_ROOMS = (
    "init",
    "doctor",
    "session",
    "change",
    "simulate",
    "person",
    "tenant",
    "domain",
    "key",
    "pause",
    "webhook",
    "letter",
    "up",
    "serve",
    "claims",
    "calendar",
    "inspect",
    "verify",
    "ledger",
    "audit",
    "backup",
    "restore",
    "info",
    "demo",
)
_ELSEWHERE = {"version": "change", "migrate": "info", "settings": "info"}  # commands that have no room of their own


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Of every command; of one room's alone where `words` begin with it, since importing all takes a second."""
    top = argparse.ArgumentParser(
        prog="troth", description="Transactional email for many client firms that keeps its word, provably."
    )
    top.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: troth.toml here, if there)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    first = words[0] if words else ""
    asked = _ELSEWHERE.get(first, first)
    for room in (asked,) if asked in _ROOMS else _ROOMS:
        if room != "demo" or importlib.util.find_spec("troth.cli.demo.command"):
            importlib.import_module(f"troth.cli.commands.{room}").add(commands)
    return top
