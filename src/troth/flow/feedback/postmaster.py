"""Feedback: letters to postmaster (RFC 5321 4.5.1): kept sealed until a person has read them (`troth letter`)."""

from collections.abc import Sequence

from troth.flow.feedback.deps import Lend
from troth.keys import ids, places
from troth.keys.keyring import TenantKeys
from troth.mail.arrived import Arrived, Verdict
from troth.mail.smtp_path import POSTMASTER
from troth.store import gate, inbound

KEPT = 1_048_576  # octets of each; the rest is cut off
MOST = 1_000  # unread ones; a flood may not fill the disk


class Postmaster:
    """The desk of postmaster@ our domain, and of `postmaster` alone. `keys`: the operator's own."""

    name = "postmaster"

    def __init__(self, lend: Lend, keys: TenantKeys, domain: str) -> None:
        self._lend, self._keys = lend, keys
        self._ours = (POSTMASTER, f"{POSTMASTER}@{domain.lower()}")

    async def knows(self, address: str) -> bool:
        return address.lower() in self._ours

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        """One row, however many of its names were given; a second copy of a letter is another row."""
        del addresses
        async with self._lend() as connection:
            if await inbound.unread(connection) >= MOST:
                return Verdict.FULL
            id_ = ids.uuid7(await gate.now(connection))
            head = f"Return-Path: {arrived.reverse_path}\r\nX-Troth-Peer: {arrived.peer}\r\n".encode()
            sealed = self._keys.seal(head + arrived.octets[:KEPT], places.letter(id_))
            await inbound.keep(connection, id_, self.name, len(arrived.octets), sealed)
        return Verdict.TAKEN
