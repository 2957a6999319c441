"""Around the house: doctor's check of the sending domains: SPF, DKIM and DMARC, as kept and as the DNS has them now."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there
from troth.mail.domain_auth import Readiness
from troth.outside.dns import LookupFailed, Resolver
from troth.outside.domain_check import check_domain

_MOST = 200  # domains asked about now; the least ready come first
_AT_ONCE = 32
_FEW = 3  # domains that are named one by one when the DNS does not answer
_PATIENCE = 2.0  # seconds for one question
_WHOLE = 4.5  # seconds for all of them
_ASK = """
SELECT d.name, k.selector, k.public_der, d.ready_until > now_v1(), d.checked_at IS NOT NULL, d.findings
FROM domain_state d
JOIN governed g ON g.subject = d.domain_id AND NOT g.retired
JOIN snapshot s ON s.id = g.snapshot_id
LEFT JOIN dkim_key k ON k.domain_id = d.domain_id AND k.tenant_id = d.tenant_id AND k.state = 'active'
WHERE NOT s.artefact::jsonb ? 'retired' OR s.artefact::jsonb ->> 'retired' = 'false'
ORDER BY d.ready_until > now_v1(), d.checked_at NULLS FIRST
"""


@dataclass(frozen=True, slots=True)
class Domain:
    """A sending domain; `ready` and `findings` are what the duties last kept of it."""

    name: str
    selector: str | None
    public_der: bytes | None
    ready: bool
    checked: bool
    findings: list[dict[str, Any]]


def look(patient: Patient) -> Findings:
    with patient.connection("flow") as connection:
        if not there(connection, "domain_state"):
            raise NotAsked
        domains = [Domain(*row) for row in connection.execute(_ASK).fetchall()]
    if not domains:
        yield unknown("sending domains: there is none yet", "`troth domain add` makes one.")
        return
    seen = _ask_all(patient, domains[:_MOST])
    silent = [domain for domain in domains if domain.public_der and not isinstance(seen.get(domain.name), Readiness)]
    folded = silent if len(silent) > _FEW else []
    found = [
        finding for domain in domains if domain not in folded and (finding := _judge(domain, seen.get(domain.name)))
    ]
    yield from found
    if folded:
        yield _unanswered(folded, seen)
    if not found and not folded:
        yield ok(
            f"{len(domains)} sending {'domain shows' if len(domains) == 1 else 'domains show'} SPF, DKIM and DMARC"
        )


def _unanswered(domains: list[Domain], seen: dict[str, Readiness | LookupFailed]) -> Finding:
    """One line for a DNS that answers for none of them."""
    names = ", ".join(domain.name for domain in domains[:_FEW])
    first = next((each for each in seen.values() if isinstance(each, LookupFailed)), None)
    why = f": {first.reason}" if first else ""
    what = f"{len(domains)} sending domains could not be asked about ({names} and {len(domains) - _FEW} more){why}"
    return wrong(what, "Mend the DNS; the last good look stands for a while, then mail is refused.")


def _ask_all(patient: Patient, domains: list[Domain]) -> dict[str, Readiness | LookupFailed]:
    """What the DNS says now, of those it answered about in time."""
    seen: dict[str, Readiness | LookupFailed] = {}
    mechanism = patient.settings.spf_mechanism

    async def all_of_them() -> None:
        resolver = Resolver(patient.settings.dns_resolvers, timeout=_PATIENCE)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(domain: Domain) -> None:
            async with gate:
                key = base64.b64encode(domain.public_der or b"").decode()
                seen[domain.name] = await check_domain(
                    resolver, domain.name, domain.selector or "", key, mechanism or ""
                )

        asked = [one(domain) for domain in domains if domain.public_der]
        await asyncio.wait_for(asyncio.gather(*asked), _WHOLE)

    if mechanism:
        try:
            asyncio.run(all_of_them())
        except Exception:  # noqa: BLE001 - no resolver, or no time: what is not there was not answered
            return seen
    return seen


def _judge(domain: Domain, now: Readiness | LookupFailed | None) -> Finding | None:
    if domain.public_der is None:
        return wrong(f"{domain.name} has no DKIM key", f"Add it again: `troth domain add {domain.name}`.")
    if isinstance(now, Readiness):
        return _said(domain, now)
    reason = now.reason if isinstance(now, LookupFailed) else f"the DNS was not asked about {domain.name} in time"
    if domain.ready:
        return wrong(
            f"{domain.name}: {reason}; the last good look stands for a while", "Mend the DNS before mail is refused."
        )
    kept = "; ".join(str(each.get("sentence")) for each in domain.findings if not each.get("ok"))
    return wrong(f"{domain.name} cannot send: {reason}{f'; last seen: {kept}' if kept else ''}", "Mend the DNS.")


def _said(domain: Domain, now: Readiness) -> Finding | None:
    if not now.ready:
        bad = [finding for finding in now.findings if not finding.ok]
        codes = ", ".join(finding.code for finding in bad)
        return wrong(f"{domain.name} cannot send ({codes})", " ".join(now.problems))
    if not domain.ready:
        return unknown(f"{domain.name}: its records are right now, and Troth has not looked since",
                       "A running `troth up` looks within 10 minutes.")  # fmt: skip
    return None
