"""The demo's people before the pages: each sets a password as people do, with a link that serves once, and takes
up an authenticator app.
"""

import base64
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from troth.cli.demo.building import Builder
from troth.cli.demo.firms import Person
from troth.cli.demo.inbox import Inbox
from troth.cli.demo.web import Browser
from troth.cli.words import CommandError
from troth.control.audit.scope import Connection
from troth.control.people import credentials, links

_spelled_re = re.compile(r"<code>([A-Z2-7 ]{32,60})</code>")
_OPERATOR = "operator"
_PATIENCE = 30.0  # seconds for the mail to come


class NotLetIn(CommandError):  # noqa: N818 - reads as the sentence it raises
    """Somebody could not set a password."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody with an account, and the password that they will have. `link` is an operator's, where it has one;
    `secret`: what their authenticator app knows.
    """

    account: UUID
    name: str
    address: str
    where: str
    role: str
    password: str = field(repr=False, default_factory=credentials.make_passphrase)
    link: str = field(repr=False, default="")
    secret: str = field(repr=False, default="")


def everybody(builder: Builder) -> list[Guest]:
    """The owners first, then the rest of the staff and each firm's people."""
    found = [_guest(who.credential.account, who.person, "owner", _OPERATOR) for who in builder.owners]
    found += [_guest(who.account, who.person, who.person.role, _OPERATOR) for who in builder.staff]
    for house in builder.firms:
        two = ((house.author, "admin"), (house.approver, "approver"))
        found += [_guest(who.credential.account, who.person, role, house.tenant.name) for who, role in two]
        found += [_guest(who.account, who.person, who.person.role, house.tenant.name) for who in house.colleagues]
    return found


def _guest(account: UUID, person: Person, role: str, where: str) -> Guest:
    return Guest(account, person.name, person.address, where, role)


def invitations(connection: Connection, guests: Iterable[Guest], url: str) -> list[Guest]:
    """As `troth person invite` makes them."""
    return [replace(g, link=f"{url}{links.make(connection, g.account, 'invitation').path}") for g in guests]


def ask(url: str, guest: Guest, trust: Path) -> None:
    """The page for a lost password: the answer is the same for everybody."""
    browser = Browser(trust)
    browser.open(f"{url}/password")
    asked = browser.press(email=guest.address)
    if asked.status != 200:
        raise NotLetIn(f"The page for a lost password answers {asked.status}.")


def by_mail(inbox: Inbox, guest: Guest, trust: Path) -> tuple[Guest, Browser]:
    try:
        link = inbox.await_link(guest.address, _PATIENCE)
    except TimeoutError as late:
        raise NotLetIn("The mail with a link to set a password did not come.") from late
    return settle(replace(guest, link=link), trust)


def settle(guest: Guest, trust: Path) -> tuple[Guest, Browser]:
    """Open the link, type the password twice, press the button; then sign in and take up an authenticator app. Gives
    the browser, too, in which they are signed in.
    """
    browser = Browser(trust)
    shown = browser.open(guest.link)
    done = browser.press(password=guest.password, again=guest.password) if shown.status == 200 else shown
    if done.status != 200 or "is set" not in str(done.body):
        raise NotLetIn(f"A password was not set: the page answers {done.status}.")
    here = "{0.scheme}://{0.netloc}".format(urlsplit(guest.link))
    browser.open(f"{here}/sign-in")
    browser.press("/sign-in", login=guest.address, password=guest.password)
    return replace(guest, secret=_app(browser, f"{here}/account/factors/app")), browser


def _app(browser: Browser, url: str) -> str:
    """The key that the page spells out, typed into an app, and the app's first code typed back."""
    page = browser.open(url)
    spelled = _spelled_re.search(str(page.body))
    if page.status != 200 or spelled is None:
        raise NotLetIn(f"The page of an authenticator app answers {page.status}.")
    secret = spelled[1].replace(" ", "")
    done = browser.press("/account/factors/app", code=code(secret))
    if done.status >= 400 or "recovery" not in str(done.body).lower():
        raise NotLetIn(f"An authenticator app was not taken up: the page answers {done.status}.")
    return secret


def code(secret: str) -> str:
    """What the app shows now (RFC 6238, of the time of day: apps know no demo's clock)."""
    # RFC 6238 as every app has it; 20 octets, so that nothing is too short for SHA-1's HMAC
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time())).decode()  # noqa: S303 - see above


def keep(file: Path, guests: Iterable[Guest]) -> None:
    """For whoever runs the demo: names, passwords and what the apps know, this demo's alone."""
    names = ("name", "address", "where", "role", "password", "secret")
    known = [{name: getattr(guest, name) for name in names} for guest in guests]
    known.sort(key=lambda one: one["where"] != _OPERATOR)
    credentials.write_private(file, json.dumps(known, indent=2).encode())


def told(file: Path) -> Iterator[str]:
    """One of the operator's and one of each firm, to sign in with; the file has all."""
    seen: set[str] = set()
    for one in json.loads(credentials.read_private(file)):
        if one["where"] not in seen:
            seen.add(one["where"])
            yield f"  sign in            {one['address']}  {one['password']}  ({one['role']}, {one['where']})"
    yield "  the second factor  .venv/bin/troth demo codes   (everybody's, with their passwords)"


def codes(file: Path) -> Iterator[tuple[str, ...]]:
    """Everybody with role, address, password and the code that their app shows now."""
    for one in json.loads(credentials.read_private(file)):
        yield one["where"], one["role"], one["name"], one["address"], one["password"], code(one["secret"])
