"""Domains: what a client's sending domains must show in the DNS, what was found there, and until when that holds."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import rows
from troth.control.people.actor import Actor
from troth.control.tenants import sending_domains

_MOST = 200
_DOMAINS = """
SELECT d.domain_id, d.name, d.ready_until, d.checked_at, d.last_good_at, d.lookup_failed, d.findings, troth.now_v1(),
       coalesce(g.retired, false), s.approved_at, s.artefact::jsonb ->> 'selector'
FROM troth.domain_state d
LEFT JOIN troth.governed g ON g.subject = d.domain_id
LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE d.tenant_id = %s AND (%s::uuid IS NULL OR d.domain_id = %s) ORDER BY coalesce(g.retired, false), d.name LIMIT %s
"""
_KEYS = """
SELECT selector, bits, public_der, created_at, retired_at FROM troth.dkim_key
WHERE tenant_id = %s AND domain_id = %s ORDER BY retired_at NULLS FIRST, created_at DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked: `code` such as spf.missing, what holds or what to publish, and the records that were seen."""

    ok: bool
    code: str
    sentence: str
    saw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """`findings` by what they are of: spf, dkim, dmarc, return_path; empty before the first check."""

    id: UUID
    name: str
    ready_until: datetime
    checked_at: datetime | None
    last_good_at: datetime | None
    lookup_failed: bool
    findings: dict[str, Finding]
    now: datetime
    retired: bool
    approved_at: datetime | None
    selector: str | None

    @property
    def ready(self) -> bool:
        return self.ready_until > self.now and not self.retired

    @property
    def word(self) -> str:
        """The look's word for it."""
        if self.retired:
            return "retired"
        if self.ready:
            return "stale" if self.lookup_failed else "ready"
        return "not checked" if self.checked_at is None else "not ready"

    @property
    def problems(self) -> list[Finding]:
        return [each for each in self.findings.values() if not each.ok]


@dataclass(frozen=True, slots=True)
class Key:
    selector: str
    bits: int
    public_der: bytes
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record to publish, with what was found of it. `text` empty: the sentence says what to change."""

    code: str
    title: str
    name: str
    text: str
    why: str
    finding: Finding | None

    @property
    def holds(self) -> bool:
        return self.finding is not None and self.finding.ok

    @property
    def unseen(self) -> str:
        """What is said where no record is kept of the look; empty where nothing is known of what was there."""
        if self.finding is None:
            return "not asked yet"
        if self.finding.ok:
            return "as it should be"
        return "no record" if self.finding.code.endswith(".missing") else ""


def domains(tenant: UUID) -> list[Domain]:
    return [_domain(each) for each in rows(_DOMAINS, tenant, None, None, _MOST)]


def access_domain(actor: Actor, domain: UUID) -> Domain:
    """Raise Http404 for what is not there, and for what is another client's."""
    found = rows(_DOMAINS, actor.scope, domain, domain, 1) if actor.scope else []
    if not found:
        raise Http404
    return _domain(found[0])


def keys(actor: Actor, domain: UUID) -> list[Key]:
    found = rows(_KEYS, actor.scope, domain)
    return [Key(selector, bits, bytes(der), made, retired) for selector, bits, der, made, retired in found]


def wanted(domain: Domain, there: list[Key], spf_mechanism: str) -> list[Wanted]:
    """The records to publish, those that do not hold first; the key in force is the one that the approval names."""
    found = []
    key = next((each for each in there if each.selector == domain.selector and each.retired_at is None), None)
    records = sending_domains.records(
        domain.name, key.selector if key else "", key.public_der if key else b"", spf_mechanism
    )
    for code, title, record in zip(("spf", "dkim", "dmarc"), ("SPF", "DKIM key", "DMARC policy"), records, strict=True):
        missing = (code == "spf" and not spf_mechanism) or (code == "dkim" and key is None)
        text = "" if missing else record.text
        found.append(
            Wanted(
                code, title, record.name if text or code == "spf" else "", text, record.why, domain.findings.get(code)
            )
        )
    if path := domain.findings.get("return_path"):
        found.append(Wanted("return_path", "Return path", "", "", "where bounces come back to", path))
    return sorted(found, key=lambda each: each.holds)


def _domain(each: tuple[Any, ...]) -> Domain:
    id_, name, until, checked, good, failed, findings, now, retired, approved, selector = each
    read = [_finding(one) for one in (_json(findings) or [])]
    by = {one.code.partition(".")[0]: one for one in read}
    return Domain(id_, name, until, checked, good, failed, by, now, retired, approved, selector)


def _finding(one: dict[str, Any]) -> Finding:
    saw = tuple(str(record) for record in one.get("saw") or ())
    return Finding(bool(one.get("ok")), str(one.get("code", "")), str(one.get("sentence", "")), saw)


def _json(value: Any) -> Any:
    """Django's connection gives jsonb as text, for its own fields to read."""
    return json.loads(value) if isinstance(value, str) else value


def public_text(key: Key) -> str:
    """The key as its record holds it."""
    return f"v=DKIM1; k=rsa; p={base64.b64encode(key.public_der).decode()}"
