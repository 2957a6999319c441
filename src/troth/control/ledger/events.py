"""Evidence against the river: every event row is sealed or waits to be, and what was sealed still has its row.

With the keyring at hand each event is made anew from its row and its sealed detail, so that a change of its message,
kind, time, client or detail is found; an erased person's cannot be opened by anyone, and is counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

import msgspec

from troth.control.ledger.counts import Counts
from troth.control.ledger.cover import IN_LINE, Cover
from troth.control.ledger.erasures import Erasures
from troth.control.ledger.report import Report
from troth.control.ledger.rows import LOG_ID, Connection, whole
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import TenantKeys
from troth.ledger.leaf import HASH_BYTES, EventFields, commit, event_leaf
from troth.ledger.tree import split
from troth.ledger.verify import Found
from troth.rules.states import Kind

PAGE = 5000
_LOOK_UP = 5000
_MAY_LACK = frozenset({"detail_ct", "person_id", "data_key", "erased_at", "keyset"})

_PLAIN = """
SELECT e.message_id, e.kind, e.source_key, e.tenant_id, e.at, e.leaf_hash, NULL, NULL, NULL, NULL, NULL
FROM event e WHERE {after} ORDER BY e.message_id, e.kind, e.source_key LIMIT %(most)s
"""
_WITH_DETAIL = """
SELECT e.message_id, e.kind, e.source_key, e.tenant_id, e.at, e.leaf_hash, e.detail_ct, m.person_id, p.data_key,
       p.erased_at, t.keyset
FROM (SELECT * FROM event e WHERE {after} ORDER BY e.message_id, e.kind, e.source_key LIMIT %(most)s) e
LEFT JOIN message m ON m.id = e.message_id
LEFT JOIN person p ON p.id = m.person_id
LEFT JOIN tenant t ON t.id = m.tenant_id
ORDER BY e.message_id, e.kind, e.source_key
"""
_AFTER = "(e.message_id, e.kind, e.source_key) > (%(message)s, %(kind)s, %(source)s)"
_LINE = """
SELECT id, log_id, first_at, last_at, hashes, tally_tenant, tally_hour, tally_kind, tally_n
FROM event_pending WHERE id > %s ORDER BY id LIMIT 1000
"""
_STILL = "SELECT leaf_hash FROM event WHERE leaf_hash = ANY(%s)"

_JSON = msgspec.json.Encoder(order="deterministic")

type OpenTenant = Callable[[UUID, bytes], TenantKeys]


class _Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    salt: str
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of `event`; from `detail_ct` on only where it was read to be opened."""

    message_id: UUID
    kind: int
    source_key: str
    tenant_id: UUID
    at: datetime
    leaf_hash: bytes
    detail_ct: bytes | None
    person_id: UUID | None
    data_key: bytes | None
    erased_at: datetime | None
    keyset: bytes | None

    @property
    def name(self) -> str:
        """How a person finds it."""
        return f"the event {self.kind} ({self.source_key}) of message {self.message_id}"


@dataclass(frozen=True, slots=True)
class Heaps:
    """What the event rows are compared with, once all of it was read."""

    cover: Cover
    counts: Counts
    erasures: Erasures


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row of event_pending."""

    id: int
    log_id: int
    first_at: datetime
    last_at: datetime
    hashes: bytes
    tally_tenant: list[UUID]
    tally_hour: list[datetime]
    tally_kind: list[int]
    tally_n: list[int]


def scan(connection: Connection, heaps: Heaps, report: Report, open_tenant: OpenTenant | None) -> None:
    """Throw every event row into the heaps; with `open_tenant`, make each anew. The connection's role must see them."""
    report.opened = 0 if open_tenant else None
    for row in _rows(connection, _WITH_DETAIL if open_tenant else _PLAIN):
        heaps.cover.row(row.leaf_hash, row.message_id, row.kind)
        heaps.counts.row(row.tenant_id, row.at, row.kind)
        if open_tenant and not _open(row, open_tenant, report):
            heaps.erasures.seen(row.person_id or row.message_id)
    report.events = heaps.cover.rows


def line(connection: Connection, cover: Cover) -> None:
    """Throw what waits in the line into `cover`."""
    after = -(2**63)
    while found := connection.execute(_LINE, (after,)).fetchall():
        for each in found:
            cover.sealed(IN_LINE, _waits(whole(_Waiting, each)))
        after = found[-1][0]


