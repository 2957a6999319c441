"""The command line, `troth claims`: what is promised, whether it holds, and how that is known."""

import argparse
from collections.abc import Iterator, Mapping, Sequence

from troth.cli import claims_looking, wiring
from troth.cli.words import show, table
from troth.control.audit import scope
from troth.control.tenants.clients import programmes
from troth.control.trust import running
from troth.control.trust.catalogue import Claim
from troth.control.trust.found import State
from troth.control.trust.look import Programme
from troth.control.trust.pending import pending
from troth.control.trust.promised import Promised, promised
from troth.control.trust.running import Standing
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("claims", help="what is promised, and whether it holds")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    lists = acts.add_parser("list", help="every claim, as it was last found; nothing is checked")
    lists.set_defaults(run=run_list)
    checks = acts.add_parser("check", help="run the controls now; exit status 1 if a promised claim fails")
    checks.add_argument("id", nargs="*", metavar="ID", help="such as EML-2; without one, all")
    checks.add_argument("--due", action="store_true", help="only what is due for a look; one process does so at a time")
    checks.set_defaults(run=run_check)
    explains = acts.add_parser("explain", help="one claim: its sentence, how it is known, what was seen last")
    explains.add_argument("id", metavar="ID")
    explains.set_defaults(run=run_explain)
    for one in (lists, checks, explains):
        one.add_argument("--programme", metavar="CODE", help="as this programme promises it; without it, all of them")
        one.add_argument("--json", action="store_true", help="print JSON")


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found = running.stored(connection, (), args.programme)
        said = _sentences(connection, args.programme)
    _show(found, said, json_wanted=args.json)
    return 0


def run_check(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found = claims_looking.check(settings, connection, args.id, args.programme, due=args.due)
        said = _sentences(connection, args.programme)
    if found or args.json or not args.due:
        _show(found, said, json_wanted=args.json)
    return 1 if any(each.state is State.FAILS for each in found) else 0


def run_explain(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        (found,) = running.stored(connection, [args.id], args.programme)
        said = _said(connection, found.claim, args.programme)
    how = found.control.how if found.control else f"No control yet. What will give it one: {pending(found.claim.id)}"
    about = {
        "section": found.claim.section,
        "chapter": found.claim.chapter,
        "owner": found.claim.owner,
        "frameworks": list(found.claim.frameworks),
        "how": how,
        "says": said,
    }
    show({**found.to_document(), **about}, json_wanted=args.json, text=_explained(found, how, said))
    return 0


def _promised(connection: scope.Connection, code: str | None) -> dict[str, list[Promised]]:
    """By programme, from the policy in force."""
    asked = [Programme(each.id, each.code, each.profile) for each in programmes(connection)]
    return {each.code: promised(connection, each) for each in asked if code in (None, each.code)}


def _said(connection: scope.Connection, claim: Claim, code: str | None) -> dict[str, str]:
    """Each programme's sentence of one claim."""
    found = _promised(connection, code).items()
    return {name: one.sentence for name, said in found for one in said if one.claim.id == claim.id}


def _sentences(connection: scope.Connection, code: str | None) -> dict[str, str]:
    """A list has one line a claim: the first programme's that promises it; `explain` has each programme's own."""
    found: dict[str, str] = {}
    for said in _promised(connection, code).values():
        found = {one.claim.id: one.sentence for one in said} | found
    return found


def _show(found: Sequence[Standing], said: Mapping[str, str], *, json_wanted: bool) -> None:
    rows = [
        (
            each.claim.id,
            each.state,
            each.checked_at and f"{each.checked_at:%Y-%m-%d %H:%M}",
            said.get(each.claim.id, ""),
        )
        for each in found
    ]
    why = [line for each in found for line in _why(each)]
    lines = (*table(("claim", "state", "checked (UTC)", "what is promised"), rows), *(("", *why) if why else ()))
    show([each.to_document() for each in found], json_wanted=json_wanted, text=lines)


def _why(found: Standing) -> Iterator[str]:
    for part in found.parts:
        where = f" ({part.programme})" if part.programme else ""
        yield from (f"{found.claim.id}{where} {part.state}: {why}" for why in part.evidence.get("why", ()))


def _explained(found: Standing, how: str, said: Mapping[str, str]) -> Iterator[str]:
    claim = found.claim
    yield f"{claim.id}  {next(iter(said.values()), 'No programme promises this.')}"
    yield f"State      {found.state}, checked {found.checked_at or 'never'}"
    yield f"Known by   {claim.kind}: {how}"
    yield f"Scope      {claim.scope}"
    yield from (f"Promised   {programme}: {sentence}" for programme, sentence in said.items())
    for part in found.parts:
        seen = ", ".join(f"{name} {value}" for name, value in part.evidence.get("seen", {}).items())
        yield f"Seen       {part.programme or 'installation'}: {part.state}{f' ({seen})' if seen else ''}"
    yield from _why(found)
