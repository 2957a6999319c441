"""The command line, `troth domain`: a sending domain with a DKIM key of its own, and the records to publish."""

import argparse
import json

from troth.cli import acting, wiring
from troth.cli.commands.change import tell_proposed
from troth.cli.zone_lines import ours, zone_file
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Refused
from troth.control.domains import rotating
from troth.control.tenants import clients, sending_domains
from troth.control.tenants.sending_domains import Record
from troth.keys.ids import uuid7
from troth.settings import Settings, require


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("domain", help="sending domains")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    adds = acts.add_parser("add", help="make a domain's DKIM key, propose the domain, print its DNS records")
    adds.add_argument("name", help="best a subdomain of its own, such as mail.example.com")
    adds.add_argument("--tenant", required=True, metavar="CODE")
    adds.add_argument("--selector", default="troth1")
    adds.add_argument("--reason", default="A domain to send from")
    acting.add_options(adds)
    adds.add_argument("--json", action="store_true", help="print JSON")
    adds.set_defaults(run=run_add)
    turns = acts.add_parser("rotate", help="begin to change a domain's DKIM key: print the new record, or stop it")
    turns.add_argument("name")
    turns.add_argument("--tenant", required=True, metavar="CODE")
    turns.add_argument("--stop", action="store_true", help="stop a change that is under way: the key in force stays")
    acting.add_options(turns)
    turns.add_argument("--json", action="store_true", help="print JSON")
    turns.set_defaults(run=run_rotate)


def run_add(args: argparse.Namespace, settings: Settings) -> int:
    """The records come as lines of a zone file; a form in a browser wants the text without its quotes."""
    require(settings, "spf_mechanism")
    artefact = {"name": args.name, "selector": args.selector}
    with wiring.control(settings) as connection:
        client = clients.client(connection, args.tenant)
        keyset = wiring.client_keys(settings, connection, client.id)
        subject = changes.subject_of(connection, "domain", args.name, client.id) or uuid7(changes.clock(connection))
        proposal = Proposal("domain", args.name, artefact, args.reason, client.id, subject)
        secret = acting.secret(settings, connection, args)
        with connection.transaction():  # both or neither: a domain without its key could never send
            made = changes.propose(connection, secret, proposal)
            public = sending_domains.add_key(
                connection, keyset, tenant=client.id, domain=made.subject, selector=args.selector
            )
    records = sending_domains.records(args.name, args.selector, public, ours(settings))
    lines = ("Publish these records (in a form, without the quotes):", "", *zone_file(records), "")
    shown = [{"name": r.name, "type": r.kind, "text": r.text, "advice": r.advice} for r in records]
    tell_proposed(made, f"domain {args.name}", json_wanted=args.json, more=lines, records=shown)
    return 0


def run_rotate(args: argparse.Namespace, settings: Settings) -> int:
    """The new key signs when every resolver has shown its record; nobody need come back for that."""
    with wiring.control(settings) as connection:
        client = clients.client(connection, args.tenant)
        domain = changes.subject_of(connection, "domain", args.name, client.id)
        if domain is None:
            raise Refused(f"{args.name} is no sending domain of {args.tenant}: `troth domain add` makes it one.")
        secret = acting.secret(settings, connection, args)
        if args.stop:
            return _stopped(args, rotating.stop(connection, secret, client.id, domain))
        keyset = wiring.client_keys(settings, connection, client.id)
        begun = rotating.begin(connection, secret, keyset, client.id, domain)
    record = Record(f"{begun.selector}._domainkey.{args.name}", begun.text, "the key that will sign")
    shown = [{"name": record.name, "type": "TXT", "text": record.text}]
    if args.json:
        print(json.dumps({"domain": args.name, "selector": begun.selector, "records": shown}))
    else:
        print("\n".join(("Publish this record; the key in force goes on signing until it is seen:", "",
                         *zone_file([record]))))  # fmt: skip
    return 0


def _stopped(args: argparse.Namespace, stopped: bool) -> int:  # noqa: FBT001 - what became of it
    words = "The change of key is stopped: the key in force stays." if stopped else "No change of key was under way."
    print(json.dumps({"domain": args.name, "stopped": stopped}) if args.json else words)
    return 0
