"""Delivery's reach into the spool: claims what is due, sorts out what needs no composing, has the rest composed.

The claim keeps a floor, so that it does not walk over what a long snapshot keeps dead; a sweep without a floor each
minute finds what fell below it.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from uuid import UUID

import structlog

from troth.flow.delivery.compose import Ingredients, Render, Stamp, compose, render_here
from troth.flow.delivery.desk import Desk
from troth.flow.delivery.line import Away, Line
from troth.flow.delivery.materials import Materials
from troth.flow.delivery.opening import open_letter, others, unlock
from troth.flow.delivery.policies import Policies
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.recording import Recorder
from troth.flow.delivery.releasing import LOST_TOO_OFTEN
from troth.flow.delivery.suspects import Suspects
from troth.flow.delivery.work import Back, Composed, Found, Hindrance, Outcome, Work
from troth.flow.gate.limits import hour_of
from troth.keys.keyring import Keyring, PersonKey
from troth.mail.letter import Letter
from troth.rules import quiet
from troth.rules.mark import MarkVerdict
from troth.rules.states import Kind, State
from troth.store import gate, spool
from troth.store.connection import Connection

SWEEP = 60.0  # seconds between claims without a floor
MARGIN = timedelta(seconds=2)  # below the oldest due of the last claim
EMPTY_MARGIN = timedelta(seconds=5)  # below now, when the last claim found nothing: an accept may commit that late
QUICK, SLOW = 0.02, 0.4  # seconds between polls, doubled while there is nothing
CHUNK = 8  # messages composed in one go of a thread
AHEAD = 2.0  # seconds of work that are claimed ahead
THE_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

log = structlog.get_logger("troth.delivery")


@dataclass(slots=True)
class Floor:
    """Where the next claim starts: `at`, or the beginning when a sweep is due (loop seconds)."""

    at: datetime = THE_BEGINNING
    swept: float = float("-inf")

    def next(self, clock: float) -> datetime:
        if clock - self.swept >= SWEEP:
            self.swept = clock
            return THE_BEGINNING
        return self.at

    def seen(self, now: datetime, claims: Sequence[spool.Claimed], limit: int) -> None:
        oldest = min((c.was_due for c in claims), default=now)
        self.at = oldest - MARGIN if len(claims) >= limit else min(oldest - MARGIN, now - EMPTY_MARGIN)


@dataclass(slots=True)
class Pace:
    """How many a worker may hold: what it got rid of in the last seconds, so that slow ones leave work to others."""

    least: int
    most: int
    _done: int = 0
    _since: float = 0.0
    _rate: float = 0.0

    def room(self, clock: float, done: int, waiting: int) -> int:
        """`done`: messages off its hands since the start; claims allowed now, 0 while that would be a dribble."""
        passed = clock - self._since
        if passed >= 0.2:
            fresh = (done - self._done) / passed
            self._rate = fresh if fresh > self._rate else (self._rate * 3 + fresh) / 4
            self._done, self._since = done, clock
        wanted = min(self.most, max(self.least, int(self._rate * AHEAD)))
        return wanted - waiting if waiting <= wanted // 2 else 0


@dataclass(slots=True)
class Claimer:
    """`run` until the desk is stopping; what it composes is put on the desk."""

    line: Line
    desk: Desk
    recorder: Recorder
    pool: Pool
    keyring: Keyring
    materials: Materials
    policies: Policies
    suspects: Suspects
    threads: Executor
    cell: Executor  # where suspects are rendered: one thread, so that a slow child delays no innocent
    stamp: Stamp
    pace: Pace
    floor: Floor = field(default_factory=Floor)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        wait = QUICK
        while not self.desk.stopping:
            room = self._room()
            if not room:
                await self.desk.listen(0.1)
                continue
            try:
                found = await self._claim(room)
            except Away as trouble:
                self._away(trouble)
                await self.desk.listen(self.line.wait)
                continue
            wait = QUICK if found else min(wait * 2, SLOW)
            if found < room:
                await self.desk.listen(wait)
        await asyncio.gather(*self._tasks)
        await self.line.close()

    def _away(self, trouble: BaseException) -> None:
        self.desk.counters.away += 1
        log.warning("delivery.store-away", part="claimer", why=type(trouble).__name__)

    def _room(self) -> int:
        desk, loop = self.desk, asyncio.get_running_loop()
        if self.recorder.full:
            return 0
        if self.pool.health.failing:  # one tries the water for all
            return 1 if self.pool.free and not desk.waiting and not desk.sending else 0
        counters = desk.counters
        return self.pace.room(loop.time(), counters.marked + counters.returned + counters.held, desk.waiting)

    async def _claim(self, room: int) -> int:
        loop = asyncio.get_running_loop()
        clock = loop.time()
        works: list[Work] = []
        async with self.line.visit() as connection:
            now = await gate.now(connection)
            floor = self.floor.next(clock)
            claims = await spool.claim(connection, now=now, floor=floor, limit=room, lease=self.desk.lease)
            if not claims:
                self.floor.seen(now, claims, room)
                return 0
            # from here on a failure leaves claims to their leases
            loaded = await spool.load_parts(connection, [c.message_id for c in claims])
            works = [Work(c, loaded[c.message_id], clock, clock) for c in claims if c.message_id in loaded]
            self.desk.counters.claimed += len(claims)
            self.floor.seen(now, claims, room)
            pairs = {(c.tenant_id, c.category_id) for c in claims}
            await self.policies.freshen(connection, pairs, clock)
            for work in works:
                work.quiet = self.policies.of(work.claimed.tenant_id, work.claimed.category_id).quiet.hours
                work.quiet_from = quiet.begins(now, work.zone, work.quiet)
                self.desk.take(work)
            await self._prepare(connection, works, now)
        return len(claims)

    async def _prepare(self, connection: Connection, works: list[Work], now: datetime) -> None:
        loop = asyncio.get_running_loop()
        try:
            stopped, letters = await loop.run_in_executor(self.threads, self._open, works, now)
            for work, outcome in stopped:
                self.recorder.put(work, outcome)
            await self.materials.learn(connection, [w for w, _ in letters], loop.time())
            strangers = {person: work for work, letter in letters for person in others(work, letter)}
            people = await self.materials.people(connection, strangers) if strangers else {}
        except BaseException:
            for work in works:
                self.recorder.put(work, Back(0.0))
            raise
        ready = []
        for work, letter in letters:
            made = self._ingredients(work, letter, people)
            if isinstance(made, Ingredients):
                ready.append((work, made))
            else:
                self.recorder.put(work, made)
        self._compose([w for w in ready if not w[0].claimed.lost_claims], now, self.threads, render_here)
        self._compose([w for w in ready if w[0].claimed.lost_claims], now, self.cell, self.suspects.render)

    def _open(self, works: list[Work], now: datetime) -> tuple[list[tuple[Work, Outcome]], list[tuple[Work, Letter]]]:
        """In a thread: a tenant's first key is a call to the KMS."""
        stopped: list[tuple[Work, Outcome]] = []
        letters: list[tuple[Work, Letter]] = []
        for work in works:
            outcome = _at_claim(work, unlock(self.keyring, work), now) or open_letter(work)
            if isinstance(outcome, Letter):
                letters.append((work, outcome))
            else:
                stopped.append((work, outcome))
        return stopped, letters

    def _ingredients(self, work: Work, letter: Letter, people: dict[UUID, PersonKey]) -> Ingredients | MarkVerdict:
        signing = self.materials.signing(work.claimed.domain_id)
        if signing is None:
            return MarkVerdict.DOMAIN_UNREADY
        snapshot = work.claimed.template_snapshot
        template = self.materials.template(snapshot) if snapshot else None
        if snapshot and template is None:
            return MarkVerdict.UNAPPROVED
        return Ingredients(letter, template, signing, people)

    def _compose(self, ready: list[tuple[Work, Ingredients]], now: datetime, threads: Executor, render: Render) -> None:
        for chunk in batched(ready, CHUNK):
            self.desk.composing += len(chunk)
            task = asyncio.create_task(self._composed(chunk, now, threads, render))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _composed(
        self, chunk: tuple[tuple[Work, Ingredients], ...], now: datetime, threads: Executor, render: Render
    ) -> None:
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(threads, _compose_all, chunk, self.stamp, now, render)
        self.desk.composing -= len(chunk)
        for work, result in made:
            if isinstance(result, Composed):
                work.composed = result
                self.desk.ready.append(work)
                self.desk.counters.composed += 1
            else:
                self.recorder.put(work, result)
        self.desk.ring()


