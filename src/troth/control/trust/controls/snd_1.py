"""Control of SND-1: only designated roles and services trigger outbound email."""

import msgspec

from troth.control.trust import governance, rehearsal, sending, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import count
from troth.rules.checks import key_live

_RIGHTS = ("message:test", "api-key:propose", "api-key:approve", "release:propose", "release:approve")


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    sending.stands(findings, look, "apply_api_key", "stop_key", "revoke_v1", "allowed")
    findings.take(governance.rights(look, *_RIGHTS))
    findings.need(rehearsal.position(key_live.check) >= 0, "the gate's chain does not look at the key")
    for tenant in look.of_programme(programme):
        _gate(findings, look, tenant)
    if not count(findings, look, "email-key", programme, "emails were sent by a key outside of its scope, or by none"):
        findings.missing.append("nothing was sent yet")
    told_rows.as_told(findings, look, programme, "revocations", "keys")
    sending.counted(findings, look, programme, "by key")
    sending.counted(findings, look, programme, "keys")
    return findings.done()


def _gate(findings: Findings, look: Look, tenant: Tenant) -> None:
    """Nobody's request, a dead key's, and one from elsewhere are taken from nobody."""
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    key = rehearsal.good(policy, look.now).key
    assert key is not None
    cases = {
        "key-revoked": {"key": msgspec.structs.replace(key, live="revoked")},
        "key-expired": {"key": msgspec.structs.replace(key, live="expired")},
        "key-elsewhere": {"key": msgspec.structs.replace(key, live="elsewhere")},
        "key-not-for-sending": {"key": msgspec.structs.replace(key, sending_allowed=False)},
    }
    findings.take(rehearsal.rehearse(policy, look.now, cases))


CONTROL = Control(
    "SND-1",
    "snd_1",
    HOUR,
    "The rights to send a test, to make a key and to let mail go are compared with those shipped; the gate's rules are "
    "shown keys that may not; and each email of the last 90 days must have come by a key that two people approved and "
    "that was in force.",
    check,
)
