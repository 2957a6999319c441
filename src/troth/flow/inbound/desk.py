"""Inbound: what takes a letter: one desk a kind of address that is ours; the composition hands them in."""

from collections.abc import Sequence
from typing import Protocol

from troth.mail.arrived import Arrived, Verdict


class Desk(Protocol):
    """Addresses are mail.smtp_path's: a mailbox, or POSTMASTER alone. What the store raises is temporary."""

    @property
    def name(self) -> str:
        """For the meters."""
        ...

    async def knows(self, address: str) -> bool:
        """Whether a letter to it may come; asking changes nothing (servers ask to verify an address)."""
        ...

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        """Done when it returns, however often the same letter comes."""
        ...
