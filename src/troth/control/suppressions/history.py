"""Suppressions: what stands beside an entry: who wrote it by hand, which message told it, its overrides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from troth.control.audit.asking import rows
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import TenantKeys
from troth.rules.states import Kind

_MOST = 50
_LETTERS = 500  # the newest messages to an address that are asked for an opt-out
_ACTS = """
SELECT a.id, a.why_ct, n.id, n.name_ct FROM troth.suppression_act a JOIN troth.account n ON n.id = a.account_id
WHERE a.id = ANY(%s)
"""
_OVERRIDES = """
SELECT o.expires_at, o.expires_at > troth.now_v1() AND r.snapshot_id IS NULL AND NOT EXISTS (
           SELECT FROM troth.suppression l WHERE l.blind_index = o.blind_index
           AND NOT troth.overridden_v1(o.tenant_id, l.blind_index, l.reason, l.source, troth.now_v1(), troth.now_v1())),
       s.change_id, s.approved_at
FROM troth.suppression_override o JOIN troth.snapshot s ON s.id = o.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = o.snapshot_id
WHERE o.tenant_id = %s AND o.blind_index = ANY(%s) ORDER BY o.expires_at DESC LIMIT %s
"""
_PROPOSED = """
SELECT id FROM troth.change
WHERE kind = 'override' AND tenant_id = %s AND code = ANY(%s) AND state = 1 AND expires_at > troth.now_v1() LIMIT 1
"""
_ASKED = """
SELECT m.id FROM (SELECT id FROM troth.message WHERE tenant_id = %s AND blind_index = ANY(%s)
                  ORDER BY id DESC LIMIT %s) AS m
JOIN troth.event e ON e.message_id = m.id AND e.kind = %s ORDER BY m.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Act:
    """Who put an address on the list by hand, and their words; None where they cannot be read here."""

    who: str
    words: str | None


@dataclass(frozen=True, slots=True)
class Override:
    """Until when mail might reach the address, by which change."""

    until: datetime
    holds: bool
    change: UUID
    since: datetime


def acts(keys: TenantKeys, wanted: Sequence[UUID]) -> dict[UUID, Act]:
    if not wanted:
        return {}
    return {act: Act(_name(account, bytes(name)), _words(keys, act, bytes(words)))
            for act, words, account, name in rows(_ACTS, list(wanted))}  # fmt: skip


def _name(account: UUID, sealed: bytes) -> str:
    name: bytes = settings.TROTH_KEYS().operator.open(sealed, places.account(account, "name"))
    return name.decode()


def _words(keys: TenantKeys, act: UUID, sealed: bytes) -> str | None:
    try:
        return keys.open(sealed, places.suppression_words(act)).decode()
    except Undecryptable:
        return None


def overrides(tenant: UUID, who: Sequence[bytes]) -> list[Override]:
    """The newest first."""
    return [
        Override(until, holds, change, since)
        for until, holds, change, since in rows(_OVERRIDES, tenant, list(who), _MOST)
    ]


def proposed(tenant: UUID, who: Sequence[bytes]) -> UUID | None:
    """The open change that would override this address."""
    found = rows(_PROPOSED, tenant, [code(each) for each in who])
    return found[0][0] if found else None


def code(index: bytes) -> str:
    """An override's code: what it is about, told to nobody."""
    return f"address-{index.hex()[:16]}"


def opted_out_by(tenant: UUID, who: Sequence[bytes]) -> UUID | None:
    """The newest message to this address by whose link somebody opted out."""
    found = rows(_ASKED, tenant, list(who), _LETTERS, Kind.UNSUBSCRIBED)
    return found[0][0] if found else None
