"""The demo's story, act by act: what is sent when, what people do meanwhile, and when the clock moves."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from troth.cli import wiring
from troth.cli.demo import bombs, by_mail
from troth.cli.demo.asks import Ask
from troth.cli.demo.building import Builder, House
from troth.cli.demo.clock import Clock
from troth.cli.demo.inbox import Inbox
from troth.cli.demo.outcome import Outcome, read
from troth.cli.demo.returning import Strangers
from troth.cli.demo.staff import Desk
from troth.cli.demo.web import Program, Reply, one_click
from troth.cli.demo.zone import Zone
from troth.control.audit import scope
from troth.control.audit.scope import Connection
from troth.control.tenants import pauses
from troth.control.tenants.pauses import Stop
from troth.keys.api_keys import make_key

_PATIENCE = 30.0  # seconds for what must happen next
_REVIEW = 60  # minutes until somebody is to have looked
_RAISE = """
SELECT anomaly_raise_v1(%s, 'volume', 'stop-new', %s, g.recent + g.since,
                        coalesce((SELECT sum(n) FROM unnest(g.previous) n), 0)::bigint,
                        coalesce(g.percent, 150), coalesce(g.floor, 0), %s)
FROM volume_gauge g WHERE g.tenant_id = %s
"""  # as the client's mail is counted; the story has no week behind it, so the watch itself would find nothing
_PAUSE = "SELECT pause_id FROM anomaly WHERE tenant_id = %s ORDER BY at DESC LIMIT 1"
_DMARC = "_dmarc.site.corbelbrothers.test"


@dataclass(slots=True)
class Story:
    """`houses` by programme; `programs` by (programme, key); `outcomes` by row, filled as the story goes on."""

    asks: dict[str, Ask]
    houses: dict[str, House]
    builder: Builder
    zone: Zone
    clock: Clock
    inbox: Inbox
    door: str
    threads: Executor
    say: Callable[[str], None]
    connection: Connection
    strangers: Strangers
    trust: Path | None = None
    replies: dict[str, Reply] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def tell(self) -> dict[str, Outcome]:
        """All acts; gives what became of each row."""
        self.today()
        self.comes_back()
        self.stopped()
        self.first_hour()
        self.seventh_hour()
        self.second_day()
        self.looked_back()
        self.look(self.asks)
        return self.outcomes

    # ---- the acts

    def today(self) -> None:
        """Everything that is asked for at once, and what people do about it."""
        self.say("Mail is asked for: good, bad, for now and for later.")
        list(self.threads.map(self.send, [a for a in self._of("first") if a.id != "once-only-again"]))
        self.send_batch([*self._of("batch")])
        self._main("property").ask("POST", f"/emails/{self._email('withdrawn')}/cancel", b"{}")
        later = json.dumps({"scheduled_at": "in 30 min"}).encode()
        self._main("property").ask("PATCH", f"/emails/{self._email('moved')}", later)
        sent, bounced = ("leaves-rent", "leaves-by-mail", "count"), ("no-such-box", "policy-says-no")
        self.until(sent=sent, bounced=bounced, held=("bomb",))
        self.say("Two readers unsubscribe, one by a click and one by mail; a key and a template are stopped.")
        letter = self.outcomes["leaves-rent"]
        one_click(self.inbox.unsubscribe(letter.recipient, letter.message_hex), self.trust)
        self.leave_by_mail(self.outcomes["leaves-by-mail"])
        site, shop = self.houses["construction"], self.houses["retail"]
        self._desk(site).revoke(site.versions["api-key", "stopped"].snapshot, "The laptop with this key was stolen")
        self._desk(shop).revoke(shop.versions["template", "stock-audit"].snapshot, "It makes mail of no end")
        bombs.propose_waiting(self._desk(site))
        for ask in self._of("second"):
            self.send(ask)
        self.until(
            sent=("rent", "visit", "household", "certificate", "keeps-visits", "once-only", "rfi", "change", "order",
                  "site-notice", "two-an-hour-1", "two-an-hour-2", "stock", "batch-1", "batch-2", "twice-named"),
            deferred=("box-full", "box-full-twice", "greylisted"),
            bounced=("policy-says-no-again",),
            failed=("too-slow",),
        )  # fmt: skip
        self.say("A receiver takes a message and drops the line before it says so.")
        self.send(self.asks["dropped"])
        self.until(sent=("dropped",))

    def comes_back(self) -> None:
        """Two receivers took a message and tell later that they cannot deliver it; two people write to us."""
        self.say("It comes back: two notifications of mail that was taken, a report of abuse, one of a weakness.")
        rows = self.outcomes
        self.strangers.not_delivered(rows["household/2"], "5.1.1", "550 5.1.1 There is no such mailbox here")
        self.strangers.not_delivered(rows["household/3"], "5.2.2", "552 5.2.2 The mailbox is full")
        self.strangers.report(rows["certificate"], self.connection)
        self.until_rows({"household/2": "bounced", "household/3": "deferred"})

    def looked_back(self) -> None:
        """A reader pressed "this is spam", and somebody says so in a provider's name; receivers report of their day."""
        self.say("A feedback loop tells of a complaint; a forged one is kept aside; receivers report of the first day.")
        self.strangers.complain(self.outcomes["batch-1"])
        self.strangers.complain(self.outcomes["stock"], signed=False)
        self.strangers.look_back(self.connection)
        self.until_rows({"batch-1": "complained"})

    def stopped(self) -> None:
        """An anomaly holds one firm's new mail; an operator stops another firm; two people release."""
        self.say("Sending is stopped: at one firm by an unusual volume, at another by an operator.")
        home, shop = self.houses["property"], self.houses["retail"]
        unusual = self._unusual(home, "The volume passed 150 % of its mean")
        owner = self.builder.owners[0].session(self.connection)
        pauses.start(self.connection, owner, Stop(shop.id, "stop-delivery", "The firm called: wait with our mail"))
        for ask in self._of("paused"):
            self.send(ask)
        self.until(held=("unusual-released", "unusual-kept"))
        self.release(home, unusual, "Somebody has looked: it is rent week")
        self.release(home, UUID(self.outcomes["unusual-released"].message_hex), "Looked at, and meant")
        self.until(sent=("unusual-released",))
        if not self.strangers.await_answers(_PATIENCE):
            self.say(f"Those who wrote to us have no answer after {_PATIENCE:g} s.")

    def first_hour(self) -> None:
        """An hour on: scheduled mail is due, retries are, too; what lay behind the pause is held or too old."""
        self.say("The clock moves on by an hour: schedules and first retries are due.")
        self.clock.move_to(timedelta(minutes=62))
        self.until(sent=("scheduled", "moved", "greylisted"), expired=("stale",), held=("waits-for-release",))
        self.until_deferred(2, "box-full", "box-full-twice")
        shop = self.houses["retail"]
        for pause in pauses.active(self.connection, shop.id):
            self.release(shop, pause.id, "The firm called again: go on")

    def seventh_hour(self) -> None:
        """Six hours on: a DMARC record is away and comes back; second retries are due."""
        self.say("Six hours more; a firm has lost its DMARC record.")
        record = self.zone.at(_DMARC, "TXT")
        self.zone.publish(_DMARC, "TXT")
        self.clock.move_to(timedelta(hours=6, minutes=50))
        self.clock.await_domain_checks()
        self.send(self.asks["domain-unready"])
        self.zone.publish(_DMARC, "TXT", *record)
        self.clock.move_to(timedelta(hours=7, minutes=10))
        self.clock.await_domain_checks()
        self.send(self.asks["domain-ready-again"])
        self.until(sent=("box-full-twice", "waits-for-release", "domain-ready-again"))
        self.until_deferred(3, "box-full")

    def second_day(self) -> None:
        """The last retry is due, 43 hours after the first try."""
        self.say("A day and a half more: the last retry of a mailbox that stays full.")
        self.clock.move_to(timedelta(hours=43))
        self.clock.await_domain_checks()
        self.clock.move_to(timedelta(hours=43, minutes=15))
        self.until(bounced=("box-full",))
        self.send(self.asks["box-full-again"])

    # ---- what the acts are made of

    def send(self, ask: Ask) -> None:
        """One request by the firm's program."""
        program = self._program(ask)
        self.replies[ask.id] = program.ask("POST", "/emails", ask.octets, idempotency=ask.idempotency)

    def send_batch(self, asked: list[Ask]) -> None:
        body = json.dumps([ask.body for ask in asked], ensure_ascii=False).encode()
        reply = self._program(asked[0]).ask("POST", "/emails/batch", body)
        given = reply.body.get("data", []) if isinstance(reply.body, dict) else []
        for n, ask in enumerate(asked):
            self.replies[ask.id] = Reply(reply.status, given[n] if n < len(given) else reply.body)

    def leave_by_mail(self, letter: Outcome) -> None:
        """As the reader's mail program does: a mail to List-Unsubscribe's address, by way of its domain's MX."""
        address = self.inbox.unsubscribe(letter.recipient, letter.message_hex, by_mail=True)
        by_mail.leave(self.builder.layout.settings, letter.recipient, address)

    def release(self, house: House, subject: UUID, why: str) -> None:
        """A pause or a held message let go, by two people of the operator."""
        Desk(self.connection, *self.builder.owners, house.id).govern("release", str(subject), {}, why, subject)

    def _unusual(self, house: House, why: str) -> UUID:
        """As the watch stops a firm, by its own function and with the river's own role; the pause."""
        with scope.connect(wiring.conninfo(self.builder.layout.settings, "flow"), "watch") as river:
            river.execute(_RAISE, (house.id, _REVIEW, why, house.id))
            found = river.execute(_PAUSE, (house.id,)).fetchone()
        assert found is not None
        pause: UUID = found[0]
        return pause

    def until(self, **wanted: Iterable[str]) -> None:
        """Wait until every message of these asks is in its state, which is the parameter's name."""
        states = {ask: state for state, ids in wanted.items() for ask in ids}
        self._wait(states, lambda row, outcome: outcome.state == states[row.partition("/")[0]])

    def until_deferred(self, times: int, *ids: str) -> None:
        """Wait until each has been put off so often."""
        self._wait(ids, lambda _row, outcome: outcome.happened.count("deferred") >= times)

    def until_rows(self, wanted: Mapping[str, str]) -> None:
        """Wait until these messages alone, of their asks, have had the event, or have the state, that is named."""
        ids = {row.partition("/")[0] for row in wanted}
        self._wait(ids, lambda row, found: wanted.get(row, found.state) in (found.state, *found.happened))

    def look(self, ids: Iterable[str]) -> None:
        """Read what became of these asks."""
        for found in self.threads.map(self._read, ids):
            self.outcomes |= found

    def _wait(self, ids: Iterable[str], done: Callable[[str, Outcome], bool]) -> None:
        """Until all are done; what is not in time shows in the end as a difference, and the story goes on."""
        left, until = set(ids), time.monotonic() + _PATIENCE
        while left and time.monotonic() < until:
            self.look(left)
            left = {a for a in left if not all(done(row, self.outcomes[row]) for row in self.asks[a].rows)}
            if left:
                time.sleep(0.03)
        if left:
            self.say(f"Not as expected after {_PATIENCE:g} s: {', '.join(sorted(left))}.")

    def _read(self, name: str) -> dict[str, Outcome]:
        return read(self.asks[name], self.replies.get(name), self._main(self.asks[name].firm))

    def _of(self, act: str) -> list[Ask]:
        return [ask for ask in self.asks.values() if ask.when == act]

    def _email(self, name: str) -> str:
        return str(self.replies[name].body.get("id", "none"))

    def _program(self, ask: Ask) -> Program:
        keys = self.houses[ask.firm].keys
        return Program(self.door, keys.get(ask.key) or make_key("a").text)

    def _main(self, firm: str) -> Program:
        return Program(self.door, self.houses[firm].keys["main"])

    def _desk(self, house: House) -> Desk:
        return Desk(self.connection, house.author, house.approver, house.id)
