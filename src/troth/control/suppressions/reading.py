"""Suppressions: one page of a client's list, newest first, and everything that is written of one address.

Row-level security shows the client's own entries alone: that an address is on the list for another client's mail, or
why, is not told here. Staff who look at no client see the operator's own, and of one address what everybody's mail met.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from troth.control.audit.asking import rows
from troth.control.suppressions.words import OPT_OUT
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import TenantKeys

PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = struct.Struct(">q32sh")  # time in microseconds, index, reason; what makes it unique follows as text
# Each part is cut to a page in the order of its own index, so that what is sorted above them is two pages.
_SUPPRESSED = """
(SELECT s.created_at, s.blind_index, s.reason::integer AS reason, s.source AS what, s.source, NULL::uuid AS category_id,
        s.address_ct
 FROM troth.suppression s WHERE {whose}{which}{bound}
 ORDER BY s.created_at {way}, s.blind_index {way}, s.reason {way}, s.source {way} LIMIT %(limit)s)
"""
_OPTED_OUT = """
(SELECT o.created_at, o.blind_index, 0 AS reason, o.category_id::text AS what, o.source, o.category_id,
        NULL::bytea AS address_ct
 FROM troth.opt_out o WHERE o.tenant_id = %(tenant)s{which}{bound}
 ORDER BY o.created_at {way}, o.blind_index {way}, o.category_id {way} LIMIT %(limit)s)
"""
_BOUNDS = {
    "s": " AND (s.created_at, s.blind_index, s.reason, s.source) {than} (%(at)s, %(index)s, %(of)s, %(what)s)",
    "o": " AND (o.created_at, o.blind_index, 0, o.category_id::text) {than} (%(at)s, %(index)s, %(of)s, %(what)s)",
}
_LIST = """
SELECT u.created_at, u.blind_index, u.reason, u.what, u.source, u.category_id, u.address_ct,
       p.id, p.data_key, p.address_ct, p.erased_at, v.expires_at, b.at, NULL::text,
       coalesce(w.basis, '')
FROM (SELECT * FROM ({parts}) AS either
      ORDER BY created_at {way}, blind_index {way}, reason {way}, what {way} LIMIT %(limit)s) AS u
LEFT JOIN troth.person p ON p.tenant_id = %(tenant)s AND p.blind_index = u.blind_index
LEFT JOIN LATERAL (SELECT max(o.expires_at) AS expires_at FROM troth.suppression_override o
    WHERE o.tenant_id = %(tenant)s AND o.blind_index = u.blind_index AND o.expires_at > troth.now_v1()
      AND troth.overridden_v1(o.tenant_id, o.blind_index, u.reason::smallint, u.source, troth.now_v1(), troth.now_v1())
    ) AS v ON true
LEFT JOIN LATERAL (SELECT min(i.created_at) AS at FROM troth.opt_in i
    WHERE i.tenant_id = %(tenant)s AND i.blind_index = u.blind_index AND i.category_id = u.category_id
      AND i.created_at > u.created_at) AS b ON true
LEFT JOIN LATERAL (SELECT c.basis FROM troth.consent c
    WHERE u.source = 'unsubscribe' AND c.tenant_id = p.tenant_id AND c.person_id = p.id AND c.kind = 3
      AND c.category_id IS NOT DISTINCT FROM u.category_id AND c.at >= u.created_at - interval '1 second'
    ORDER BY c.at LIMIT 1) AS w ON true
ORDER BY u.created_at {way}, u.blind_index {way}, u.reason {way}, u.what {way}
"""

_EVERYBODY = """
SELECT created_at, blind_index, reason, what, source, category_id, address_ct, NULL::uuid, NULL::bytea, NULL::bytea,
       NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, coalesce(tenant_name, ''), ''