def _waits(row: _Waiting) -> list[bytes]:
    """The hashes of a row of the line that agrees with itself."""
    if row.log_id != LOG_ID or not row.hashes or len(row.hashes) % HASH_BYTES:
        raise Found(f"the row {row.id} of event_pending is not hashes of the log {LOG_ID}")
    hashes = split(row.hashes)
    tally = (row.tally_tenant, row.tally_hour, row.tally_kind, row.tally_n)
    hours = (min(row.tally_hour, default=None), max(row.tally_hour, default=None))
    if {len(each) for each in tally} != {len(row.tally_n)} or sum(row.tally_n) != len(hashes):
        raise Found(f"the row {row.id} of event_pending counts other events than it holds")
    if hours != (_hour(row.first_at), _hour(row.last_at)) or row.last_at < row.first_at:
        raise Found(f"the row {row.id} of event_pending tells other times than it counts")
    return hashes


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def compare(connection: Connection, cover: Cover) -> None:
    """Raise Found for the first row without a seal, or the first sealed event whose row is gone."""
    for chunk in batched(cover.compare(), _LOOK_UP):
        hashes = [hashed for hashed, _ in chunk]
        there = {hashed for (hashed,) in connection.execute(_STILL, (hashes,)).fetchall()}
        gone = [index for hashed, index in chunk if hashed not in there]
        if gone:
            raise Found(f"{len(gone)} of the events that it seals have no row any more, or another one", min(gone))


def event_fields(row: EventRow, document: bytes) -> tuple[bytes, EventFields]:
    """The salt and the fields that the row's leaf was made of; `document` is its opened detail."""
    read = msgspec.json.decode(document, type=_Detail)
    salt = bytes.fromhex(read.salt)
    detail = commit(salt, _JSON.encode(read.detail).decode())
    kind = Kind(row.kind).name.lower()
    return salt, EventFields(str(row.message_id), str(row.tenant_id), kind, row.at, detail)


def opened(row: EventRow, open_tenant: OpenTenant) -> bytes | None:
    """The event's sealed document; None where the person was erased. Raise Found if it cannot be opened."""
    if row.person_id is None or row.keyset is None:
        raise Found(f"{row.name}: its message is gone, or is another client's")
    if row.erased_at is not None:
        return None
    if row.data_key is None or row.detail_ct is None:
        raise Found(f"{row.name}: its sealed detail is gone, and its person was not erased")
    try:
        key = open_tenant(row.tenant_id, row.keyset).person(row.data_key, row.person_id)
        return key.open(row.detail_ct, places.event(row.message_id, row.source_key))
    except Undecryptable as wrong:
        raise Found(f"{row.name}: what is sealed cannot be opened in its place: {wrong}") from None


def _open(row: EventRow, open_tenant: OpenTenant, report: Report) -> bool:
    """False: its person was erased, so that nobody can open it."""
    document = opened(row, open_tenant)
    if document is None:
        report.erased += 1
        return False
    try:
        made = event_leaf(*event_fields(row, document))
    except (msgspec.DecodeError, ValueError) as wrong:
        raise Found(f"{row.name}: it does not make an event: {wrong}") from None
    if made != row.leaf_hash:
        raise Found(f"{row.name}: its message, kind, time, client or detail is not what was told when it happened")
    report.opened = (report.opened or 0) + 1
    return True


def _rows(connection: Connection, query: str) -> Iterator[EventRow]:
    last: EventRow | None = None
    while True:
        params: dict[str, object] = {"most": PAGE}
        if last:
            params |= {"message": last.message_id, "kind": last.kind, "source": last.source_key}
        found = connection.execute(query.format(after=_AFTER if last else "true"), params).fetchall()
        if not found:
            return
        for each in found:
            last = whole(EventRow, each, lacks=_MAY_LACK)
            yield last


def of_message(connection: Connection, message: UUID) -> list[EventRow]:
    """One message's events, with what opens them."""
    query = _WITH_DETAIL.format(after="e.message_id = %(message)s")
    return [EventRow(*each) for each in connection.execute(query, {"message": message, "most": PAGE}).fetchall()]
