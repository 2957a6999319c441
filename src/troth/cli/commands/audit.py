"""The command line, `troth audit`: a period's evidence of one programme in one file, which an auditor judges alone."""

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any

from troth.cli import wiring
from troth.cli.audits import moment
from troth.cli.words import CommandError, show, tell
from troth.control.audit import scope
from troth.control.audits import gathering
from troth.control.audits.gathering import MOST_SAMPLE, SAMPLE, Made, Wanted
from troth.control.audits.ledgers import NoLedger
from troth.control.audits.period import CannotBundle, Period
from troth.control.tenants.clients import programmes
from troth.control.trust.look import Programme
from troth.ledger.signed_file import WrongKey
from troth.settings import Settings

_TRIES, _WAIT = 3, 3.0  # seconds
_APPEND = """
SELECT troth.ledger_append_v1(ARRAY['access:audit:bundle'], ARRAY[NULL::uuid], ARRAY[troth.leaf_json(
    ARRAY['begins', 'by', 'ends', 'programme'], ARRAY[%s, 'the command line', %s, %s])])
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("audit", help="a period’s evidence, for an auditor")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    bundle = acts.add_parser("bundle", help="one file that `troth verify bundle` judges anywhere")
    bundle.add_argument("--programme", metavar="CODE", required=True)
    bundle.add_argument("--from", dest="begins", metavar="TIME", type=moment, required=True,
                        help="such as 2027-01-01, or 2027-01-01T09:00+01:00; UTC where it names no zone")  # fmt: skip
    bundle.add_argument("--to", dest="ends", metavar="TIME", type=moment, required=True, help="its end, not of it")
    bundle.add_argument("--out", metavar="FILE", type=Path, required=True, help="a new file")
    bundle.add_argument("--sample", metavar="N", type=int, default=SAMPLE,
                        help=f"members drawn of each population, to {MOST_SAMPLE} (default: {SAMPLE})")  # fmt: skip
    bundle.add_argument("--json", action="store_true", help="print JSON")
    bundle.set_defaults(run=run_bundle)


def run_bundle(args: argparse.Namespace, settings: Settings) -> int:
    if args.out.exists():
        raise CommandError(f"{args.out} is there already: name a new file.")
    with wiring.control(settings) as connection:
        wanted = Wanted(_programme(connection, args.programme), Period(args.begins, args.ends), args.sample)
        tell(f"gathering {args.programme} from {args.begins:%Y-%m-%d %H:%M} to {args.ends:%Y-%m-%d %H:%M} UTC")
        made = _patiently(settings, connection, wanted)
    args.out.write_bytes(made.data)
    show(_value(args.out, made), json_wanted=args.json, text=_lines(args.out, made))
    return 0


def _programme(connection: scope.Connection, code: str) -> Programme:
    found = {each.code: each for each in programmes(connection)}
    if code not in found:
        raise CommandError(f"There is no programme {code!r}; there are: {', '.join(found) or 'none yet'}.")
    return Programme(found[code].id, code, found[code].profile)


def _patiently(settings: Settings, connection: scope.Connection, wanted: Wanted) -> Made:
    """What waits for its seal has it within seconds."""
    for _ in range(_TRIES - 1):
        try:
            return _made(settings, connection, wanted)
        except NoLedger as wrong:
            tell(f"{wrong} Waiting.")
            time.sleep(_WAIT)
    try:
        return _made(settings, connection, wanted)
    except NoLedger as wrong:
        raise CommandError(str(wrong)) from None


def _made(settings: Settings, connection: scope.Connection, wanted: Wanted) -> Made:
    """That it was taken is an entry of the ledger, in the transaction that read it."""
    keys = wiring.control_keys(settings, connection)
    try:
        with scope.within(connection, None):
            made = gathering.bundle(connection, keys, wanted)
            period = (str(each) for each in wanted.period.numbers)
            connection.execute(_APPEND, (*period, wanted.programme.code))
    except (CannotBundle, WrongKey) as wrong:
        raise CommandError(str(wrong)) from None
    return made


def _value(file: Path, made: Made) -> dict[str, Any]:
    told = made.bundle
    return {
        "file": str(file), "bytes": len(made.data), "programme": told.programme.code, "vkey": told.vkey,
        "entries": {"range": told.entries.range, "shown": told.entries.shown, "others": told.entries.others},
        "populations": {each.name: {"size": each.size, "drawn": each.drawn} for each in told.populations},
    }  # fmt: skip


def _lines(file: Path, made: Made) -> list[str]:
    drawn = Counter({each.name: len(each.drawn) for each in made.bundle.populations})
    counts = made.bundle.entries
    return [
        f"Written to {file}: {len(made.data):,} bytes, {counts.shown:,} of {counts.range:,} entries of the ledger.",
        *(f"  {each.name}: {each.size:,}, {drawn[each.name]} drawn" for each in made.bundle.populations),
        f"Anyone verifies it with `troth verify bundle {file}`; its key: {made.bundle.vkey}",
    ]
