"""Beside the river: what the domain duties work with, as the composition hands it over."""

from dataclasses import dataclass, field
from datetime import timedelta

from troth.keys.keyring import Keyring, TenantKeys
from troth.outside.dns import Resolver
from troth.outside.domain_views import Asked


@dataclass(frozen=True, slots=True)
class Rotation:
    """How DKIM keys change: a new one is made when the one in force has worked for `after`; it signs when every
    resolver has shown its record for `settle`; the one before it stays published for `overlap`; a record that does not
    come in `patience` ends the attempt.
    """

    after: timedelta = timedelta(days=180)
    settle: timedelta = timedelta(hours=1)
    overlap: timedelta = timedelta(days=10)
    patience: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose reputation is watched: addresses that mail leaves from, and the zones of DNS lists that are asked."""

    addresses: tuple[str, ...] = ()
    address_lists: tuple[str, ...] = ()
    domain_lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sending:
    """What every sending domain must show. `bounces`: the installation's domain of return paths, to which each domain's
    bounce.<domain> leads, None: they are the installation's own, and alignment is DKIM's. `resolvers`: each is asked by
    itself; none: `resolver` is. `servers_port`: the domains' own name servers are asked there, None: they are not.
    Without a keyring no key is rotated; without the operator's keys no case is opened.
    """

    resolver: Resolver
    spf_required: str
    bounces: str | None = None
    resolvers: tuple[Asked, ...] = ()
    servers_port: int | None = None
    keyring: Keyring | None = None
    operator: TenantKeys | None = None
    rotation: Rotation = field(default_factory=Rotation)
    watched: Watched = field(default_factory=Watched)

    @property
    def asked(self) -> tuple[Asked, ...]:
        return self.resolvers or (Asked("this machine's resolver", self.resolver),)
