"""Feedback: letters to privacy@, at our own domain and each programme's: kept sealed for a person (/letters). One that
is certainly its sender's is owed an answer in time (claim TRC-2); of any other nobody can say who would be owed it.
"""

import asyncio
from collections.abc import Sequence

from troth.flow.feedback import aside
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.desks import Signed
from troth.flow.feedback.desks_reading import automatic, read
from troth.keys.keyring import TenantKeys
from troth.mail.arrived import Arrived, Verdict
from troth.store import desks as store
from troth.store import gate

OWED = "own-data"  # the reason of a letter that its sender signed, to us


class PrivacyDesk:
    """The desk of `privacy@`, with a tag behind a plus or without. `keys`: the operator's own."""

    name = "privacy"

    def __init__(self, deps: Deps, keys: TenantKeys, domain: str, signed: Signed) -> None:
        self._deps, self._keys, self._domain, self._signed = deps, keys, domain.lower(), signed

    async def knows(self, address: str) -> bool:
        local, _, domain = address.lower().rpartition("@")
        if local.partition("+")[0] != self.name:
            return False
        if domain == self._domain:
            return True
        async with self._deps.lend() as connection:
            return domain in await store.programmes(connection)

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        said = await asyncio.to_thread(read, arrived.octets)
        if automatic(said, arrived):
            return Verdict.AUTOMATIC
        async with self._deps.lend() as connection:
            now = await gate.now(connection)
        # the DNS is asked while no connection is held
        signed = said.sender is not None and await self._signed(arrived.octets, said.part, said.sender, now, addresses)
        async with self._deps.lend() as connection:
            reason = OWED if signed else aside.LETTER
            return await aside.keep(connection, self._keys, self.name, reason, arrived, addresses)
