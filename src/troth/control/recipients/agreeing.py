"""Recipients: what may be agreed to on the confirmation page, beside that the address is theirs, which is no consent.

One box for each category that is sent on consent, each unticked, with what it is for, who sends it and that it can be
taken back (CASL section 10 (1), GDPR Article 7). What is ticked is kept with the words that stood there, sealed for the
person; a form holds what it showed, signed, so that nothing else can be agreed to with it.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing

from troth.control.audit.asking import row, rows
from troth.control.people.actor import scoped
from troth.control.recipients.confirmation import Link
from troth.keys import consents
from troth.keys.consents import Said
from troth.keys.ids import uuid7
from troth.rules.consent import EXPRESS

BUTTON = "Yes, this is my address"
_INTRO = (
    "If you like, choose what {client}, {postal}, may also send you. Each is a choice of its own, none is needed, and "
    "you can withdraw at any time: every message has a link for that."
)
_LABEL = "Yes, send me “{name}”: {purpose}"
_BASIS = "confirmation"
_SALT = "troth.recipients.offers"
_OFFERS = "SELECT category_id, name, purpose FROM troth.confirmation_offers_v1(%s)"
_KEYS = "SELECT tenant_id, person_id, keyset, data_key, troth.now_v1() FROM troth.confirmation_keys_v1(%s)"
_RECORD = """
SELECT troth.consent_v1(%s, %s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::timestamptz[],
                        %s::timestamptz[], %s::bytea[])
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """One category, as a box of the page; `label` is what stands beside it."""

    id: UUID
    name: str
    label: str

    @property
    def value(self) -> str:
        return self.id.hex


def offers(secret: bytes) -> list[Offer]:
    """What this link's page offers; looking changes nothing."""
    return [
        Offer(found, name, _LABEL.format(name=name, purpose=purpose)) for found, name, purpose in rows(_OFFERS, secret)
    ]


def intro(link: Link) -> str:
    """What stands above the boxes."""
    return _INTRO.format(client=link.client, postal=", ".join(link.postal_address.split("\n")))


def shown(secret: bytes, link: Link, offered: Iterable[Offer]) -> str:
    """For the form: what this page showed, of this link, signed."""
    return signing.dumps(_digest(secret, link, offered), salt=_SALT)


def was_shown(secret: bytes, link: Link, offered: Iterable[Offer], told: str, lasts: int) -> bool:
    """Whether a form showed what is offered now, word for word; lasts: seconds."""
    try:
        found = signing.loads(told, salt=_SALT, max_age=lasts)
    except signing.BadSignature:
        return False
    return bool(found == _digest(secret, link, offered))


def _digest(secret: bytes, link: Link, offered: Iterable[Offer]) -> str:
    words = "\0".join((intro(link), *(f"{each.value}\0{each.label}" for each in offered), BUTTON))
    return hashlib.sha256(secret + words.encode()).hexdigest()


def ticked(offered: Sequence[Offer], values: Collection[str]) -> list[Offer] | None:
    """The boxes that were ticked; None where one of them was not there."""
    found = [each for each in offered if each.value in values]
    return found if len(found) == len(set(values)) else None


def record(secret: bytes, link: Link, agreed: Sequence[Offer], how: str, source: str) -> None:
    """In the transaction that verified the person. how: pressed, or typed a code; source: the address it came from."""
    if not agreed:
        return
    found = row(_KEYS, secret)
    assert found is not None
    tenant, person, keyset, data_key, now = found
    key = settings.TROTH_KEYS().keyring.tenant(tenant, bytes(keyset)).person(bytes(data_key), person)
    made, n = [uuid7(now) for _ in agreed], len(agreed)
    sealed = [
        consents.seal(key, one, Said(f"{intro(link)}\n{each.label}\n{BUTTON}", f"ticked its box and {how}", source))
        for one, each in zip(made, agreed, strict=True)
    ]
    scoped(tenant)
    row(
        _RECORD, tenant, made, [person] * n, [each.id for each in agreed], [EXPRESS] * n, [_BASIS] * n, [None] * n,
        [None] * n, sealed,
    )  # fmt: skip
    scoped(None)
