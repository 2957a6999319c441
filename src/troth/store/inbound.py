"""What the inbound server writes, typed: that it lives, and letters that a person has to read."""

from dataclasses import dataclass
from uuid import UUID

from troth.store.connection import Connection, run, tuples
from troth.store.queries import load

_SQL = load("inbound")


async def beat(connection: Connection, domain: str) -> None:
    """Mail to this domain is taken, at this moment."""
    await run(connection, _SQL["inbound_beat"], {"domain": domain})


async def unread(connection: Connection) -> int:
    found: int = (await tuples(connection, _SQL["inbound_unread"], {}))[0][0]
    return found


@dataclass(frozen=True, slots=True)
class NewLetter:
    """`sealed` to keys/places.letter of its id, under the operator's keyset; size: octets as it came; digest: 16 octets
    of SHA-256 of the letter, which make a repeat the same row.
    """

    id: UUID
    desk: str
    reason: str
    digest: bytes
    size: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Most:
    """Unread letters of a desk, of one reason there, and their octets: what comes above is counted and not kept."""

    letters: int
    of_reason: int
    octets: int


async def keep(connection: Connection, new: NewLetter, most: Most) -> str:
    """'kept', 'known' (the same letter is here), or 'full'."""
    params = {
        "id": new.id, "desk": new.desk, "reason": new.reason, "digest": new.digest, "size": new.size,
        "letter": new.sealed, "most": most.letters, "most_of_reason": most.of_reason, "octets": most.octets,
    }  # fmt: skip
    found: str = (await tuples(connection, _SQL["letter_keep"], params))[0][0]
    return found


async def count(connection: Connection, desk: str, reason: str) -> None:
    """A letter that left no more than its number."""
    await tuples(connection, _SQL["letter_count"], {"desk": desk, "reason": reason})