def _at_claim(work: Work, locked: Outcome | None, now: datetime) -> Outcome | None:
    """What the claim alone decides, before a letter is opened; the uncertain come first, whatever else is true."""
    claimed = work.claimed
    if claimed.was == State.SENDING:
        return locked if isinstance(locked, Back) else Found.UNCERTAIN
    if claimed.lifetime_ends <= now:
        return MarkVerdict.LIFETIME_OVER
    if locked is None and claimed.released and work.told is State.HELD:
        return Found.RELEASED
    return _held_at_claim(work, now) if locked is None else locked


def _held_at_claim(work: Work, now: datetime) -> Outcome | None:
    """What holds an unlocked message, or whether its hold may be over."""
    claimed = work.claimed
    if claimed.lost_claims >= LOST_TOO_OFTEN:
        return Hindrance(Kind.HELD, "poison", f"Its worker was lost {claimed.lost_claims} times.")
    if (until := quiet.ends(now, work.zone, work.quiet)) is not None:
        return Hindrance(Kind.HELD, "quiet-hours", "The recipient's quiet hours last; it goes when they end.", until)
    again = work.told is State.HELD and hour_of(claimed.counted) != hour_of(now)
    return Found.HOLD_OVER if again else None


def _compose_all(
    chunk: Sequence[tuple[Work, Ingredients]], stamp: Stamp, now: datetime, render: Render
) -> list[tuple[Work, Composed | Hindrance]]:
    """In a thread."""
    return [(work, _compose_one(work, made, stamp, now, render)) for work, made in chunk]


def _compose_one(
    work: Work, ingredients: Ingredients, stamp: Stamp, now: datetime, render: Render
) -> Composed | Hindrance:
    try:
        return compose(work, ingredients, stamp, now, render)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one message is for people to see, not for a crash
        log.error("delivery.cannot-compose", message=str(work.claimed.message_id), why=type(error).__name__)  # noqa: TRY400 - a traceback would quote content
        return Hindrance(Kind.HELD, "cannot-compose", f"Composing failed ({type(error).__name__}).")
