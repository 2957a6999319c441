"""The keyring's word for what a consent was: the wording shown, how and from where it came, sealed for its person."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.keys import places
from troth.keys.keyring import PersonKey


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """wording: what the person read. how: the act, as 'pressed a button'. source: the address it came from. told_by:
    who recorded it, where the person did not do it here.
    """

    wording: str
    how: str
    source: str = ""
    told_by: str = ""
    at: datetime | None = None


def seal(key: PersonKey, consent: UUID, said: Said) -> bytes:
    """For consent.detail_ct."""
    return key.seal(msgspec.json.encode(said), places.consent(consent))


def opened(key: PersonKey, consent: UUID, sealed: bytes) -> dict[str, Any]:
    """What `seal` sealed; Undecryptable for anything else."""
    found: dict[str, Any] = msgspec.json.decode(key.open(sealed, places.consent(consent)))
    return found
