"""Feedback: what its pages need, handed in by the composition."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from starlette.requests import Request

from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Answer, Ask
from troth.flow.gate.world import Memory
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring, TenantKeys
from troth.store.connection import Connection

Lend = Callable[[], AbstractAsyncContextManager[Connection]]


def _nobody(request: Request) -> str:
    return request.client.host if request.client else ""


async def _no_gate(ask: Ask) -> Answer:
    del ask
    raise StoreAway("There is no gate here.")


@dataclass(frozen=True, slots=True)
class Deps:
    """`lend` gives a connection for a while; `peer` says from which address a request came; `secure`: cookies go over
    TLS alone; `submit`: the gate, for Troth's own mail; `operator`: its own keyset, under which a suppressed address
    is kept (without it the address is not).
    """

    lend: Lend
    keyring: Keyring
    secrets: InstallationSecrets
    memory: Memory = field(default_factory=Memory)
    peer: Callable[[Request], str] = _nobody
    secure: bool = False
    submit: Callable[[Ask], Awaitable[Answer]] = _no_gate
    operator: TenantKeys | None = None
