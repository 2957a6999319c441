"""The simulator's run: every client's days read by several processes, decided in order by one, and summed up."""

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from troth.control.audit.scope import Connection, within
from troth.control.simulator import past, reading
from troth.control.simulator.candidate import Candidate
from troth.control.simulator.deciding import Decider
from troth.control.simulator.reading import Page, Reader
from troth.control.simulator.tally import Example, Tally, document, moment
from troth.control.tenants import clients
from troth.keys import ids
from troth.keys.keyring import Keyring
from troth.rules.policy import Policy

LONGEST = 31  # days
_AHEAD = 6  # pages read before the first of them is decided
_COUNT = "SELECT count(*) FROM troth.message WHERE tenant_id = %s AND id >= %s AND id < %s"
_REQUESTS = (
    "SELECT count(*) FROM troth.api_request WHERE tenant_id = %s AND id >= %s AND id < %s AND facts_ct IS NOT NULL"
)
_HOME = """
SELECT t.keyset, p.id, p.code, p.profile, i.cell FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id,
       troth.installation i
WHERE t.id = %s
"""
_READ = msgspec.msgpack.Decoder(Page)
_WRITE = msgspec.msgpack.Encoder()

type Connect = Callable[[], tuple[Connection, Keyring]]
type Job = tuple[UUID, UUID, UUID]  # a client, from, to


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. tenant: only this client's traffic; sample: messages compared with their sealed decision."""

    candidate: Candidate
    days: int = 7
    tenant: UUID | None = None
    sample: int = 10_000
    processes: int = 2


@dataclass(frozen=True, slots=True)
class Home:
    """One client: where it belongs, its keys, how much there is of it."""

    id: UUID
    code: str
    keyset: bytes
    programme: UUID
    programme_code: str
    profile: str
    messages: int
    requests: int


@dataclass(slots=True)
class Hearing:
    """Who is told while it runs. progress: done and all messages; tell: each message that would fare otherwise."""

    progress: Callable[[int, int], None] = lambda _done, _all: None
    tell: Callable[[Example], None] | None = None


def simulate(connect: Connect, question: Question, hearing: Hearing) -> dict[str, Any]:
    """Run it, and give its result as JSON-able values. connect must be picklable where there are processes."""
    began = time.monotonic()
    connection, keyring = connect()
    with connection:
        now: datetime = connection.execute("SELECT troth.now_v1()").fetchone()[0]  # type: ignore[index]  # a clock tells
        start, end = reading.floor(now - timedelta(days=question.days)), reading.floor(now + timedelta(seconds=1))
        homes, cell = _homes(connection, question, start, end)
        every = _every(homes, question.sample)
        with _readers(connect, question, connection, keyring, homes, every) as read:
            tallies = list(_decided(connection, homes, (start, end), read, hearing))
    found = document(tallies, lambda kind, value: ids.wire(kind, cell, value))
    about = {"level": question.candidate.level, "days": question.days, "from": moment(_second(start)),
             "to": moment(now.timestamp()), "clients": len(homes)}  # fmt: skip
    return {**about, **found, "seconds": round(time.monotonic() - began, 2)}


def _second(value: UUID) -> float:
    return (value.int >> 80) / 1000


def _homes(connection: Connection, question: Question, start: UUID, end: UUID) -> tuple[list[Home], str]:
    """The clients whose mail the candidate rules."""
    found, cell = [], "a"
    for each in clients.clients(connection):
        if question.tenant not in (None, each.id):
            continue
        with within(connection, each.id):
            row = connection.execute(_HOME, (each.id,)).fetchone()
            if row is None or not question.candidate.meant(each.id, row[1]):
                continue
            *home, cell = row
            counts = [connection.execute(q, (each.id, start, end)).fetchone() for q in (_COUNT, _REQUESTS)]
        found.append(Home(each.id, each.code, bytes(home[0]), *home[1:], *(n[0] for n in counts if n)))
    return found, cell


