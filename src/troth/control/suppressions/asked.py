"""Suppressions: what a list's address bar asks for, read once: an address and a place in it are sealed for one client,
or for the operator where no client is looked at.
"""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import QueryDict

from troth.control.suppressions.reading import Place, place_of
from troth.control.suppressions.words import REASONS
from troth.control.tenants import seeking
from troth.keys.keyring import TenantKeys

NAMES = ("who", "reason", "sort", "after", "before")
LONGEST = 1000
_ROOM = "suppressions"


def keys_of(tenant: UUID | None) -> TenantKeys:
    """The keyset of the client that is looked at, or the operator's."""
    if tenant is not None:
        return seeking.keys_of(tenant)
    found: TenantKeys = settings.TROTH_KEYS().operator
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """`given` as it stands in the address bar; `who` is an address; `faults`: sentences, nothing is looked up."""

    given: dict[str, str]
    who: str | None
    reason: int | None
    after: Place | None
    before: Place | None
    faults: list[str]

    @classmethod
    def read(cls, query: QueryDict, keys: TenantKeys) -> Self:
        given = {name: v for name in NAMES if (v := query.get(name, "").strip().replace("\0", "")[:LONGEST])}
        if "after" in given:
            given.pop("before", None)
        if given.get("sort") != "oldest":
            given.pop("sort", None)
        return cls.of(given, keys)

    @classmethod
    def of(cls, given: dict[str, str], keys: TenantKeys) -> Self:
        places = {name: _place(keys, given[name]) for name in ("after", "before") if name in given}
        who = seeking.opened_who(keys, given["who"]) if "who" in given else None
        reason = REASONS.get(given.get("reason", ""))
        faults = []
        if "who" in given and who is None:
            faults.append("This link’s address was sealed for another client, or is cut. Search for the address again.")
        if "reason" in given and reason is None:
            faults.append("There is no such reason.")
        if None in places.values():
            faults.append("This place in the list cannot be read. Start again at the newest.")
        return cls(given, who, reason, places.get("after"), places.get("before"), faults)

    @property
    def oldest(self) -> bool:
        return "sort" in self.given

    @property
    def indexes(self) -> list[bytes] | None:
        """The address's, one a layer."""
        return seeking.indexes(self.who) if self.who else None

    def href(self, **changes: str | None) -> str:
        """The address of the same list with `changes` (None: without); every change leaves the place."""
        kept = {name: value for name, value in self.given.items() if name not in ("after", "before")}
        found = {**kept, **changes}
        query = urlencode({name: value for name in NAMES if (value := found.get(name))})
        return f"/suppressions?{query}" if query else "/suppressions"

    def at(self, keys: TenantKeys, parameter: str, place: Place) -> str:
        """The same list from another place on."""
        return self.href(**{parameter: seeking.sealed_cursor(keys, _ROOM, place.packed())})


def _place(keys: TenantKeys, text: str) -> Place | None:
    packed = seeking.opened_cursor(keys, _ROOM, text)
    return place_of(packed) if packed else None
