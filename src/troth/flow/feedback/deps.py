"""Feedback: what its pages need, handed in by the composition."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from troth.flow.gate.world import Memory
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring
from troth.store.connection import Connection

Lend = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Deps:
    """`lend` gives a connection for a while."""

    lend: Lend
    keyring: Keyring
    secrets: InstallationSecrets
    memory: Memory = field(default_factory=Memory)
