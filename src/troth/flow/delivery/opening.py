"""Delivery, before composing: a claimed message's key is unwrapped and its letter opened, or why that cannot be."""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from troth.flow.delivery.work import Back, Hindrance, Work
from troth.keys import places
from troth.keys.errors import KmsUnavailable, Undecryptable
from troth.keys.keyring import Keyring
from troth.mail.letter import Letter, decode
from troth.rules.mark import MarkVerdict
from troth.rules.states import Kind

KMS_AWAY = Back(delay=30.0)
CANNOT_OPEN = Hindrance(Kind.HELD, "cannot-open", "Its content could not be opened with the keys at hand.")

type Opened = Letter | Hindrance | MarkVerdict | Back


def unlock(keyring: Keyring, work: Work) -> Hindrance | MarkVerdict | Back | None:
    """Give the work its person's key; None when it has it, else what keeps it from being sent."""
    if work.loaded.data_key is None:
        return MarkVerdict.ERASED
    claimed = work.claimed
    try:
        tenant = keyring.tenant(claimed.tenant_id, work.loaded.keyset)
        work.key = tenant.person(work.loaded.data_key, claimed.person_id)
    except KmsUnavailable:
        return KMS_AWAY
    except Undecryptable:
        return CANNOT_OPEN
    return None


def open_letter(work: Work) -> Letter | Hindrance:
    """The letter of an unlocked work."""
    assert work.key is not None
    try:
        return decode(work.key.open(work.loaded.body_ct, places.body(work.claimed.message_id)))
    except (Undecryptable, msgspec.DecodeError):
        return CANNOT_OPEN


def others(work: Work, letter: Letter) -> Iterator[UUID]:
    """The other people whom its header names."""
    own = work.claimed.person_id
    return (box.person for box in (*letter.to, *letter.cc) if box.person != own)
