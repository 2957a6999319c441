"""Beside the river: DKIM keys change on a schedule: a new pair is made in good time; what had its time is ended.

The switch itself is made by the domain checks, when the new key's record is seen (domains.py).
"""

import asyncio
import os
from datetime import datetime

import structlog

from troth.flow.duties.sending import Sending
from troth.keys.dkim_pairs import make_pair
from troth.keys.errors import KeyringError
from troth.keys.keyring import Keyring
from troth.store import domains as store
from troth.store import gate
from troth.store.connection import Connection
from troth.store.domains import DueDomain, NewKey

log = structlog.get_logger("troth.duties")


async def rotate(connection: Connection, sending: Sending) -> int:
    """How many keys were made or ended."""
    ended = await store.end(connection, sending.rotation.patience)
    made = 0
    if sending.keyring is not None:
        now = await gate.now(connection)
        for domain in await store.due(connection, sending.rotation.after):
            made += await _begin(connection, sending, sending.keyring, domain, now)
    return ended + made


async def _begin(connection: Connection, sending: Sending, keyring: Keyring, domain: DueDomain, now: datetime) -> bool:
    """A domain whose keyset cannot be opened waits for the next time, and holds up no other."""
    try:
        keys = keyring.tenant(domain.tenant_id, domain.keyset)
    except KeyringError as trouble:
        log.warning("dkim.not-begun", domain=domain.name, reason=str(trouble))
        return False
    pair = await asyncio.to_thread(make_pair, keys, domain.domain_id, selector_of(now))
    new = NewKey(pair.selector, pair.private_ct, pair.public_der, pair.bits)
    begun = await store.begin(connection, domain.domain_id, new, sending.rotation.after)
    return begun is not None


def selector_of(now: datetime) -> str:
    """`t20261122-3fa9`: the day tells people how old a key is; the rest makes it one that was never used."""
    return f"t{now:%Y%m%d}-{os.urandom(2).hex()}"
