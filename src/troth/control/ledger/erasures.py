"""Evidence against erasure: whoever's events stay sealed for good was erased by an act that the ledger tells of."""

from collections.abc import Mapping
from uuid import UUID

from troth.ledger.verify import Found

ERASED = "privacy:person:erase"


class Erasures:
    """People who are erased, as their rows say; then, read after them, the entries that say so."""

    def __init__(self) -> None:
        self._seen: set[UUID] = set()
        self._told: set[str] = set()

    def seen(self, person: UUID) -> None:
        """This person's row says that they were erased."""
        self._seen.add(person)

    def told(self, fields: Mapping[str, str | int]) -> None:
        """One entry of the ledger or of the line."""
        if fields["kind"] == ERASED:
            self._told.add(str(fields.get("person")))

    def check(self) -> None:
        """Raise Found for one without an entry: what cannot be opened any more could have been changed."""
        for person in sorted(self._seen):
            if str(person) not in self._told:
                raise Found(f"the person {person} is marked as erased, and no entry in the ledger says that they were")
