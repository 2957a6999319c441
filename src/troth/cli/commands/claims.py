"""The command line, `troth claims`: what is promised, whether it holds, and how that is known."""

import argparse
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from troth.cli import wiring
from troth.cli.words import show, table
from troth.control.audit import scope
from troth.control.trust import running
from troth.control.trust.found import State
from troth.control.trust.look import Look, Outside
from troth.control.trust.running import Standing
from troth.control.trust.web_probe import Place
from troth.outside.dns import Resolver
from troth.outside.relay_probe import Relay
from troth.settings import Settings

_NEXT = "No control yet: a later version brings it."


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("claims", help="what is promised, and whether it holds")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    lists = acts.add_parser("list", help="every claim, as it was last found; nothing is checked")
    lists.set_defaults(run=run_list)
    checks = acts.add_parser("check", help="run the controls now; exit status 1 if a promised claim fails")
    checks.add_argument("id", nargs="*", metavar="ID", help="such as EML-2; without one, all")
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
    _show(found, json_wanted=args.json)
    return 0


def run_check(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        found = running.check(_look(settings, connection), args.id, args.programme)
    _show(found, json_wanted=args.json)
    return 1 if any(each.state is State.FAILS for each in found) else 0


def run_explain(args: argparse.Namespace, settings: Settings) -> int:
    with wiring.control(settings) as connection:
        (found,) = running.stored(connection, [args.id], args.programme)
    how = found.control.how if found.control else _NEXT
    about = {
        "section": found.claim.section,
        "says": found.claim.sentence(),
        "how": how,
        "values": dict(found.claim.values),
    }
    show({**found.to_document(), **about}, json_wanted=args.json, text=_explained(found, how))
    return 0


def _look(settings: Settings, connection: scope.Connection) -> Look:
    keys = wiring.control_keys(settings, connection)
    resolver = Resolver([(each.host, each.port) for each in settings.dns_resolvers], timeout=4.0)
    public = urlsplit(settings.public_url)
    outside = Outside(
        resolver,
        settings.spf_mechanism,
        settings.witness_path,
        pages=Place(settings.web_host, settings.web_port, bool(settings.tls_cert_file), public.netloc),
        door=Place(settings.http_host, settings.http_port, tls=False, public=public.netloc),
        relay=_relay(settings),
        bounces=settings.return_path_domain,
        addresses=settings.sending_addresses,
        address_lists=settings.address_lists,
    )
    return running.look(connection, (keys.keyring, keys.secrets, keys.operator), outside)


def _relay(settings: Settings) -> Relay | None:
    if settings.relay_host is None:
        return None
    ca_file = str(settings.relay_ca_file) if settings.relay_ca_file else None
    name = settings.relay_server_name or settings.relay_host
    return Relay(settings.relay_host, settings.relay_port, settings.relay_tls, name, ca_file)


def _show(found: Sequence[Standing], *, json_wanted: bool) -> None:
    rows = [(each.claim.id, each.state, each.checked_at and f"{each.checked_at:%Y-%m-%d %H:%M}", each.claim.sentence())
            for each in found]  # fmt: skip
    why = [line for each in found for line in _why(each)]
    lines = (*table(("claim", "state", "checked (UTC)", "what is promised"), rows), *(("", *why) if why else ()))
    show([each.to_document() for each in found], json_wanted=json_wanted, text=lines)


def _why(found: Standing) -> Iterator[str]:
    for part in found.parts:
        where = f" ({part.programme})" if part.programme else ""
        yield from (f"{found.claim.id}{where} {part.state}: {why}" for why in part.evidence.get("why", ()))


def _explained(found: Standing, how: str) -> Iterator[str]:
    claim = found.claim
    yield f"{claim.id}  {claim.sentence()}"
    yield f"State      {found.state}, checked {found.checked_at or 'never'}"
    yield f"Known by   {claim.kind}: {how}"
    yield f"Scope      {claim.scope}"
    yield from (f"Promised   {profile}: {value}" for profile, value in claim.values.items())
    for part in found.parts:
        seen = ", ".join(f"{name} {value}" for name, value in part.evidence.get("seen", {}).items())
        yield f"Seen       {part.programme or 'installation'}: {part.state}{f' ({seen})' if seen else ''}"
    yield from _why(found)
