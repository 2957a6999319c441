"""Around the house: doctor's check of the return path: bounces find their way back, and SPF holds for it."""

import asyncio

from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.mail import domain_auth
from troth.outside.dns import Lookup, LookupFailed, Resolver

_PATIENCE = 2.0  # seconds for one question


def look(patient: Patient) -> Findings:
    domain = patient.settings.return_path_domain
    if not domain:
        yield unknown("bounces: no return_path_domain is set", "Set it to a domain whose MX leads here.")
        return
    try:
        resolver = Resolver(patient.settings.dns_resolvers, timeout=_PATIENCE)
    except Exception as trouble:  # noqa: BLE001 - the resolver's own check says more
        yield unknown(f"{domain}: the DNS cannot be asked ({type(trouble).__name__})")
        return
    found = asyncio.run(_ask(resolver, domain, patient.settings.spf_mechanism))
    yield from found or [ok(f"{domain} takes mail and shows SPF")]


async def _ask(resolver: Resolver, domain: str, mechanism: str | None) -> list[Finding]:
    mx, hosts, text = await asyncio.gather(resolver.mx(domain), resolver.addresses(domain), resolver.txt(domain))
    if isinstance(mx, LookupFailed) or isinstance(text, LookupFailed):
        failed = mx if isinstance(mx, LookupFailed) else text
        assert isinstance(failed, LookupFailed)
        return [wrong(f"{domain}: {failed.reason}", "Mend the DNS: bounces cannot come back without it.")]
    return [*_mail(domain, mx, hosts), *_spf(domain, text, mechanism)]


def _mail(domain: str, mx: Lookup[tuple[int, str]], hosts: Lookup[str] | LookupFailed) -> Findings:
    takers = [host for _, host in mx.values]
    if takers == ["."]:
        yield wrong(
            f"{domain} says that it takes no mail (a null MX)", "Publish an MX that leads to where bounces are taken."
        )
    elif not takers and not (isinstance(hosts, Lookup) and hosts.values):
        yield wrong(
            f"{domain} has no MX: bounces cannot come back", f"Publish: {domain} MX 10 and the host that takes them."
        )


def _spf(domain: str, text: Lookup[str], mechanism: str | None) -> Findings:
    if mechanism:
        finding = domain_auth.spf(text.values, mechanism, at=domain)
        if not finding.ok:
            yield wrong(f"{domain}, the return path, is not covered ({finding.code})", finding.sentence)
