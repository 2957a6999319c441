"""Messages: what is sealed under a person's key, opened for a page. An erased person's is gone for everybody."""

from uuid import UUID

import msgspec

from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import PersonKey, TenantKeys


class Opener:
    """Opens a client's people, each once a page. `content`: whether whoever looks may know whom a message went to, and
    what was said; else addresses stay sealed.
    """

    def __init__(self, keys: TenantKeys, tenant: UUID, *, content: bool) -> None:
        self.tenant = tenant
        self.content = content
        self._keys = keys
        self._people: dict[UUID, PersonKey | None] = {}

    def person(self, person: UUID, data_key: bytes | None) -> PersonKey | None:
        """None for an erased person, and for a key that does not open here."""
        if person not in self._people:
            self._people[person] = self._unwrap(person, data_key)
        return self._people[person]

    def address(self, person: UUID, data_key: bytes | None, address_ct: bytes | None) -> str | None:
        key = self.person(person, data_key) if self.content else None
        if key is None or address_ct is None:
            return None
        try:
            return key.open(address_ct, places.address(person)).decode()
        except Undecryptable:
            return None

    def _unwrap(self, person: UUID, data_key: bytes | None) -> PersonKey | None:
        try:
            return self._keys.person(data_key, person) if data_key is not None else None
        except Undecryptable:
            return None


def document(key: PersonKey | None, sealed: bytes | None, place: bytes) -> dict[str, object]:
    """A sealed JSON object; empty where it cannot be opened or is none."""
    if key is None or sealed is None:
        return {}
    try:
        found = msgspec.json.decode(key.open(sealed, place))
    except (Undecryptable, msgspec.DecodeError):
        return {}
    return found if isinstance(found, dict) else {}
