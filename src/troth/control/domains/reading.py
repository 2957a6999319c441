"""Domains: what a client's sending domains must show in the DNS, what was found there, and until when that holds."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import rows
from troth.control.people.actor import Actor
from troth.control.tenants import sending_domains
from troth.control.tenants.sending_domains import Ours, Record
from troth.mail.domain_auth import joined

_MOST = 200
_CUT = 1000  # a look keeps no more of a record
_STRING = 255  # characters that one string of a TXT record takes
_TITLES = {
    "spf": "SPF", "dkim": "DKIM key", "dmarc": "DMARC policy", "return_path": "Return path", "advice": "TLS reports"
}  # fmt: skip
_DOMAINS = """
SELECT d.domain_id, d.name, d.ready_until, d.checked_at, d.last_good_at, d.lookup_failed, d.findings, troth.now_v1(),
       coalesce(g.retired, false), s.approved_at, s.artefact::jsonb ->> 'selector', d.views,
       d.look_asked_at IS NOT NULL AND (d.checked_at IS NULL OR d.look_asked_at > d.checked_at), NULL::uuid
FROM troth.domain_state d
LEFT JOIN troth.governed g ON g.subject = d.domain_id
LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE d.tenant_id = %s AND (%s::uuid IS NULL OR d.domain_id = %s) ORDER BY coalesce(g.retired, false), d.name LIMIT %s
"""
_PROPOSED = """
SELECT c.subject, c.code, 'epoch'::timestamptz, NULL::timestamptz, NULL::timestamptz, false, '[]'::jsonb,
       troth.now_v1(), false, NULL::timestamptz, c.artefact::jsonb ->> 'selector', '[]'::jsonb, false, c.id
FROM troth.change c
WHERE c.kind = 'domain' AND c.tenant_id = %s AND c.state = 1 AND c.expires_at > troth.now_v1()
  AND (%s::uuid IS NULL OR c.subject = %s)
  AND NOT EXISTS (SELECT FROM troth.domain_state d WHERE d.domain_id = c.subject) ORDER BY c.proposed_at DESC LIMIT %s
"""
_KEYS = """
SELECT selector, bits, public_der, created_at, retired_at, state, begun_by, seen_at, active_at, overlap_ends, ended
FROM troth.dkim_key WHERE tenant_id = %s AND domain_id = %s ORDER BY retired_at NULLS FIRST, created_at DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked: `code` such as spf.missing, what holds or what to publish, and the records that were seen."""

    ok: bool
    code: str
    sentence: str
    saw: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What one place that was asked showed; `own`: one of the domain's own name servers."""

    who: str
    own: bool
    holds: bool
    ttl: int
    problems: tuple[Finding, ...]
    keys: dict[str, str]  # of keys that wait, by selector: shown, missing, silent

    @property
    def wrong(self) -> str:
        """What is not right there, by its title; a silent place has its own sentence."""
        titles = [_TITLES.get(each.code.partition(".")[0], each.sentence) for each in self.problems]
        return ", ".join(titles)


@dataclass(frozen=True, slots=True)
class Domain:
    """`findings` by what they are of: spf, dkim, dmarc, return_path; empty before the first check. `asking`: somebody
    wants a look now. `change`: it is proposed, and a second person has not approved it.
    """

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
    views: list[View]
    asking: bool
    change: UUID | None

    @property
    def ready(self) -> bool:
        return self.ready_until > self.now and not self.retired

    @property
    def word(self) -> str:
        """The look's word for it."""
        if self.retired:
            return "retired"
        if self.change:
            return "pending"
        if self.ready:
            return "stale" if self.lookup_failed else "ready"
        return "not checked" if self.checked_at is None else "not ready"

    @property
    def problems(self) -> list[Finding]:
        return [each for each in self.findings.values() if not each.ok]


@dataclass(frozen=True, slots=True)
class Key:
    """`state`: pending, active, overlapping, retired; `begun_by` None: it came with a proposal."""

    selector: str
    bits: int
    public_der: bytes
    created_at: datetime
    retired_at: datetime | None
    state: str
    begun_by: str | None
    seen_at: datetime | None
    active_at: datetime | None
    overlap_ends: datetime | None
    ended: str | None


