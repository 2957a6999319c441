"""Feedback: letters to postmaster (RFC 5321 4.5.1): kept sealed for a person (/letters, `troth letter`)."""

from collections.abc import Sequence

from troth.flow.feedback import aside
from troth.flow.feedback.deps import Lend
from troth.keys.keyring import TenantKeys
from troth.mail.arrived import Arrived, Verdict
from troth.mail.smtp_path import POSTMASTER


class Postmaster:
    """The desk of postmaster@ our domain, and of `postmaster` alone. `keys`: the operator's own."""

    name = "postmaster"

    def __init__(self, lend: Lend, keys: TenantKeys, domain: str) -> None:
        self._lend, self._keys = lend, keys
        self._ours = (POSTMASTER, f"{POSTMASTER}@{domain.lower()}")

    async def knows(self, address: str) -> bool:
        return address.lower() in self._ours

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        """One row, however many of its names were given, and however often it comes."""
        async with self._lend() as connection:
            return await aside.keep(connection, self._keys, self.name, aside.LETTER, arrived, addresses)
