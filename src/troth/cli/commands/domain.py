"""The command line, `troth domain`: a sending domain with a DKIM key of its own, and the records to publish."""

import argparse

from troth.cli import acting, wiring
from troth.cli.commands.change import tell_proposed
from troth.cli.zone_lines import zone_file
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.tenants import clients, sending_domains
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
    records = sending_domains.records(args.name, args.selector, public, settings.spf_mechanism or "")
    lines = ("Publish these records (in a form, without the quotes):", "", *zone_file(records), "")
    shown = [{"name": r.name, "type": "TXT", "text": r.text} for r in records]
    tell_proposed(made, f"domain {args.name}", json_wanted=args.json, more=lines, records=shown)
    return 0
