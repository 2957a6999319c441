"""Control of SND-2: API keys are scoped to notification types and rate-limited."""

import msgspec

from troth.control.trust import fences, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import BROKEN, EMPTY, count, refused
from troth.rules.checks import key_live, key_scope, rate_key


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look)
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    if not count(findings, look, "api-keys", programme, "API keys are not what was approved"):
        findings.missing.append("there is no API key yet")
    count(findings, look, "email-key", programme, "emails were sent by a key outside of its scope")
    told_rows.as_told(findings, look, programme, "keys", "keys counted")
    count(findings, look, "key-rates", programme, "counters of keys are above their cap")
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "api_key", "api_key_secret", "rate_counter", "email", "snapshot"))
    findings.take(fences.not_null(schema, "api_key", "snapshot_id", "hash", "expires_at", "tenant_id"))
    findings.take(fences.keys(schema, "api_key", "UNIQUE (hash)", "FOREIGN KEY (snapshot_id) REFERENCES snapshot(id)"))
    findings.take(fences.checks(schema, "rate_counter", "used <= cap"))
    findings.take(fences.keys(schema, "rate_counter", "PRIMARY KEY (tenant_id, scope, subject, window_start)"))
    findings.take(fences.functions(schema, "apply_api_key", "api_key_wrong", "stop_key", "revoke_v1"))
    for one in (key_live, key_scope, rate_key):
        findings.need(rehearsal.position(one.check) >= 0, f"the gate's chain leaves out {one.CHECK}")
    refused(findings, look, {"key-unscoped": EMPTY, "rate-over": BROKEN})


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    taken = rehearsal.good(policy, look.now)
    assert taken.key is not None
    other = msgspec.structs.replace(taken.key, categories=frozenset({"another"}))
    spent = tuple(
        msgspec.structs.replace(rate, used=rate.limit) if (rate.scope, rate.window) == ("key", "hour") else rate
        for rate in taken.rates
    )
    findings.take(rehearsal.rehearse(policy, look.now, {"key-scope": {"key": other}, "rate-limited": {"rates": spent}}))
    findings.seen["key_hour"] = policy.limits.key_hour


CONTROL = Control(
    "SND-2",
    "snd_2",
    HOUR,
    "The database takes no key without an approved scope and no counter above its cap (both tried each time); "
    "each email of the last 90 days is compared with the scope that its key had then; and the gate's rules are "
    "shown a key out of bounds.",
    check,
)
