"""Control of EML-1: SPF published and aligned for every sending domain."""

import msgspec

from troth.control.trust import domains, fences, own_spf, rehearsal
from troth.control.trust.control import HOUR, Control
from troth.control.trust.domains import Domain
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.mail.domain_auth import Readiness


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    sending = [domain for domain in domains.of_programme(look, programme) if domain.sends]
    for domain in sending:
        _domain(findings, look, domain)
    findings.seen["domains"] = len(sending)
    if sending:
        _stands(findings, look)
    else:
        findings.missing.append("no domain has been ready to send yet")
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.tables(schema, "domain_state"))
    findings.take(fences.not_null(schema, "domain_state", "ready_until", "path_until", "tenant_id", "name"))
    findings.need(look.outside.spf_mechanism is not None, "no SPF mechanism is set that a domain's record must hold")
    own_spf.names_us(findings, look)
    findings.need(look.outside.bounces is not None, "no domain of return paths is set, so SPF aligns with nobody's")


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    """The gate's own rule is shown a domain without SPF, and must refuse it."""
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    findings.need("spf" in policy.domain.required, f"the policy of {tenant.id} does not ask for SPF")
    taken = rehearsal.good(policy, look.now).domain
    assert taken is not None
    bad = msgspec.structs.replace(taken, ready=False, problems=("spf.missing",))
    findings.take(rehearsal.rehearse(policy, look.now, {"domain-unready": {"domain": bad}}))


def _domain(findings: Findings, look: Look, domain: Domain) -> None:
    """Its record lets us send, its own return path does too, leads to us and aligns; and that path is what is used."""
    shown = domains.seen_paths(look).get(domain.id)
    open_now = domain.ready_until > look.now
    findings.need(not open_now or domain.path_until > look.now, f"{domain.name} sends, not from its own return path")
    if isinstance(shown, Readiness):
        findings.need(shown.spf.ok, f"{domain.name}: {shown.spf.sentence}")
        path = shown.return_path
        findings.need(path is not None and path.ok, f"{domain.name}: {path.sentence if path else 'no return path'}")
    elif shown is not None:
        domains.unanswered(findings, look, domain)
    else:
        findings.need(domain.public_der is not None, f"{domain.name} has no key")


CONTROL = Control(
    "EML-1",
    "eml_1",
    HOUR,
    "The DNS is asked for the SPF record of every sending domain and of its own return path bounce.<domain>, which "
    "must let us send, lead to us and align (RFC 9989); the return path is used only while that holds; and the gate's "
    "own rule is shown a domain without SPF and must refuse it.",
    check,
)
