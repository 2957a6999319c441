"""Recipients, read: one page of a client's, and one of them with all that is written of them.

Row-level security shows the client's own alone. Every list is cut to a page by an index, however many there are.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.keys import ids, places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import TenantKeys

RECIPIENT = "rcp"
PAGE = 50
STATES = ("pending", "verified", "expired", "erased")
PATHWAYS = {
    "confirmation-link": "Confirmation link",
    "multi-step": "Link and code",
    "employer-invitation": "Employer’s invitation",
    "vendor-agreement": "Signed agreement",
    "system": "An account here",
}
BASES = {
    "recorded": "given elsewhere, and recorded here",
    "confirmation": "on the page that confirmed their address",
    "own-page": "on their own page",
    "one-click": "by a link in a message",
    "mailto": "by a mail to a message’s unsubscribe address",
    "feedback-loop": "by their mailbox provider, which told it",
    "existing-business": "a business relationship",
    "existing-non-business": "a relationship that is no business",
    "inquiry": "an inquiry of theirs",
}
_COLUMNS = """
SELECT p.id, p.status, p.status = 2 AND p.expires_at <= troth.now_v1() AS ended, p.pathway, p.verified_at, p.expires_at,
       p.timezone, p.created_at, p.erased_at, p.agreement, p.data_key, p.address_ct, p.basis_ct
FROM troth.person p WHERE p.tenant_id = %(tenant)s
"""
_WHICH = {
    "pending": " AND p.status = 1",
    "verified": " AND p.status = 2 AND (p.expires_at IS NULL OR p.expires_at > troth.now_v1())",
    "expired": " AND p.status = 2 AND p.expires_at <= troth.now_v1()",
    "erased": " AND p.status = 4",
}
# those whose verification ended have an order of their own, which has an index
_ENDED = "(p.expires_at, p.id)"
_ENDED_PLACE = "(SELECT o.expires_at, o.id FROM troth.person o WHERE o.id = %(place)s AND o.tenant_id = %(tenant)s)"
_EVENTS = "SELECT kind, at, pathway, agreement FROM troth.person_event WHERE person_id = %s ORDER BY at DESC LIMIT 100"
_ASKED = """
SELECT created_at, expires_at, used_at, pathway, asked_by, expires_at <= troth.now_v1() FROM troth.confirmation
WHERE person_id = %s ORDER BY created_at DESC LIMIT 50
"""
_IMPORTS = """
SELECT r.at, r.import_id, r.line, r.verified, i.name
FROM troth.person_import r JOIN troth.import i ON i.id = r.import_id
WHERE r.person_id = %s ORDER BY r.at DESC LIMIT 50
"""
_CONSENT = """
SELECT c.at, c.kind, c.basis, c.expires_at, coalesce(g.code, ''), c.expires_at <= troth.now_v1()
FROM troth.consent c LEFT JOIN troth.governed g ON g.subject = c.category_id AND g.kind = 'category'
WHERE c.tenant_id = %s AND c.person_id = %s ORDER BY c.at DESC LIMIT 100
"""
_AGREEMENTS = """
SELECT a.id, a.name, a.signed_on, a.digest, a.created_at FROM troth.agreement a WHERE a.tenant_id = %s
ORDER BY a.id DESC LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """`word`: one of STATES. `address` None: erased, or it cannot be opened. `basis`: what the pathway rests on."""

    id: UUID
    ref: str
    word: str
    pathway: str
    verified_at: datetime | None
    expires_at: datetime | None
    timezone: str
    created_at: datetime
    erased_at: datetime | None
    agreement: bytes | None
    address: str | None
    basis: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """`on` and `back`: where the pages beside this one begin."""

    found: list[Recipient]
    on: UUID | None
    back: UUID | None


@dataclass(frozen=True, slots=True)
class Happened:
    """`look`: the look's word for its tone and shape."""

    at: datetime
    look: str
    says: str
    more: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    id: UUID
    name: str
    signed_on: date
    digest: bytes
    created_at: datetime