@dataclass(frozen=True, slots=True)
class NextKey:
    """`signs`: when it takes over at the earliest, while every place goes on showing it; None: not all do yet. `views`:
    each place with what it showed: shown, missing, silent.
    """

    key: Key
    name: str
    text: str
    strings: str
    signs: datetime | None
    views: list[tuple[View, str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record to publish, with what was found of it. `text` empty: the sentence says what to change."""

    code: str
    title: str
    name: str
    text: str
    why: str
    finding: Finding | None
    kind: str = "TXT"
    advice: bool = False

    @property
    def strings(self) -> str:
        """The text as several strings, where one does not take it."""
        return sending_domains.strings(self.text) if self.kind == "TXT" and len(self.text) > _STRING else ""

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


def proposed(tenant: UUID) -> list[Domain]:
    """What waits for a second person and is no domain yet."""
    return [_domain(each) for each in rows(_PROPOSED, tenant, None, None, _MOST)]


def access_domain(actor: Actor, domain: UUID) -> Domain:
    """Raise Http404 for what is not there, and for what is another client's."""
    given = (actor.scope, domain, domain, 1)
    found = (rows(_DOMAINS, *given) or rows(_PROPOSED, *given)) if actor.scope else []
    if not found:
        raise Http404
    return _domain(found[0])


def keys(actor: Actor, domain: UUID) -> list[Key]:
    found = rows(_KEYS, actor.scope, domain)
    return [Key(selector, bits, bytes(der), *rest) for selector, bits, der, *rest in found]


def wanted(domain: Domain, there: list[Key], ours: Ours) -> list[Wanted]:
    """The records to publish, those that do not hold first, advice last. The key in force is the active one."""
    key = next((each for each in there if each.state == "active"), None)
    asked = sending_domains.records(domain.name, key.selector if key else "", key.public_der if key else b"", ours)
    codes = ["spf", "dkim", "dmarc", *(["return_path"] if ours.bounces else []), "advice"]
    found = [_wanted(domain, code, record, key, ours) for code, record in zip(codes, asked, strict=False)]
    path = domain.findings.get("return_path")
    if path and not ours.bounces:
        found.append(Wanted("return_path", "Return path", "", "", "where bounces come back to", path))
    return sorted(found, key=lambda each: (each.advice, each.holds))


def _wanted(domain: Domain, code: str, record: Record, key: Key | None, ours: Ours) -> Wanted:
    """Without our SPF mechanism or a key there is nothing to publish yet: the sentence says why."""
    missing = (code == "spf" and not ours.spf) or (code == "dkim" and key is None)
    name = record.name if not missing or code == "spf" else ""
    finding = None if record.advice else domain.findings.get(code)
    text = "" if missing else spf_text(finding, ours.spf) if code == "spf" else record.text
    return Wanted(code, _TITLES[code], name, text, record.why, finding, record.kind, record.advice)


def spf_text(finding: Finding | None, ours: str) -> str:
    """The record to copy: with what is there already, so that no other mail stops. "" where nobody can tell."""
    saw = finding.saw if finding else ()
    if finding is not None and finding.ok and not saw:
        return ""  # it holds, and was not kept: ours alone might not be what is there
    if any(len(each) >= _CUT for each in saw):
        return ""
    made = joined(saw, ours)
    return "" if finding is not None and not finding.ok and made in saw else made


def _domain(each: tuple[Any, ...]) -> Domain:
    id_, name, until, checked, good, failed, findings, now, retired, approved, selector, views, asking, change = each
    read = [_finding(one) for one in (_json(findings) or [])]
    by = {one.code.partition(".")[0]: one for one in read}
    seen = [_view(one) for one in (_json(views) or [])]
    return Domain(id_, name, until, checked, good, failed, by, now, retired, approved, selector, seen, asking, change)


def _view(one: dict[str, Any]) -> View:
    found = [_finding(each) for each in one.get("findings") or ()]
    problems = tuple(each for each in found if not each.ok)
    return View(
        str(one.get("who")),
        bool(one.get("own")),
        bool(one.get("holds")),
        int(one.get("ttl") or 0),
        problems,
        dict(one.get("keys") or {}),
    )


def _finding(one: dict[str, Any]) -> Finding:
    saw = tuple(str(record) for record in one.get("saw") or ())
    return Finding(bool(one.get("ok")), str(one.get("code", "")), str(one.get("sentence", "")), saw)


def _json(value: Any) -> Any:
    """Django's connection gives jsonb as text, for its own fields to read."""
    return json.loads(value) if isinstance(value, str) else value


def next_key(domain: Domain, there: list[Key], settle: timedelta) -> NextKey | None:
    """The key that a rotation brings; None where none is under way."""
    key = next((each for each in there if each.state == "pending" and each.begun_by), None)
    if key is None:
        return None
    text = public_text(key)
    strings = sending_domains.strings(text) if len(text) > _STRING else ""
    signs = key.seen_at + settle if key.seen_at else None
    views = [(view, view.keys[key.selector]) for view in domain.views if key.selector in view.keys]
    return NextKey(key, f"{key.selector}._domainkey.{domain.name}", text, strings, signs, views)


def public_text(key: Key) -> str:
    """The key as its record holds it; revoked once it is retired."""
    return "v=DKIM1; k=rsa; p=" if key.state == "retired" else sending_domains.key_record(key.public_der)
