"""Submission: what the HTTP door needs, handed in by the composition; and one request on its way through."""

from dataclasses import dataclass, field
from uuid import UUID

from starlette.requests import Request

from troth.flow.gate.accept import Gate
from troth.flow.gate.world import Memory
from troth.flow.submission.body import Budget, Held
from troth.flow.submission.connections import Lend
from troth.flow.submission.peer import Networks
from troth.flow.submission.request_log import RequestLog
from troth.flow.submission.shelf import Shelf
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring
from troth.outside.dns import Resolver
from troth.store.gate import KeyRow


@dataclass(frozen=True, slots=True)
class Deps:
    """One door process. `body_limit` in octets; `public_url` begins every link to our pages, without a slash."""

    gate: Gate
    lend: Lend
    keyring: Keyring
    secrets: InstallationSecrets
    log: RequestLog
    cell: str
    public_url: str
    body_limit: int = 10_485_760
    batch_limit: int = 500
    budget: Budget = field(default_factory=Budget)
    memory: Memory = field(default_factory=Memory)
    trusted_proxies: Networks = ()
    shelf: Shelf = field(default_factory=Shelf)
    resolver: Resolver = field(default_factory=Resolver)


@dataclass(slots=True)
class Call:
    """One request. `key_hash` is set once the key is well formed, `known` once the store knows it."""

    request: Request
    request_id: str
    route: str
    held: Held
    key_hash: bytes | None = None
    known: KeyRow | None = None
    email_id: UUID | None = None
