"""Feedback: letters that are kept aside for a person, sealed: those to people, and those that no desk may or can obey.

What keeps them is bounded by desk and reason: a flood is a number, and neither fills the disk nor hides other letters.
"""

from collections.abc import Sequence
from hashlib import sha256

from troth.keys import ids, places
from troth.keys.keyring import TenantKeys
from troth.mail.arrived import Arrived, Verdict
from troth.store import gate, inbound
from troth.store.connection import Connection

LETTER = "letter"  # the reason of what is for people anyway
KEPT = 1_048_576  # octets of each; the rest is cut off
MOST = inbound.Most(letters=1_000, of_reason=400, octets=268_435_456)
MOST_OF_PEOPLE = inbound.Most(letters=1_000, of_reason=1_000, octets=268_435_456)
PEOPLE = ("postmaster", "abuse", "security", "privacy")  # their senders are told when there is no room


async def keep(
    connection: Connection, keys: TenantKeys, desk: str, reason: str, arrived: Arrived, to: Sequence[str] = ()
) -> Verdict:
    """`keys`: the operator's own; `to`: the envelope's recipients. The same letter again is the same row.

    desk: postmaster, bounce, complaint, report, abuse, security, privacy. reason: a closed word of a-z, 0-9 and
    hyphens. FULL only for letters to people: a machine's is counted then, and nothing is gained by its coming again.
    """
    id_ = ids.uuid7(await gate.now(connection))
    whole = head(arrived, to) + arrived.octets[:KEPT]
    new = inbound.NewLetter(
        id_, desk, reason, sha256(arrived.octets).digest()[:16], len(arrived.octets),
        keys.seal(whole, places.letter(id_)),
    )  # fmt: skip
    told = await inbound.keep(connection, new, MOST_OF_PEOPLE if desk in PEOPLE else MOST)
    return Verdict.FULL if told == "full" and desk in PEOPLE else Verdict.TAKEN


async def count(connection: Connection, desk: str, reason: str) -> None:
    """A letter that was dealt with, or of which only its number is kept."""
    await inbound.count(connection, desk, reason)


def head(arrived: Arrived, to: Sequence[str]) -> bytes:
    """The envelope, as it stands in front of what is kept of a letter."""
    lines = [
        f"Return-Path: {arrived.reverse_path}",
        f"X-Troth-Peer: {arrived.peer}",
        *(f"X-Troth-To: {each}" for each in to),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")
