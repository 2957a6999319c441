"""The command line, `troth person`: somebody more, with credentials of their own, as a change to approve."""

import argparse
from pathlib import Path

from troth.cli import acting, wiring
from troth.cli.commands.change import tell_proposed, tenant_id
from troth.cli.words import CommandError, show
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.people import accounts, credentials, links, owners
from troth.keys.ids import uuid7
from troth.mail.address import AddressError
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.settings import Settings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("person", help="staff, and clients' members")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    adds = acts.add_parser("add", help="make somebody's credentials and propose their role")
    adds.add_argument("person", metavar='"Name <addr>"')
    adds.add_argument(
        "--role", required=True, help="owner, deliverability, compliance, ...; admin, author, approver, ..."
    )
    adds.add_argument("--tenant", metavar="CODE", default="-", help="the client they belong to; - for the operator")
    adds.add_argument("--out", type=Path, required=True, metavar="FILE", help="their new credential file")
    adds.add_argument("--reason", default="Somebody joins")
    acting.add_options(adds)
    adds.add_argument("--json", action="store_true", help="print JSON")
    adds.set_defaults(run=run_add)
    for act, why, what in (
        ("invite", "invitation", "a link with which somebody sets their first password (once, 24 hours)"),
        ("password-link", "reset", "the same for a lost password (once, 30 minutes)"),
    ):
        links_to = acts.add_parser(act, help=what)
        links_to.add_argument("account", metavar="ACCOUNT", help="the account's id, or its person's address")
        links_to.add_argument("--json", action="store_true", help="print JSON")
        links_to.set_defaults(run=run_link, why=why)


def run_add(args: argparse.Namespace, settings: Settings) -> int:
    """The passphrase is made here and printed once; the file is theirs alone from now on."""
    who, words = _mailbox(args.person), credentials.make_passphrase()
    with wiring.control(settings) as connection:
        keys = wiring.control_keys(settings, connection)
        tenant, now = tenant_id(connection, args.tenant), changes.clock(connection)
        index = keys.secrets.blind_index()
        made = owners.enrol(who, words, uuid7(now), uuid7(now), operator=keys.operator, index=index)
        account = made.credential.account
        artefact = owners.grant_artefact(made, args.role)
        proposal = Proposal("grant", f"account-{account.hex}", artefact, args.reason, tenant, account)
        proposed = changes.propose(connection, acting.secret(settings, connection, args), proposal)
        credentials.write(args.out, made.credential)
    shown = (f"{who.name}: {args.out}", f"Their passphrase, shown this once: {words}")
    tell_proposed(proposed, f"{args.role} {who.name}", json_wanted=args.json, more=shown, passphrase=words)
    return 0


def run_link(args: argparse.Namespace, settings: Settings) -> int:
    """Whoever runs this is on the server; the link is shown once and is for that person alone."""
    with wiring.control(settings) as connection:
        index = wiring.control_keys(settings, connection).secrets.blind_index()
        account = accounts.account(connection, index, args.account)
        with wiring.signin(settings) as maker:
            link = links.make(maker, account, args.why)
    address = f"{settings.public_url}{link.path}"
    text = (f"The link, shown this once: {address}", f"It serves once, until {link.expires:%Y-%m-%d %H:%M %Z}.")
    show({"account": account, "link": address, "expires": link.expires}, json_wanted=args.json, text=text)
    return 0


def _mailbox(text: str) -> Mailbox:
    try:
        return parse_mailbox(text)
    except AddressError as wrong:
        raise CommandError(f"{text!r}: {wrong.hint}") from wrong
