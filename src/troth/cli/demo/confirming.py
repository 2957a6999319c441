"""The demo's recipients: registered by their firms, confirmed as people do it: the mail, its link, the button."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from troth.cli.demo.asks import Ask
from troth.cli.demo.building import House
from troth.cli.demo.inbox import Inbox
from troth.cli.demo.web import Browser, Program
from troth.cli.words import CommandError

_PATIENCE = 30.0  # seconds for the mail to come


class NotConfirmed(CommandError):  # noqa: N818 - reads as the sentence it raises
    """A recipient could not be registered or confirmed; the demo cannot go on without."""


@dataclass(frozen=True, slots=True)
class Recipient:
    firm: str
    address: str
    confirms: bool


def people(houses: Mapping[str, House]) -> list[Recipient]:
    """The firms' own, to whom the pages send tests of what they write."""
    return [
        Recipient(firm, person.address, confirms=True)
        for firm, house in houses.items()
        for person in (house.author.person, house.approver.person, *(one.person for one in house.colleagues))
    ]


def recipients(asked: Iterable[Ask]) -> list[Recipient]:
    """Each firm's recipients, once; those that nobody registers are left out."""
    found: dict[tuple[str, str], Recipient] = {}
    for ask in asked:
        if ask.confirms != "never":
            for address in ask.recipients:
                found.setdefault((ask.firm, address), Recipient(ask.firm, address, bool(ask.confirms)))
    return list(found.values())


def settle(
    people: list[Recipient], programs: dict[str, Program], inbox: Inbox, threads: Executor, trust: Path | None = None
) -> int:
    """Register all at once, then each goes its way; gives how many confirmed."""

    def one(person: Recipient) -> bool:
        register(programs[person.firm], person.address)
        if person.confirms:
            confirm(inbox, person.address, trust)
        return person.confirms

    return sum(threads.map(one, people))


def register(program: Program, address: str) -> None:
    """POST /recipients."""
    reply = program.ask("POST", "/recipients", json.dumps({"email": address}).encode())
    if reply.status not in (200, 201):
        raise NotConfirmed(f"A recipient was not registered: {reply.status} {reply.body}")


def confirm(inbox: Inbox, address: str, trust: Path | None = None) -> None:
    """Wait for the mail, open the link, press the button."""
    try:
        link = inbox.await_link(address, _PATIENCE)
    except TimeoutError as late:
        raise NotConfirmed(str(late)) from late
    browser = Browser(trust)
    shown = browser.open(link)
    if shown.status != 200:
        raise NotConfirmed(f"The confirmation's page answers {shown.status}.")
    pressed = browser.press(code=inbox.code(address)) if 'name="code"' in shown.body else browser.press()
    if pressed.status != 200:
        raise NotConfirmed(f"The confirmation's button answers {pressed.status}.")
