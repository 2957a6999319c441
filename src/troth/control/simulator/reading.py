"""The simulator's reading: a client's decisions in pages of time, opened, and sorted by what the policies see of them.

A page is one short transaction, and ends between two milliseconds, so that an email's messages, which share one, are
never parted. Pages are read by several processes; what they hand on is decided in order by one (deciding.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from troth.control.audit.scope import Connection, within
from troth.control.simulator.past import Past, Ruled
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import PersonKey, TenantKeys
from troth.rules.decision import Outcome
from troth.rules.kept import Count, Kept, Shape, Volume, read, shape_of, unbundle
from troth.rules.policy import Policy
from troth.rules.replay import Result, Sort, paused_of, recorded, replay, sort_of

PAGE = 10_000  # messages
_EDGE = """
SELECT id FROM troth.message WHERE tenant_id = %(tenant)s AND id >= %(from)s AND id < %(to)s
ORDER BY id OFFSET %(page)s LIMIT 1
"""
_REQUEST_EDGE = """
SELECT id FROM troth.api_request WHERE tenant_id = %(tenant)s AND id >= %(from)s AND id < %(to)s
AND facts_ct IS NOT NULL ORDER BY id OFFSET %(page)s LIMIT 1
"""
_MESSAGES = """
SELECT id, email_id, person_id, facts_ct FROM troth.message
WHERE tenant_id = %(tenant)s AND id >= %(from)s AND id < %(to)s ORDER BY id
"""
_REQUESTS = """
SELECT id, status, facts_ct, decision_ct FROM troth.api_request
WHERE tenant_id = %(tenant)s AND id >= %(from)s AND id < %(to)s AND facts_ct IS NOT NULL ORDER BY id
"""
_PEOPLE = "SELECT id, data_key FROM troth.person WHERE tenant_id = %s AND id = ANY(%s)"
_DECISIONS = "SELECT id, person_id, decision_ct FROM troth.message WHERE tenant_id = %s AND id = ANY(%s)"
_REFUSED = 300  # an API answer's status from which nothing of the request was taken
_KNOWN = 200_000  # open person's keys that one process keeps
_WORDS = {outcome.name.lower(): int(outcome) for outcome in Outcome}


class Kind(Struct, frozen=True, array_like=True):
    """A sort of message with what is told of it, and the policy that is tried, as its place in a page's list."""

    sort: Sort
    policy: int
    then: Result
    paused: str | None
    same_watch: bool
    category: str | None
    template: str | None


class Told(Struct, frozen=True, array_like=True, gc=False):
    """One message. kind: its place in the page's list; id: its own, or its request's. decided: what the sealed decision
    says and what the policy of the day gives, where it is one of the sample.
    """

    kind: int
    counts: tuple[Count, ...]
    id: bytes
    decided: tuple[Result, Result] | None = None


class Mail(Struct, frozen=True, array_like=True, gc=False):
    """One email. at: millisecond of the epoch; used: of its counters, which tells the order within one; taken: the gate
    let it through; request: marks those that stand or fall together, 0 for one alone; refused: with its request.
    """

    at: int
    used: int
    taken: bool
    request: int
    refused: bool
    messages: list[Told]
    volume: Volume | None


class Page(Struct, frozen=True, array_like=True):
    """What one page holds. sealed: messages of people who were erased, or from before facts were kept."""

    kinds: list[Kind]
    mails: list[Mail]
    sealed: int
    tests: int


