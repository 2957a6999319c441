"""The composition root's show: `troth demo`: the whole platform on one machine, real mail through every stage."""

import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import TextIO

from troth.cli import wiring
from troth.cli.claims_watch import watching
from troth.cli.commands import up
from troth.cli.demo import attesting, bombs, confirming, expected, layout, packs, report, returning, signing_in, waiting
from troth.cli.demo.asks import Ask, asks
from troth.cli.demo.building import Builder, House
from troth.cli.demo.clock import Clock
from troth.cli.demo.firms import cast
from troth.cli.demo.inbox import Inbox
from troth.cli.demo.layout import HOST, Layout
from troth.cli.demo.report import Seen
from troth.cli.demo.returning import Strangers
from troth.cli.demo.staff import Desk
from troth.cli.demo.story import Story
from troth.cli.demo.web import Browser, Program, listens
from troth.cli.demo.zone import Zone
from troth.cli.supervise import Child, Supervisor, Unit
from troth.cli.words import CommandError, show, table
from troth.settings import Settings

_THREADS = 8
_INTERRUPTED = 130


def run(given: Settings, *, once: bool) -> int:
    """0 when everything came as expected (and, without `once`, when the serving was ended)."""
    with ExitStack() as held:
        placed = layout.lay_out(given, held)
        placed.folder.mkdir(parents=True, exist_ok=True)
        _become(layout.environment(placed, os.environ))
        log = held.enter_context(placed.log.open("a", encoding="utf-8"))
        return _supervised(placed, log, once=once)


def codes(given: Settings) -> None:
    """Who may sign in to the demo of this folder, and what each one's authenticator app shows now."""
    file = given.var_dir / "demo" / "credentials" / "pages.json"
    if not file.exists():
        raise CommandError("There is no demo here yet: `troth demo` (or `make run`) makes one.")
    head = ("of", "role", "name", "address", "password", "code now")
    show(None, json_wanted=False, text=table(head, list(signing_in.codes(file))))


def pack(name: str) -> None:
    """A pack's artefact as JSON, for `troth change propose template --artefact`; CommandError where there is none."""
    known = packs.names()
    if name not in known:
        raise CommandError(f"There is no pack {name!r}; there are: {', '.join(known)}.")
    print(json.dumps(packs.template(name)[1], ensure_ascii=False, indent=2))


def _supervised(placed: Layout, log: TextIO, *, once: bool) -> int:
    status = _INTERRUPTED
    with Supervisor(placed.folder, log) as kept:
        log.truncate(0)
        layout.clear(placed)
        demo = Demo(placed, kept)
        try:
            status = demo.show()
        finally:
            demo.close()
        if not once:
            try:
                demo.serve()
            finally:
                print("\nIt ends: each process finishes what it holds.", flush=True)
    return status