def page(
    tenant: UUID, keys: TenantKeys, cell: str, *, who: list[bytes] | None = None, state: str = "", pathway: str = "",
    after: UUID | None = None, before: UUID | None = None,
) -> Page:  # fmt: skip
    """Newest first. `who`: an address's indexes, one a layer. Behind `after`, or before `before`."""
    order = _ENDED if state == "expired" else "p.id"
    query = _COLUMNS + _WHICH.get(state, "")
    query += " AND p.blind_index = ANY(%(who)s)" if who else ""
    query += " AND p.pathway = %(pathway)s" if pathway else ""
    if after or before:
        place = _ENDED_PLACE if state == "expired" else "%(place)s"
        query += f" AND {order} {'<' if after else '>'} {place}"
    way = "ASC" if before else "DESC"
    query += f" ORDER BY {order.strip('()').replace(',', f' {way},')} {way} LIMIT {PAGE + 1}"
    values = {"tenant": tenant, "who": who, "pathway": pathway, "place": after or before}
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        got = [_recipient(each, keys, cell) for each in cursor.fetchall()]
    more, got = len(got) > PAGE, got[:PAGE]
    found = got[::-1] if before else got
    if not found:
        return Page([], None, None)
    first, last = found[0].id, found[-1].id
    return Page(found, last if before or more else None, first if (more if before else after) else None)


def access_recipient(actor: Actor, ref: str, keys: TenantKeys, cell: str) -> Recipient:
    """Raise Http404 for what is not there, and for what is another client's."""
    person = ids.unwire(RECIPIENT, ref)
    if person is None or actor.scope is None:
        raise Http404
    with connection.cursor() as cursor:
        cursor.execute(f"{_COLUMNS} AND p.id = %(id)s", {"tenant": actor.scope, "id": person})
        found = cursor.fetchone()
    if found is None:
        raise Http404
    return _recipient(found, keys, cell)


def _recipient(each: tuple[Any, ...], keys: TenantKeys, cell: str) -> Recipient:
    person, status, ended, pathway, verified, expires, zone, created, erased, agreement, data_key, sealed, basis = each
    word = {1: "pending", 2: "expired" if ended else "verified", 4: "erased"}[status]
    address, said = _opened(keys, person, data_key, sealed, basis)
    digest = bytes(agreement) if agreement else None
    ref = ids.wire(RECIPIENT, cell, person)
    dates = (verified, expires, zone or "", created, erased)
    return Recipient(person, ref, word, pathway or "", *dates, digest, address, said)


def _opened(
    keys: TenantKeys, person: UUID, data_key: bytes | None, sealed: bytes | None, basis: bytes | None
) -> tuple[str | None, dict[str, str]]:
    if data_key is None or sealed is None:
        return None, {}
    try:
        key = keys.person(bytes(data_key), person)
        address = key.open(bytes(sealed), places.address(person)).decode()
        said = msgspec.json.decode(key.open(bytes(basis), places.basis(person))) if basis else {}
    except (Undecryptable, msgspec.DecodeError):
        return None, {}
    return address, {str(name): str(value) for name, value in said.items()}


def history(one: Recipient) -> list[Happened]:
    """Everything that is written of them, the newest first."""
    found = [Happened(one.created_at, "none", "Registered")]
    for kind, at, pathway, agreement in rows(_EVENTS, one.id):
        way = PATHWAYS.get(pathway or "", "")
        digest = f"agreement {bytes(agreement).hex()[:16]}…" if agreement else ""
        said = {
            31: ("verified", "Verified", way),
            32: ("expired", "The verification ended", ""),
            33: ("cancelled", "Erased", ""),
        }
        look, words, more = said[kind]
        found.append(Happened(at, look, words, ", ".join(filter(None, (more, digest)))))
    for at, expires, used, pathway, by, over in rows(_ASKED, one.id):
        state = "answered" if used else "not answered in time" if over else "waits for an answer"
        more = f"{PATHWAYS[pathway]}; {state}; asked by {_asker(by)}"
        found.append(Happened(at, "pending" if not (used or over) else "none", "Asked to confirm", more))
        del expires
    for at, subject, line, verified, name in rows(_IMPORTS, one.id):
        words = "Verified by an import that two people approved" if verified else "Registered by an import"
        found.append(Happened(at, "none", words, f"{name}, line {line:,}", f"/imports/{subject}"))
    return sorted(found, key=lambda each: each.at, reverse=True)


def _asker(by: str) -> str:
    return {"key": "a program", "account": "somebody with an account"}.get(by.partition(":")[0], "Troth")


def consents(tenant: UUID, person: UUID) -> list[tuple[Any, ...]]:
    """(at, kind, basis, ends, category, over), the newest first."""
    return rows(_CONSENT, tenant, person)


def agreements(tenant: UUID) -> list[Agreement]:
    return [
        Agreement(one, name, signed, bytes(digest), at) for one, name, signed, digest, at in rows(_AGREEMENTS, tenant)
    ]


def tally(tenant: UUID) -> bool:
    """Whether the client has any recipient."""
    return row("SELECT 1 FROM troth.person WHERE tenant_id = %s LIMIT 1", tenant) is not None


def cell() -> str:
    found = row("SELECT cell FROM troth.installation")
    return str(found[0]) if found else "a"
