"""Control of EML-3: DMARC p=reject on every sending domain; no domain sends before it holds."""

from datetime import timedelta

import msgspec

from troth.control.trust import domains, fences, headers, rehearsal, sample
from troth.control.trust.control import HOUR, Control
from troth.control.trust.domains import Domain
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.mail.domain_auth import Readiness
from troth.rules.checks import domain_ready

_SLACK = timedelta(minutes=1)


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look)
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    for domain in domains.of_programme(look, programme):
        _domain(findings, look, domain)
    _messages(findings, look, programme)
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "domain_state", "governed", "snapshot"))
    findings.take(fences.not_null(schema, "domain_state", "ready_until", "tenant_id", "name"))
    findings.take(fences.functions(schema, "apply_domain"))
    findings.need(rehearsal.position(domain_ready.check) >= 0, "the gate's chain does not look at the domain")


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    findings.need("dmarc-reject" in policy.domain.required, f"the policy of {tenant.id} does not ask for DMARC")
    taken = rehearsal.good(policy, look.now).domain
    assert taken is not None
    bad = msgspec.structs.replace(taken, ready=False, problems=("dmarc.missing",))
    findings.take(rehearsal.rehearse(policy, look.now, {"domain-unready": {"domain": bad}}))


def _domain(findings: Findings, look: Look, domain: Domain) -> None:
    """What was ever good is held to its records; what never was may not be open."""
    open_now = domain.ready_until > look.now and not domain.stopped
    findings.seen["domains"] = findings.seen.get("domains", 0) + 1
    if domain.checked_at is None or domain.ready_until > domain.checked_at + _longest(look, domain) + _SLACK:
        findings.need(not open_now, f"{domain.name} is open for longer than its last look allows")
    if not domain.sends and not open_now:
        return
    shown = domains.seen(look).get(domain.id)
    if isinstance(shown, Readiness):
        findings.need(shown.dmarc.ok, f"{domain.name}: {shown.dmarc.sentence}")
    else:
        domains.unanswered(findings, look, domain)


def _longest(look: Look, domain: Domain) -> timedelta:
    tenant = next((each for each in look.tenants if each.id == domain.tenant), None)
    policy = look.policy(tenant) if tenant else None
    return timedelta(minutes=policy.domain.grace_minutes if policy else 0)


def _messages(findings: Findings, look: Look, programme: Programme) -> None:
    """What was sent is from domains that were good, and aligned: its signature is the From domain's own."""
    good = {d.name.lower() for d in domains.of_programme(look, programme) if d.last_good_at is not None}
    sent = sample.sent(look, programme)
    for event in sent:
        header = headers.block(event.detail.get("headers")) if event.detail else None
        signed = headers.signature(header) if header else None
        if header is None or signed is None or signed.domain != header.from_domain:
            findings.wrong.append(f"message {event.message} is not aligned with its From domain")
        elif header.from_domain not in good:
            findings.wrong.append(f"message {event.message} came from {header.from_domain}, which was never seen good")
    findings.seen["messages_looked_at"] = len(sent)
    if not good:
        findings.missing.append("no domain has been ready to send yet")


CONTROL = Control(
    "EML-3",
    "eml_3",
    HOUR,
    "The DNS is asked for the DMARC policy of every sending domain (tree walk, RFC 9989); the gate's own rule is "
    "shown an unready domain and must refuse it; and what was sent came from domains that had been seen good.",
    check,
)