def _become(environment: dict[str, str]) -> None:
    """This process's environment, which every child has from it."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


@dataclass(slots=True)
class Demo:
    """One run, under a supervisor."""

    layout: Layout
    supervisor: Supervisor
    zone: Zone = field(init=False)
    inbox: Inbox = field(init=False)
    began: float = field(default_factory=time.monotonic)
    own: str = ""
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "demo"))

    def __post_init__(self) -> None:
        self.zone, self.inbox = Zone(self.layout.zone), Inbox.at(self.layout.maildir)

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.began:5.1f} s] {line}", flush=True)

    def close(self) -> None:
        self.inbox.over.set()
        self.threads.shutdown(wait=False, cancel_futures=True)

    def show(self) -> int:
        """The whole of it; 0 when all came as expected."""
        asked = asks()
        builder = self.stand_up(asked)
        try:
            houses = self.build(builder)
            self.confirm(asked, houses)
            self.work(houses, builder, self.open_pages(builder))
            seen = self.tell(asked, houses, builder)
        finally:
            builder.close()
        return self.report(seen)

    def stand_up(self, asked: dict[str, Ask]) -> Builder:
        """The database, the DNS and the mailbox; then the installation with its two owners."""
        self.zone.begin({*(_domain(to) for ask in asked.values() for to in ask.recipients), *cast().mail_domains()})
        self.say("The database, a DNS server and a mailbox are starting.")
        self._all_up([wiring.server(self.layout.settings), *self._neighbours()])
        self.say("`troth init`: two owners, each with credentials of their own, sign the genesis entry.")
        builder = Builder(self.layout, self.zone)
        builder.begin(cast())
        return builder

    def build(self, builder: Builder) -> dict[str, House]:
        """The processes start while the firms are made; the duties come last, when there are domains to look at."""
        children = list(up.children(self.layout.settings))
        starting = [self.threads.submit(self.supervisor.add, child) for child in children if child.name != "duties"]
        self.say("Three programmes and their firms are made: all is proposed by one person, approved by another.")
        programmes = cast().programme
        made = list(self.threads.map(builder.programme, programmes))
        n = attesting.attest(builder.connect("demo evidence"), builder.owners, builder.keys.operator)
        self.say(f"{n} pieces of evidence are handed in by one owner, accepted by the other.")
        self._all_up([child for child in children if child.name == "duties"])
        _ended(starting)
        self.say(f"The platform is up: {len(children)} processes beside the database.")
        return dict(zip((programme.code for programme in programmes), made, strict=True))

    def confirm(self, asked: dict[str, Ask], houses: dict[str, House]) -> None:
        """Each recipient gets a mail and presses its page's button."""
        Clock(self.layout.settings).await_domain_checks()
        people = [*confirming.recipients(asked.values()), *confirming.people(houses)]
        self.say(f"{len(people)} recipients are registered; each gets a confirmation.")
        programs = {code: Program(self.layout.door, house.keys["main"]) for code, house in houses.items()}
        done = confirming.settle(people, programs, self.inbox, self.threads, self.layout.trust)
        self.say(f"{done} of them opened its link and pressed the button.")
        self.layout.manners.touch()

    def open_pages(self, builder: Builder) -> dict[str, Browser]:
        """Everybody with an account sets a password: one with a link by mail, the others with an operator's. Gives
        everybody's browser, by address.
        """
        self.say("Staff and members set their passwords, each with a link that serves once.")
        place, everybody = self.layout, signing_in.everybody(builder)
        with wiring.signin(place.settings) as connection:
            links = signing_in.invitations(connection, everybody[1:], place.settings.public_url)
        signing_in.ask(place.settings.public_url, everybody[0], place.trust)
        done = list(self.threads.map(lambda each: signing_in.settle(each, place.trust), links))
        done.append(signing_in.by_mail(self.inbox, everybody[0], place.trust))
        signing_in.keep(place.passwords, [guest for guest, _ in done])
        return {guest.address: browser for guest, browser in done}

    def work(self, houses: dict[str, House], builder: Builder, browsers: dict[str, Browser]) -> None:
        """What people begin in their pages, and leave for whoever signs in."""
        self.say("A template, a policy and an access review are begun in the pages; they wait for a second person.")
        here, connection = waiting.Office(self.layout.settings.public_url, browsers), builder.connect("demo people")
        waiting.begin(here, houses, connection)

    def tell(self, asked: dict[str, Ask], houses: dict[str, House], builder: Builder) -> Seen:
        """The story, and what of it lies in the mailbox."""
        inbox, connection = self.inbox, builder.connect("demo story")
        house = houses["construction"]
        refusals = list(bombs.propose_all(Desk(connection, house.author, house.approver, house.id), "rfi"))
        strangers = Strangers(self.layout.settings, self.zone, inbox)
        story = Story(
            asked, houses, builder, self.zone, Clock(self.layout.settings), inbox, self.layout.door, self.threads,
            self.say, connection, strangers, self.layout.trust,
        )  # fmt: skip
        outcomes = story.tell()
        self.own = report.own_mail(self.layout.door, houses["property"].keys["main"], asked["rent"].body)
        copies = {row: len(inbox.copies(each.recipient, each.message_hex)) for row, each in outcomes.items()}
        return Seen(outcomes, copies, refusals, waiting.left(houses, connection), returning.came(strangers))

    def report(self, seen: Seen) -> int:
        """The tables, the differences, and where to look."""
        wanted, wanted_bombs = expected.expected(), expected.bombs()
        wrong = report.differences(wanted, wanted_bombs, expected.waits(), seen)
        wrong += report.not_come(expected.came(), seen.came)
        print("", *report.lines(wanted, seen), "", sep="\n")
        for difference in wrong:
            print(f"DIFFERENT  {difference}")
        count = f"{len(seen.outcomes)} messages and {len(seen.refusals)} templates"
        self.say(f"{count}: {'all' if not wrong else 'not all'} as expectations.toml says.")
        print(
            "",
            f"What came           {self.layout.maildir}",
            f"The processes' log  {self.layout.log}",
            "Ask it yourself     with verify, claims check or doctor after these words:",
            f"                    .venv/bin/troth --config {shlex.quote(str(self.layout.config))}",
            sep="\n",
            flush=True,
        )
        return 1 if wrong else 0

    def serve(self) -> None:
        """Until SIGINT or SIGTERM."""
        place = self.layout
        print(
            f"The sending door    {place.door}  (POST /emails, in the shape of Resend's API)",
            f"The pages           {place.settings.public_url}  (certificate authority: {place.trust})",
            f"The trust centre    {place.settings.public_url}/trust",
            *signing_in.told(place.passwords),
            f"The mailbox         {place.mailbox_page}",
            f"The metrics         http://{place.settings.metrics_host}:{place.settings.metrics_port}/metrics",
            "Its clock           stands days ahead of yours, where its story needed it; the mailbox goes by yours",
            "",
            "Send one yourself, and look into the mailbox (the key is this demo's alone):",
            "",
            self.own,
            "",
            "It keeps serving; Ctrl-C ends it.",
            sep="\n",
            flush=True,
        )
        with watching(lambda line: self.supervisor.say("claims", line)):
            self.supervisor.wait()

    def _neighbours(self) -> Iterator[Child]:
        """What is not ours in real life: the DNS, and the next hop."""
        place, python = self.layout, sys.executable
        (resolver,) = place.settings.dns_resolvers
        yield Child("dns", (python, "-m", "troth.cli.demo.names", str(place.zone), str(resolver.port)),
                    ready=listens(HOST, resolver.port))  # fmt: skip
        told = {
            "dir": place.maildir, "tls-dir": place.tls, "manners": place.manners, "password-file": place.password,
            "smtp-port": place.settings.relay_port, "http-port": place.mailbox_port, "user": layout.USER,
        }  # fmt: skip
        words = chain.from_iterable((f"--{name}", str(value)) for name, value in told.items())
        yield Child("mailbox", (python, "-m", "troth.cli.demo.sink", *words),
                    ready=listens(HOST, place.mailbox_port))  # fmt: skip

    def _all_up(self, units: Sequence[Unit | Child]) -> None:
        _ended([self.threads.submit(self.supervisor.add, unit) for unit in units])


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _ended(futures: "list[Future[None]]") -> None:
    for future in futures:
        future.result()
