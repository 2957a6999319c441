"""The command line, `troth inspect`: what registration would say of an address, and what a letter that came back says.

It asks neither the database nor the DNS, so it needs no settings.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from troth.cli.inspecting import bounces, complaints, figures, inspect_files
from troth.cli.inspecting_line import line as _line
from troth.mail import address_lists
from troth.mail.inspect import Inspection, Wanted, inspect
from troth.rules.profile import PROFILES, load_profile
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("inspect", help="what an address, a bounce, a complaint or a report says")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    address = kinds.add_parser("address", help="judge addresses; -- before one that may begin with a hyphen")
    address.add_argument("addresses", metavar="ADDRESS", nargs="*", help="as typed; none: one a line, standard input")
    address.add_argument("--profile", default="property", choices=PROFILES,
                         help="whose policy says what is accepted (default: property)")  # fmt: skip
    address.add_argument("--json", action="store_true", help="print one JSON object a line")
    address.set_defaults(run=run_address)
    for kind, (run, what) in _FILES.items():
        letters = kinds.add_parser(kind, help=what)
        letters.add_argument("files", metavar="FILE", nargs="+", help="a letter with its header, as it arrived")
        letters.add_argument("--json", action="store_true", help="print one JSON object a line")
        letters.set_defaults(run=run)


def run_address(args: argparse.Namespace, _settings: Settings) -> int:
    recipients = load_profile(args.profile).policy.recipients
    wanted = Wanted(disposable=recipients.disposable == "take", roles=recipients.roles == "take")
    for text in args.addresses or _given():
        found = inspect(text, wanted)
        print(_line(_told(text, found)) if args.json else "\n".join(_words(text, found)))
    return 0


def run_bounce(args: argparse.Namespace, _settings: Settings) -> int:
    return inspect_files(args.files, bounces, as_json=args.json)


def run_feedback(args: argparse.Namespace, _settings: Settings) -> int:
    return inspect_files(args.files, complaints, as_json=args.json)


def run_report(args: argparse.Namespace, _settings: Settings) -> int:
    return inspect_files(args.files, figures, as_json=args.json)


_FILES = {
    "bounce": (run_bounce, "whether a failure is permanent and the address bad, a line for each recipient"),
    "feedback": (run_feedback, "who complained of which message"),
    "report": (run_report, "what a DMARC or TLS report says, mailed, packed or as it is"),
}


def _given() -> Iterable[str]:
    """Standard input, each line an address, however it ends; what is not UTF-8 in it is told apart as such."""
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")


def _told(text: str, found: Inspection) -> dict[str, Any]:
    return {
        "address": text,
        "smtp_valid": found.smtp_valid,
        "accepted": found.accepted,
        "reasons": [asdict(reason) for reason in found.reasons],
        "normalised": found.normalised,
        "ascii": found.ascii,
        "role": found.role,
        "disposable": found.disposable,
        "mixed_script": found.mixed_script,
        "suggestion": found.suggestion,
    }


def _words(text: str, found: Inspection) -> Iterable[str]:
    yield f"{_line(text)}: {'accepted' if found.accepted else 'not accepted'}"
    if found.suggestion is not None:
        yield f"  Did you mean {_line(found.suggestion)}?"
    yield from (f"  {reason.sentence}" for reason in found.reasons)
    if found.role:
        yield "  It is a role's address."
    if found.disposable:
        yield f"  It is disposable by the list of {address_lists.disposable().as_of}."
