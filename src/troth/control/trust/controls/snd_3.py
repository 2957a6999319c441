"""Control of SND-3: API keys are rotated on a cycle."""

from troth.control.trust import sending
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import DENIED
from troth.rules.profile import load_profile

_LATER = """
SELECT count(*) FROM troth.api_key k WHERE k.expires_at > make_interval(days => %s) + (
    SELECT max(h.created_at) FROM troth.api_key_secret h WHERE h.key_id = k.id)
"""
_ATTEMPTS = {"fits": "accepted", "long": "22023", "back": "22023", "younger": DENIED}


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    sending.stands(findings, look, "apply_api_key", "api_key_wrong", "stop_key", "api_keys_used_v1")
    sending.tried(findings, look, _ATTEMPTS)
    most = load_profile(programme.profile).policy.access.key_days
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        days = policy.access.key_days if policy else 0
        findings.need(0 < days <= most, f"keys of {tenant.id} may live for {days} days, where {most} are promised")
        later = _later(look, tenant, most)
        findings.need(not later, f"{later} keys of {tenant.id} say that they live for more than {most} days")
    findings.seen["days"] = most
    if not sending.counted(findings, look, programme, "secrets"):
        findings.missing.append("there is no API key yet")
    sending.counted(findings, look, programme, "keys")
    return findings.done()


def _later(look: Look, tenant: Tenant, most: int) -> int:
    with look.of(tenant.id) as connection:
        (found,) = connection.execute(_LATER, (most,)).fetchone() or (0,)
    return int(found)


CONTROL = Control(
    "SND-3",
    "snd_3",
    HOUR,
    "A key that would live a day too long, a secret that was rotated out and one made younger are tried and must be "
    "refused; every secret is compared with the version that brought it and with the days that are promised.",
    check,
)
