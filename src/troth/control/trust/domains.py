"""Claims: the sending domains of a programme, as the database has them and as the DNS shows them now."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.control.trust.found import Findings
from troth.control.trust.look import Look, Programme, Tenant
from troth.mail.domain_auth import Readiness
from troth.outside.dns import LookupFailed
from troth.outside.domain_check import Wanted, check

_AT_ONCE = 16
_PATIENCE = 10.0  # seconds for all domains together
_DOMAINS = """
SELECT d.domain_id, d.tenant_id, d.name, d.ready_until, d.checked_at, d.last_good_at, d.lookup_failed,
       coalesce((SELECT bool_and((f ->> 'ok')::boolean) FROM jsonb_array_elements(d.findings) AS f), false),
       k.selector, k.bits, k.public_der,
       EXISTS (SELECT FROM revocation r WHERE r.snapshot_id = g.snapshot_id) OR g.retired, d.path_until
FROM domain_state d
JOIN governed g ON g.subject = d.domain_id
LEFT JOIN dkim_key k ON k.domain_id = d.domain_id AND k.state = 'active'
WHERE d.tenant_id = %s ORDER BY d.name
"""
_KEYS = """
SELECT d.name, k.selector, k.bits, k.public_der FROM dkim_key k JOIN domain_state d ON d.domain_id = k.domain_id
WHERE k.tenant_id = %s
"""


@dataclass(frozen=True, slots=True)
class Domain:
    """`good`: every finding of the last look was. `public_der` None: it has no active key. `path_until`: its own return
    path is used until then.
    """

    id: UUID
    tenant: UUID
    name: str
    ready_until: datetime
    checked_at: datetime | None
    last_good_at: datetime | None
    lookup_failed: bool
    good: bool
    selector: str | None
    bits: int | None
    public_der: bytes | None
    stopped: bool
    path_until: datetime

    @property
    def sends(self) -> bool:
        """Whether it was ever good and is approved still: from then on it is held to its records."""
        return self.last_good_at is not None and not self.stopped


def of_programme(look: Look, programme: Programme) -> list[Domain]:
    """Its clients' domains."""
    return [domain for tenant in look.of_programme(programme) for domain in _domains(look, tenant)]


def _domains(look: Look, tenant: Tenant) -> list[Domain]:
    def read() -> list[Domain]:
        with look.of(tenant.id) as connection:
            return [Domain(*row) for row in connection.execute(_DOMAINS, (tenant.id,)).fetchall()]

    found: list[Domain] = look.once(("domains", tenant.id), read)
    return found


def keys(look: Look, programme: Programme) -> dict[tuple[str, str], tuple[int, bytes]]:
    """(domain, selector) -> (bits as recorded, public key), retired ones included."""
    found: dict[tuple[str, str], tuple[int, bytes]] = {}
    for tenant in look.of_programme(programme):
        with look.of(tenant.id) as connection:
            rows: Sequence[Any] = connection.execute(_KEYS, (tenant.id,)).fetchall()
        found |= {(name.lower(), selector.lower()): (bits, bytes(public)) for name, selector, bits, public in rows}
    return found


def seen(look: Look) -> dict[UUID, Readiness | LookupFailed]:
    """What the DNS shows of every domain with a key, asked once a check, all at the same time."""
    spf = look.outside.spf_mechanism or "mx"  # SPF is another claim's
    found: dict[UUID, Readiness | LookupFailed] = look.once(
        "dns", lambda: asyncio.run(_ask(look, _asked(look), spf, None))
    )
    return found


def seen_paths(look: Look) -> dict[UUID, Readiness | LookupFailed]:
    """The same with each domain's own return path, which must lead to the installation's."""
    spf, bounces = look.outside.spf_mechanism, look.outside.bounces
    if not spf or not bounces:
        return {}
    found: dict[UUID, Readiness | LookupFailed] = look.once(
        "dns of return paths", lambda: asyncio.run(_ask(look, _asked(look), spf, bounces))
    )
    return found


def _asked(look: Look) -> list[Domain]:
    all_of = (domain for tenant in look.tenants for domain in _domains(look, tenant))
    return [domain for domain in all_of if domain.selector and domain.public_der]


async def _ask(
    look: Look, asked: Sequence[Domain], spf: str, bounces: str | None
) -> dict[UUID, Readiness | LookupFailed]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(domain: Domain) -> Readiness | LookupFailed:
        async with gate:
            public = base64.b64encode(domain.public_der or b"").decode()
            wanted = Wanted(domain.name.lower(), domain.selector or "", public, spf, bounces)
            return await check(look.outside.resolver, wanted)

    tasks = {domain.id: asyncio.ensure_future(one(domain)) for domain in asked}
    done, late = await asyncio.wait(tasks.values(), timeout=_PATIENCE) if tasks else (set(), set())
    for task in late:
        task.cancel()
    names = {domain.id: domain.name for domain in asked}
    return {
        key: task.result() if task in done else LookupFailed(names[key], f"no answer within {_PATIENCE:g} s")
        for key, task in tasks.items()
    }


def unanswered(findings: Findings, look: Look, domain: Domain) -> None:
    """The DNS does not answer: the last good look stands for the policy's grace; after that it is too old."""
    tenant = next((each for each in look.tenants if each.id == domain.tenant), None)
    policy = look.policy(tenant) if tenant else None
    grace = timedelta(minutes=policy.domain.grace_minutes) if policy else timedelta(0)
    good = domain.last_good_at
    if good is None or look.now - good > grace or not (domain.good or domain.lookup_failed):
        findings.old.append(f"the DNS does not answer for {domain.name}, which was last seen good at {good}")
    else:
        findings.seen["from_the_last_look"] = findings.seen.get("from_the_last_look", 0) + 1