@dataclass(slots=True)
class Reader:
    """Reads one client's pages. `every`: of so many messages one is compared with its sealed decision; 0 for none."""

    connection: Connection
    tenant: UUID
    keys: TenantKeys
    past: Past
    every: int
    policies: list[Policy | None] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)
    _people: dict[UUID, PersonKey | None] = field(default_factory=dict)
    _shapes: dict[bytes, Shape] = field(default_factory=dict)

    def page(self, start: UUID, end: UUID) -> Page:
        """Everything that was decided from `start` until `end`."""
        span = {"tenant": self.tenant, "from": start, "to": end}
        with within(self.connection, self.tenant):
            messages = self.connection.execute(_MESSAGES, span, binary=True).fetchall()
            requests = self.connection.execute(_REQUESTS, span, binary=True).fetchall()
            self._learn({row[2] for row in messages})
            picked = self._picked([row[0] for row in messages])
        return _Filling(self, picked).fill(messages, requests)

    def _learn(self, people: Iterable[UUID]) -> None:
        if len(self._people) > _KNOWN:
            self._people.clear()
        if missing := [person for person in people if person not in self._people]:
            for person, wrapped in self.connection.execute(_PEOPLE, (self.tenant, missing), binary=True).fetchall():
                self._people[person] = None if wrapped is None else self.keys.person(wrapped, person)

    def _picked(self, ids: Sequence[UUID]) -> dict[bytes, Result]:
        """What the sealed decisions of the sample say, by message."""
        wanted = ids[:: self.every] if self.every else []
        if not wanted:
            return {}
        rows = self.connection.execute(_DECISIONS, (self.tenant, wanted), binary=True).fetchall()
        found = ((one, self._people.get(person), sealed) for one, person, sealed in rows)
        return {one.bytes: _decision(key.open(sealed, places.decision(one))) for one, key, sealed in found if key}

    def person(self, person: UUID) -> PersonKey | None:
        """None for one who was erased."""
        return self._people.get(person)

    def kind(self, kept: Kept, millisecond: int) -> tuple[Kind, Ruled]:
        """Sort one message."""
        shape = self._shapes.get(kept.shape)
        if shape is None:
            shape = self._shapes[kept.shape] = shape_of(kept.shape)
        ruled = self.past.ruled(shape, kept.shape, millisecond)
        place = self._places.get(id(ruled))
        if place is None:
            place = self._places[id(ruled)] = len(self.policies)
            self.policies.append(ruled.now)
        kind = Kind(
            sort_of(kept, millisecond // 1000, ruled.now),
            place,
            recorded(kept),
            paused_of(shape),
            ruled.same_watch,
            shape.category.code if shape.category else None,
            shape.template.code if shape.template else None,
        )
        return kind, ruled

    def test(self, kept: Kept) -> bool:
        """Whether a test key asked: checked like any other, and never sent."""
        shape = self._shapes[kept.shape]
        return shape.key is not None and shape.key.test


@dataclass(slots=True)
class _Filling:
    """One page being filled."""

    reader: Reader
    picked: dict[bytes, Result]
    kinds: dict[Kind, int] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    sealed: int = 0
    tests: int = 0

    def fill(self, messages: Sequence[tuple[Any, ...]], requests: Sequence[tuple[Any, ...]]) -> Page:
        self._messages(messages)
        for number, row in enumerate(requests, 1):
            self._request(number, row)
        self.mails.sort(key=lambda mail: (mail.at, mail.used))
        return Page(list(self.kinds), self.mails, self.sealed, self.tests)

    def _messages(self, rows: Sequence[tuple[Any, ...]]) -> None:
        emails: dict[UUID, list[tuple[UUID, Kept]]] = {}
        for message, email, person, sealed in rows:
            key = self.reader.person(person)
            if key is None or sealed is None:
                self.sealed += 1
                continue
            emails.setdefault(email, []).append((message, read(key.open(sealed, places.facts(message)))))
        for found in emails.values():
            said = {n: self.picked[one.bytes] for n, (one, _) in enumerate(found) if one.bytes in self.picked}
            self._mail(found[0][0].int >> 80, found[0][1].together, found, taken=True, decided=said, refused=False)

    def _open(self, request: UUID, sealed: bytes) -> list[list[Kept]]:
        try:
            emails = unbundle(self.reader.keys.open(sealed, places.request_facts(request)))
            return [[read(one) for one in messages] for messages in emails]
        except (Undecryptable, msgspec.DecodeError):
            self.sealed += 1
            return []

    def _request(self, number: int, row: Sequence[Any]) -> None:
        """A refused request; of a batch that took some of its emails (2xx), each refused one stands alone."""
        request, status, sealed, decision = row
        emails = self._open(request, sealed)
        together = -number if status >= _REFUSED and len(emails) > 1 else 0
        said = self._said(request, number, decision)
        for messages in emails:
            refused = next((n for n, one in enumerate(messages) if one.outcome == Outcome.REFUSE), None)
            self._mail(request.int >> 80, together, [(request, one) for one in messages], taken=refused is None,
                       decided={} if refused is None or said is None else {refused: said})  # fmt: skip
            said = None if refused is not None else said

    def _said(self, request: UUID, number: int, decision: bytes | None) -> Result | None:
        """What the sealed decision of a refused request of the sample says."""
        if decision is None or not self.reader.every or number % self.reader.every:
            return None
        verdicts = msgspec.json.decode(self.reader.keys.open(decision, places.request(request)))
        refusing = next(each for each in verdicts if each["outcome"] == "refuse")
        return Result(int(Outcome.REFUSE), refusing["code"], refusing["check"])

    def _mail(self, at: int, request: int, found: Sequence[tuple[UUID, Kept]], *, taken: bool,
              decided: Mapping[int, Result], refused: bool = True) -> None:  # fmt: skip
        told = []
        for n, (one, kept) in enumerate(found):
            kind, ruled = self.reader.kind(kept, at)
            place = self.kinds.setdefault(kind, len(self.kinds))
            said = decided.get(n)
            pair = None if said is None else (said, replay(kept, at // 1000, ruled.then))
            told.append(Told(place, kept.counts, one.bytes, pair))
        if self.reader.test(found[0][1]):
            self.tests += len(told)
            return
        used = sum(count.used for count in found[0][1].counts)
        self.mails.append(Mail(at, used, taken, request, refused, told, found[0][1].volume))


def _decision(document: bytes) -> Result:
    """A sealed decision, as the gate wrote it."""
    said = msgspec.json.decode(document)
    checks = [each["check"] for each in said["verdicts"] if each["outcome"] == said["outcome"]]
    return Result(_WORDS[said["outcome"]], said["code"], checks[0])


def floor(moment: datetime) -> UUID:
    """The smallest id of this millisecond."""
    return _least(int(moment.timestamp() * 1000))


def _least(millisecond: int) -> UUID:
    return UUID(int=millisecond << 80)


def pages(
    connection: Connection, tenant: UUID, start: UUID, end: UUID, page: int = PAGE
) -> Iterator[tuple[UUID, UUID]]:
    """Cut a stretch of time into pages of about so many messages, each between two milliseconds."""
    here = start
    while here < end:
        span = {"tenant": tenant, "from": here, "to": end, "page": page}
        with within(connection, tenant):
            edges = [connection.execute(query, span).fetchone() for query in (_EDGE, _REQUEST_EDGE)]
        nearest = min((row[0] for row in edges if row), default=None)
        there = end if nearest is None else min(end, _least((nearest.int >> 80) + 1))
        yield here, there
        here = there
