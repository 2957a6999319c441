"""Around the house: a first run's two owners: each with factors of their own; the second signs the genesis."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from troth.cli import names, wiring
from troth.cli.commands import init
from troth.cli.first_run.asking import Unfit, ask, ask_secret, say, title, yes
from troth.control.approvals import changes
from troth.control.approvals.changes import STATES
from troth.control.audit import scope
from troth.control.audit.refusals import Refused
from troth.control.people import credentials, sessions
from troth.control.people.credentials import LEAST_PASSPHRASE, BadCredential, Credential
from troth.mail.address import AddressError
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.settings import Settings


@dataclass(slots=True)
class Owner:
    """One of the two; their session is opened when it is first needed, and asked for if their factors are not known."""

    name: str
    file: Path
    passphrase: str | None = field(default=None, repr=False)
    _secret: bytes | None = field(default=None, repr=False)

    def session(self, connection: scope.Connection) -> bytes:
        while self._secret is None:
            credential = self._credential()
            words = self.passphrase or ask_secret(f"Passphrase of {self.name} (not shown)", str)
            try:
                self._secret = sessions.open_session(connection, credential, words).secret
            except Refused as wrong:
                say(f"  {wrong}")
                self.passphrase = None
        return self._secret

    def _credential(self) -> Credential:
        def check(given: str) -> Credential:
            try:
                return credentials.read(Path(given).expanduser())
            except BadCredential as bad:
                raise Unfit(str(bad)) from None

        if self.file.exists():
            return credentials.read(self.file)
        return ask(f"Credential file of {self.name}", check)


def enrol(settings: Settings, connection: scope.Connection, out: Path) -> tuple[Owner, Owner]:
    """The two owners, made now or earlier."""
    title("3. Two owners")
    there = names.owners(connection, wiring.control_keys(settings, connection))
    if there:
        say(f"Enrolled already: {', '.join(there)}.")
        return _two([Owner(name, out / f"owner-{n}.credential") for n, name in enumerate(there[:2], 1)])
    say("Everything that rules sending is proposed by one person and approved by another: it begins with two people.",
        "Each gets a credential file, which with their passphrase opens a session.")  # fmt: skip
    people: list[init.Owner] = []
    for n in (1, 2):
        people.append(_ask_owner(connection, n, out, [owner.who for owner in people]))
    with uninterrupted():
        init.genesis(settings, connection, tuple(people))
    for owner in people:
        say(f"{owner.who.name}: {owner.file} (hand it over; nobody may hold both)")
    return _two([Owner(owner.who.name, owner.file, owner.passphrase) for owner in people])


def _two(found: list[Owner]) -> tuple[Owner, Owner]:
    first, second = found
    return first, second


def _ask_owner(connection: scope.Connection, n: int, out: Path, others: list[Mailbox]) -> init.Owner:
    which = ("first", "second")[n - 1]
    name = ask(f"Name of the {which} owner", _name)
    who = ask(f"Mail address of {name}", _mailbox(name, others))
    file = _file(connection, out / f"owner-{n}.credential")
    words = _ask_passphrase(name)
    if words:
        return init.Owner(who, file, words, made=False)
    words = credentials.make_passphrase()  # told before it is enrolled: a run that stops in between loses nothing
    say(f"  Passphrase of {name}, shown this once: {words}")
    return init.Owner(who, file, words, made=True)


def _name(given: str) -> str:
    try:
        found = parse_mailbox(f"{_quoted(given)} <a@example.com>").name
    except AddressError as wrong:
        raise Unfit(wrong.hint) from None
    if not found.strip():
        raise Unfit("Give the person's name, such as Jo Doe.")
    return found


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mailbox(name: str, others: list[Mailbox]) -> Callable[[str], Mailbox]:
    def check(given: str) -> Mailbox:
        try:
            who = parse_mailbox(f"{_quoted(name)} <{given}>")
        except AddressError as wrong:
            raise Unfit(wrong.hint) from None
        if any(who.address.normal == other.address.normal for other in others):
            raise Unfit("The two owners need two addresses: they are two people.")
        return who

    return check


def _ask_passphrase(name: str) -> str:
    """Empty: one is to be made."""

    def check(given: str) -> str:
        if given and len(given) < LEAST_PASSPHRASE:
            raise Unfit(f"A passphrase has at least {LEAST_PASSPHRASE} characters: take several words.")
        return given

    while True:
        words = ask_secret(f"Passphrase of {name} (not shown; Enter alone makes one)", check)
        if not words or ask_secret("The same once more", str) == words:
            return words
        say("  The two differ: type it again.")


def _file(connection: scope.Connection, path: Path) -> Path:
    """A place for a new credential file: what a stopped run left there opens nothing and goes."""
    if not path.exists():
        return path
    try:
        left = credentials.read(path)
    except BadCredential:
        left = None
    if left and not init.enrolled_already(connection, left.account):
        say(f"  {path} was left by a run that was stopped; it opens nothing and is replaced.")
        path.unlink()
        return path
    say(f"  {path} is there already and is not replaced.")
    return ask("Another name for the new credential file", _new_file)


def _new_file(given: str) -> Path:
    path = Path(given).expanduser()
    if not given or path.exists() or not path.absolute().parent.is_dir():
        raise Unfit("Name a file that is not there yet, in a folder that is.")
    return path


def sign(connection: scope.Connection, second: Owner) -> bool:
    """Have the genesis entry signed; False when the second owner is not here to do it."""
    change = next(each for each in changes.listed(connection, None, all_states=True) if each.kind == "genesis")
    if STATES[change.state] == "approved":
        say("Both owners have signed the genesis entry.")
        return True
    say("", f"{second.name} signs that the two of you begin this installation:")
    say(f"  digest {change.digest.hex()}")
    if not yes(f"Is {second.name} here and signs it", default=None):
        signs = f"  troth change approve {change.id} --digest {change.digest.hex()}"
        say("Nothing else can be approved until then. They sign with:", f"{signs} --credential '{second.file}'")
        return False
    changes.approve(connection, second.session(connection), change, change.digest)
    say("Signed.")
    return True


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until what is begun is done."""
    asked = False

    def later(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, later)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
