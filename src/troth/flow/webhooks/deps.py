"""Webhooks' means, handed in by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from troth.flow.gate.asks import Answer, Ask
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring, TenantKeys
from troth.outside.guarded_http import GuardedClient
from troth.store.connection import Connection


class Submits(Protocol):
    """The gate, by which the mail about a disabled endpoint goes: like all mail."""

    async def submit(self, ask: Ask) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Deps:
    """`operator` opens the addresses of people with accounts; `public_url`: of the pages, for what a mail links to."""

    connect: Callable[[str], Awaitable[Connection]]
    keyring: Keyring
    operator: TenantKeys
    secrets: InstallationSecrets
    client: GuardedClient
    gate: Submits
    cell: str
    public_url: str = ""
