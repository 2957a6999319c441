"""Whatever happens to a waiting message, in whatever order, the mark lets it through only when a small model says it may.

The model below knows nothing of the code: it keeps what was done and asks it anew after each step. So does the count of the
windows to come: what is counted there is what will go there.
"""

import random
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.flow.gate.test_accept import email, gate
from tests.flow.gate.test_consent import SEALED, Newsroom, ask
from tests.flow.gate.test_overrides import suppress
from tests.flow.gate.test_quiet_hours import ready
from tests.support.firm import TEMPLATE, now
from tests.support.marking import asked_to_mark

from troth.flow.gate import limits
from troth.flow.gate.asks import Refused, Taken
from troth.flow.gate.recall import Recall
from troth.keys.ids import uuid7
from troth.rules.mark import MarkVerdict

__all__ = ["gate"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIFE = timedelta(hours=30)
NIGHT = range(6)  # UTC hours in which nothing is sent
BEGINNING = datetime(2027, 1, 10, 12, 30, tzinfo=UTC)
EXPRESS, IMPLIED, WITHDRAWN = 1, 2, 3
STEPS, SEQUENCES = 14, 8


@dataclass
class Model:
    """What was done to one message and its recipient."""

    now: datetime
    live: bool = True
    asked: datetime = BEGINNING
    ends: datetime = BEGINNING
    hour: datetime = BEGINNING  # in which it is counted
    words: list[tuple[int, bool, datetime, datetime | None]] = field(default_factory=list)  # kind, all, at, until
    entries: list[int] = field(default_factory=list)  # reasons, in their order
    overrides: list[tuple[int, datetime]] = field(default_factory=list)  # how many entries it saw, until when
    paused: bool = False

    def consent(self, at: datetime) -> tuple[str, datetime | None]:
        """The word of rules and law: a withdrawal ends what was before it; a relationship never comes back."""
        back = [(w_all, when) for kind, w_all, when, _ in self.words if kind == WITHDRAWN]
        good: list[datetime | None] = []
        for kind, for_all, when, until in self.words:
            if kind == WITHDRAWN or when > at or (until is not None and until <= at):
                continue
            undone = [w for w in back if kind == IMPLIED or when <= w[1] or (for_all and not w[0])]
            if not undone:
                good.append(until)
        if good:
            return "held", None if None in good else max(g for g in good if g is not None)
        return ("withdrawn" if back else "none"), None

    @property
    def goes(self) -> datetime:
        night = self.asked.hour in NIGHT
        return self.asked.replace(hour=6, minute=0, second=0, microsecond=0) if night else self.asked

    @property
    def due(self) -> datetime:
        return min(self.goes, self.ends)

    def place(self, at: datetime) -> None:
        """It gets this time, for the first time or anew."""
        self.asked, self.hour = at, at
        self.ends = at + LIFE
        state, until = self.consent(at)
        if state == "held" and until is not None:
            self.ends = min(self.ends, until)
        self.hour = self.goes.replace(minute=0, second=0, microsecond=0)

    def suppressed(self) -> bool:
        holding = [n for n, until in self.overrides if until > self.now]
        return any(r in (2, 3, 4) or not any(i < n for n in holding) for i, r in enumerate(self.entries))

    def may(self) -> bool:
        return (
            self.live and self.due <= self.now < self.ends and self.consent(self.now)[0] == "held"
            and not self.suppressed() and not self.paused
        )  # fmt: skip


@pytest.fixture
def room(operator, firm):
    """Mail that is sent on consent, with a life of 30 hours and nights in which nothing goes."""
    operator.admin.execute("UPDATE session SET expires_at = '2100-01-01'")
    policy = {
        "quiet": {"hours": [f"{h:02}" for h in NIGHT]},
        "delivery": {"lifetime_minutes": LIFE // timedelta(minutes=1)},
    }
    category = operator.govern("category", firm.tenant, "news", {
        "name": "News", "purpose": "What is new", "legal_class": "relationship", "lawful_basis": "consent", "raw": True,
        "sender": {"name": "Firm", "address": f"rent@{firm.name}"}, "policy": policy})  # fmt: skip
    operator.govern("template", firm.tenant, "newsletter", TEMPLATE | {"category": "news"})
    text = {"name": "all", "prefix": "troth_a_test", "hash": firm.key_hash.hex()[::-1], "policy": {},
            "expires_at": (now() + 80 * DAY).replace(microsecond=0).isoformat()}  # fmt: skip
    operator.govern("api-key", firm.tenant, "all", text)
    firm.key_hash = bytes.fromhex(text["hash"])
    return Newsroom(operator, firm, category, firm.key_hash)


@dataclass
class Story:
    """One message's sequence, done to the database and to the model alike."""

    gate: object
    room: Newsroom
    dice: random.Random
    address: str
    model: Model
    id: object = None
    subject: object = field(default_factory=lambda: uuid7(now()))  # of the override

    @property
    def operator(self):
        return self.room.operator

    def clock(self, at):
        self.model.now = at
        self.operator.admin.execute("UPDATE installation SET clock_offset = %s - clock_timestamp()", (at,))
        ready(self.operator)

    def say(self, kind, basis, for_all, until=None):
        """A word for the ledger of consent, an hour old where it is consent, of this very moment where it is none."""
        at = self.model.now - HOUR if kind == IMPLIED else None
        firm = self.room.firm
        self.operator.database.run(
            "SELECT consent_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)", firm.tenant, [uuid7(now())],
            [firm.people[self.address]], [None if for_all else self.room.category], [kind], [basis], [at], [until], [SEALED],
        )  # fmt: skip
        said = self.operator.database.run("SELECT at FROM consent ORDER BY id DESC LIMIT 1")[0][0]
        self.model.words.append((kind, for_all, said, until))

    async def begin(self):
        self.room.firm.person(self.address)
        until = self.model.now + self.dice.randint(2, 60) * HOUR
        if self.dice.random() < 0.6:
            self.say(IMPLIED, "inquiry", False, until)
        else:
            self.say(EXPRESS, "recipient", self.dice.random() < 0.5, self.dice.choice([None, until]))
        due = self.model.now + self.dice.randint(1, 40) * HOUR
        taken = await self.gate.submit(self.ask(due))
        if self.model.consent(due)[0] != "held":
            assert isinstance(taken, Refused)
            return False
        assert isinstance(taken, Taken), taken
        self.id = taken.ids[0]
        self.model.place(due)
        return True

    def ask(self, due):
        return ask(self.room.firm, email(self.address, template="newsletter", scheduled_at=due))

    # ---- what may happen

    async def wait(self):
        self.clock(self.model.now + timedelta(minutes=self.dice.choice([5, 45, 180, 700, 1500])))

    async def reach(self):
        """To the message's own time."""
        self.clock(max(self.model.now, self.model.due) + timedelta(minutes=self.dice.choice([0, 1, 90])))

    async def reschedule(self):
        m, due = self.model, self.model.now + self.dice.randint(1, 70) * HOUR
        can = m.live and m.now < m.due and not (m.goes != m.asked and m.goes >= m.ends)
        answer = await self.gate.reschedule(self.room.firm.tenant, self.id, due)
        if not can:
            assert answer is Recall.TOO_LATE
        elif m.consent(due)[0] == "none":
            assert isinstance(answer, Refused)
        else:
            assert answer is Recall.DONE, answer
            m.place(due)

    async def cancel(self):
        if self.dice.random() < 0.2:
            answer = await self.gate.cancel(self.room.firm.tenant, self.id)
            assert answer is (Recall.DONE if self.model.live else Recall.TOO_LATE)
            self.model.live = False

    async def withdraw(self):
        self.say(WITHDRAWN, "one-click", self.dice.random() < 0.5)

    async def consent(self):
        self.say(EXPRESS, "recipient", self.dice.random() < 0.3, self.dice.choice([None, self.model.now + 9 * HOUR]))

    async def suppress(self):
        reason = self.dice.choice([1, 1, 5, 6, 5, 2, 3])
        suppress(self.room.firm, self.address, reason, f"story:{len(self.model.entries)}")
        self.model.entries.append(reason)

    async def override(self):
        m, until = self.model, self.model.now + self.dice.randint(1, 30) * HOUR
        firm = self.room.firm
        artefact = {"blind_index": firm.index(self.address).hex(), "expires_at": until.isoformat()}
        own_word = {2, 3, 4} & set(m.entries)
        with pytest.raises(psycopg.Error, match="never overridden") if own_word else nullcontext():
            firm.operator.govern(
                "override", firm.tenant, f"address-{firm.index(self.address).hex()[:16]}", artefact, self.subject
            )
            m.overrides = [(len(m.entries), until)]  # the newest is the one in force

    async def pause(self):
        if self.model.paused:
            self.operator.database.fill("DELETE FROM pause")
        else:
            query = "SELECT pause_v1(%s, 'stop-delivery', 'test', 'test')"
            self.operator.admin.execute(query, ([self.room.firm.tenant],))
        self.model.paused = not self.model.paused

    # ---- what must be so

    async def judge(self, told):
        m = self.model
        m.now = self.operator.database.run("SELECT now_v1()")[0][0]  # it went on by some milliseconds
        verdicts = list((await asked_to_mark(self.operator.database)).values())
        assert len(verdicts) == (m.live and m.due <= m.now), told
        assert (verdicts == [MarkVerdict.OK]) == m.may(), (told, verdicts, m)
        query = "SELECT window_start, used FROM rate_counter WHERE scope = %s AND used > 0 AND window_start > %s"
        ahead = dict(self.operator.admin.execute(query, (limits.TENANT_HOUR, m.now)).fetchall())
        assert ahead == ({m.hour: 1} if m.live and m.hour > m.now else {}), told


@pytest.mark.parametrize("seed", range(3))
async def test_only_when_the_model_says_so(gate, room, seed):
    dice, at, sent = random.Random(seed), BEGINNING, 0
    room.operator.admin.execute("UPDATE api_key_secret SET ends_at = '2100-01-01'")
    for n in range(SEQUENCES):
        story = Story(gate, room, dice, f"r{n}@example.net", Model(at))
        story.clock(at)
        told = [seed, n]
        if await story.begin():
            ways = [story.wait, story.reach, story.reach, story.reschedule, story.reschedule, story.cancel, story.withdraw,
                    story.consent, story.consent, story.suppress, story.override, story.override, story.pause]  # fmt: skip
            for _ in range(STEPS):
                way = dice.choice(ways)
                told.append(way.__name__)
                await way()
                await story.judge(told)
                sent += story.model.may()
            if story.model.paused:
                await story.pause()
            await gate.cancel(room.firm.tenant, story.id)
        at = story.model.now + 3 * DAY
    assert sent > 0, "a model that never lets anything through shows nothing"