def _every(homes: list[Home], sample: int) -> int:
    """Of how many messages one is of the sample, so that it is at least as large as asked."""
    there = sum(each.messages + each.requests for each in homes)
    return max(1, there // sample) if sample else 0


@dataclass(slots=True)
class _Desk:
    """What one process keeps: its connection, and each client's reader."""

    connection: Connection
    keyring: Keyring
    candidate: Candidate
    homes: dict[UUID, Home]
    every: int
    readers: dict[UUID, Reader] = field(default_factory=dict)

    def page(self, job: Job) -> tuple[Page, list[Policy | None]]:
        tenant, start, end = job
        reader = self.readers.get(tenant)
        if reader is None:
            reader = self.readers[tenant] = self._reader(self.homes[tenant])
        return reader.page(start, end), reader.policies

    def _reader(self, home: Home) -> Reader:
        with within(self.connection, home.id):
            one = past.client(self.connection, home.id, home.programme_code, home.profile)
        keys = self.keyring.tenant(home.id, home.keyset)
        return Reader(self.connection, home.id, keys, past.Past(one, self.candidate), self.every)


_desk: _Desk | None = None  # of a process that reads


def _begin(connect: Connect, candidate: Candidate, homes: dict[UUID, Home], every: int) -> None:
    global _desk  # noqa: PLW0603 - how a pool's process keeps what it opened
    _desk = _Desk(*connect(), candidate, homes, every)


def _page(job: Job) -> tuple[bytes, list[Policy | None]]:
    assert _desk is not None
    page, policies = _desk.page(job)
    return _WRITE.encode(page), policies


type Read = Callable[[Iterator[Job]], Iterator[tuple[Page, list[Policy | None]]]]


@contextmanager
def _readers(connect: Connect, question: Question, connection: Connection, keyring: Keyring, homes: list[Home],
             every: int) -> Iterator[Read]:  # fmt: skip
    """Give what reads pages in their order, in so many processes; in this one for none."""
    known = {each.id: each for each in homes}
    if question.processes == 0:
        desk = _Desk(connection, keyring, question.candidate, known, every)
        yield lambda jobs: map(desk.page, jobs)
        return
    context = multiprocessing.get_context("spawn")
    begin = (connect, question.candidate, known, every)
    with ProcessPoolExecutor(question.processes, context, _begin, begin) as pool:
        try:
            yield lambda jobs: _ordered(pool, jobs)
        finally:
            pool.shutdown(cancel_futures=True)


def _ordered(pool: ProcessPoolExecutor, jobs: Iterator[Job]) -> Iterator[tuple[Page, list[Policy | None]]]:
    waiting: deque[Future[tuple[bytes, list[Policy | None]]]] = deque()
    for job in jobs:
        waiting.append(pool.submit(_page, job))
        if len(waiting) >= _AHEAD:
            yield _opened(waiting.popleft())
    while waiting:
        yield _opened(waiting.popleft())


def _opened(future: "Future[tuple[bytes, list[Policy | None]]]") -> tuple[Page, list[Policy | None]]:
    page, policies = future.result()
    return _READ.decode(page), policies


def _decided(
    connection: Connection, homes: list[Home], span: tuple[UUID, UUID], read: Read, hearing: Hearing
) -> Iterator[Tally]:
    """One client after the other; the pages of the next are being read while the last of one are decided."""
    deciders = {each.id: Decider(Tally(each.code, hearing.tell)) for each in homes}
    done, there = 0, sum(each.messages + each.requests for each in homes)
    turns: deque[UUID] = deque()

    def jobs() -> Iterator[Job]:
        for home in homes:
            for start, end in reading.pages(connection, home.id, *span):
                turns.append(home.id)
                yield home.id, start, end

    hearing.progress(0, there)
    for page, policies in read(jobs()):
        deciders[turns.popleft()].page(page, policies)
        done += page.sealed + page.tests + sum(len(mail.messages) for mail in page.mails)
        hearing.progress(min(done, there), there)
    yield from (each.tally for each in deciders.values())