FROM troth.suppression_all_v1(%(who)s, %(limit)s) WHERE %(reason)s::integer IS NULL OR reason = %(reason)s
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this entry."""

    at: datetime
    index: bytes
    reason: int
    what: str

    def packed(self) -> bytes:
        return _PLACE.pack((self.at - _EPOCH) // _MICROSECOND, self.index, self.reason) + self.what.encode()


def place_of(packed: bytes) -> Place | None:
    """None for what is no place."""
    if len(packed) < _PLACE.size:
        return None
    at, index, reason = _PLACE.unpack_from(packed)
    try:
        return Place(_EPOCH + at * _MICROSECOND, index, reason, packed[_PLACE.size :].decode())
    except (UnicodeDecodeError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """`address` None: erased, or never kept. `override`: until when mail may reach it after all; `back`: when the
    recipient took an opt-out back. `client`: whose mail met it, where that is told; "": the operator's. `way`: how
    somebody opted out, as the consent ledger calls it; "" where it is not known.
    """

    place: Place
    reason: int
    source: str
    category: UUID | None
    address: str | None
    erased: bool
    override: datetime | None
    back: datetime | None
    client: str | None
    way: str


@dataclass(frozen=True, slots=True)
class Page:
    """`on` and `back`: where the pages beside this one begin, in the order asked for."""

    found: list[Entry]
    on: Place | None
    back: Place | None


def page(
    tenant: UUID | None,
    keys: TenantKeys,
    who: list[bytes] | None,
    reason: int | None,
    after: Place | None,
    before: Place | None,
    *,
    oldest: bool = False,
    most: int = PAGE,
) -> Page:
    """`who`: an address's indexes, one a layer. Behind `after`, or before `before`, in the order asked for. With no
    tenant, an address's entries are everybody's.
    """
    start = before or after
    way = "ASC" if (before is not None) != oldest else "DESC"
    values = {
        "tenant": tenant, "who": who, "reason": reason, "limit": most + 1,
        "at": start.at if start else None, "index": start.index if start else b"", "of": start.reason if start else 0,
        "what": start.what if start else "",
    }  # fmt: skip
    if tenant is None and who:
        found = [_entry(each, keys) for each in _ask(_EVERYBODY, values)][:most]
        return Page(found[::-1] if oldest else found, None, None)
    query = _query(who, reason, way, bounded=start is not None, house=tenant is None)
    got = [_entry(each, keys) for each in _ask(query, values)]
    more, got = len(got) > most, got[:most]
    found = got[::-1] if before else got
    if not found:
        return Page([], None, None)
    first, last = found[0].place, found[-1].place
    return Page(found, last if before or more else None, first if (more if before else after) else None)


def _query(who: list[bytes] | None, reason: int | None, way: str, *, bounded: bool, house: bool) -> str:
    """The parts that the reason leaves, each from the same place on."""
    parts, whose = [], "s.tenant_id IS NULL" if house else "s.tenant_id = %(tenant)s"
    for name, text in (("s", _SUPPRESSED), ("o", _OPTED_OUT)):
        if reason is None or (reason == OPT_OUT) == (name == "o"):
            which = f" AND {name}.blind_index = ANY(%(who)s)" if who else ""
            which += f" AND {name}.reason = %(reason)s" if reason not in (None, OPT_OUT) else ""
            bound = _BOUNDS[name] if bounded else ""
            parts.append(text.replace("{whose}", whose).replace("{which}", which).replace("{bound}", bound))
    query = _LIST.replace("{parts}", " UNION ALL ".join(parts)).replace("{way}", way)
    return query.replace("{than}", "<" if way == "DESC" else ">")


def _ask(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _entry(each: tuple[Any, ...], keys: TenantKeys) -> Entry:
    at, index, reason, what, source, category, sealed, person, data_key, address_ct, erased, *told = each
    index = bytes(index)
    address = None
    if data_key is not None and address_ct is not None:
        address = _of_person(keys, person, bytes(data_key), bytes(address_ct))
    elif sealed is not None and erased is None:
        address = _of_operator(index, bytes(sealed))
    place = Place(at, index, reason, what)
    return Entry(place, reason, source, category, address, erased is not None, *told)


def _of_person(keys: TenantKeys, person: UUID, data_key: bytes, address_ct: bytes) -> str | None:
    try:
        return keys.person(data_key, person).open(address_ct, places.address(person)).decode()
    except Undecryptable:
        return None


def _of_operator(index: bytes, sealed: bytes) -> str | None:
    """The list's own copy, for somebody who is no recipient of this client any more."""
    try:
        text: str = settings.TROTH_KEYS().operator.open(sealed, places.suppression(index)).decode()
    except Undecryptable:
        return None
    return text


def categories(tenant: UUID | None) -> dict[UUID, str]:
    if tenant is None:
        return {}
    query = "SELECT subject, code FROM troth.governed WHERE kind = 'category' AND tenant_id = %s LIMIT 500"
    return dict(rows(query, tenant))
