"""Asking: a form that was sent is kept sealed, bounded by address and by network, and its address is mailed once; the
button behind that mail starts the clock.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.control.abuse.filing import now, policies
from troth.control.asking import agreement
from troth.control.asking.networks import network
from troth.control.asking.typed import Typed
from troth.control.audit.asking import row, rows
from troth.keys import ids, places
from troth.keys.installation import Purpose
from troth.keys.opened import Keys
from troth.mail.address import Address, parse_address

KEPT, OFTEN, FULL, OURS = "kept", "often", "full", "ours"
_FILE = "SELECT troth.asked_file_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_CONFIRM = "SELECT troth.asked_confirm_v1(%s, %s)"
_OFFERS = "SELECT kind FROM troth.asked_offers_v1(%s)"
_DOMAINS = "SELECT lower(domain) FROM troth.programme"


def offered(programme: UUID) -> tuple[str, ...]:
    """Kinds of documents that may be asked for."""
    return tuple(kind for (kind,) in rows(_OFFERS, programme))


@transaction.atomic
def file(kind: str, programme: UUID, typed: Typed, place: str, once: UUID) -> str:
    """KEPT, OFTEN, FULL, or OURS (nobody at an address of ours is mailed). `once`: makes the same form one."""
    keys, address = settings.TROTH_KEYS(), parse_address(typed.address)
    if address.domain in _ours():
        return OURS
    told = {name: value for name, value in asdict(typed).items() if name in ("name", "firm", "words")}
    documents = kind == "documents"
    found = row(
        _FILE, once, ids.uuid7(now()), programme, kind, _place(keys, place), _mailbox(keys, address),
        keys.secrets.blind_index().index(address.normal),
        keys.operator.seal(address.addr_spec.encode(), places.asked(once, "address")),
        keys.operator.seal(json.dumps(told).encode(), places.asked(once, "words")),
        list(typed.wants) if documents else [], agreement.digest() if documents else None,
    )  # fmt: skip
    assert found is not None
    return str(found[0])


@transaction.atomic
def confirm(asked: UUID, kind: str, programme: UUID) -> str:
    """confirmed, full or gone."""
    found = row(_CONFIRM, asked, due(kind, programme, now()))
    assert found is not None
    return str(found[0])


def due(kind: str, programme: UUID, at: datetime) -> datetime:
    """By when it is answered, as the programme's policy in force says."""
    spans = [each.trust.question_days if kind == "question" else each.trust.request_days
             for each in policies(None, programme)]  # fmt: skip
    return at + timedelta(days=min(spans, default=7))


def _ours() -> Iterable[str]:
    return {settings.TROTH_MAIL_DOMAIN.lower(), settings.TROTH_RETURN_PATH.lower(), *(one for (one,) in rows(_DOMAINS))}


def _mailbox(keys: Keys, address: Address) -> bytes:
    """One mailbox, however it is written: what stands behind a plus changes nothing for most, and is left out here."""
    local, _, domain = address.normal.rpartition("@")
    return _keyed(keys, b"mailbox\0", f"{local.partition('+')[0] or local}@{domain}")


def _place(keys: Keys, place: str) -> bytes | None:
    found = network(place)
    return _keyed(keys, b"place\0", found) if found else None


def _keyed(keys: Keys, what: bytes, value: str) -> bytes:
    return hmac.digest(keys.secrets.token_keys(Purpose.CASE)[0], b"asked " + what + value.encode(), sha256)
