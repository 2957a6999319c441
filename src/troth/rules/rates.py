"""The gate's limits: which number of the policy rules which counter, and the one way to judge a counter.

The gate reserves with `limit_for`; the rate checks judge with `judge`, so that the two cannot differ. Limits count
messages.
"""

from types import MappingProxyType

from troth.rules.decision import Saw, Verdict, accept, refuse, seconds_until, unknown
from troth.rules.facts import Facts, Rate
from troth.rules.policy import Policy, value_of

LIMITS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("key", "hour"): "limits.key_hour",
        ("tenant", "hour"): "limits.tenant_hour",
        ("tenant", "day"): "limits.tenant_day",
        ("template", "hour"): "limits.template_hour",
        ("recipient", "day"): "limits.recipient_template_day",
    }
)
_ABOUT = MappingProxyType(
    {"key": "this API key", "tenant": "this account", "template": "this template", "recipient": "this recipient"}
)
_OF = MappingProxyType({"recipient": " of this template"})  # a recipient's day is counted template by template
_WITHIN = MappingProxyType({"hour": "in this hour", "day": "today"})
_MINUTE, _HOUR = 60, 3600


def slowed(paused: str | None, policy: Policy) -> bool:
    """Tell whether an anomaly slows the tenant: the hourly limits shrink until a person has looked."""
    return paused == "anomaly" and policy.anomaly.action == "slow"


def limit_for(policy: Policy, scope: str, window: str, *, slow: bool = False) -> int:
    """Give the messages that a counter may reach; KeyError for a counter that no policy field rules."""
    limit = value_of(policy, LIMITS[scope, window])
    assert isinstance(limit, int)
    return limit * policy.anomaly.slow_percent // 100 if slow and window == "hour" else limit


def judge(facts: Facts, check: str, code: str, scope: str, window: str) -> Verdict:
    """Compare the counter with the stricter of its own limit and the policy's."""
    rate = _counter(facts, scope, window)
    if rate is None or facts.policy is None or facts.tenant is None:
        return unknown(check, f"the {scope}'s {window}ly count" if window == "hour" else f"the {scope}'s daily count")
    ruled = limit_for(facts.policy, scope, window, slow=slowed(facts.tenant.paused, facts.policy))
    limit = min(ruled, rate.limit)
    if rate.used + rate.asking <= limit:
        of, used = _OF.get(scope, ""), rate.used + rate.asking
        sentence = f"{used} of {limit} messages{of} for {_ABOUT[scope]} in this {window}."
        return accept(check, sentence, _saw(rate, limit))
    wait = seconds_until(rate.resets_at, facts.now)
    return refuse(check, code, _spent(rate, limit, wait), _saw(rate, limit), retry_after=wait)


def _counter(facts: Facts, scope: str, window: str) -> Rate | None:
    for rate in facts.rates:
        if rate.scope == scope and rate.window == window:
            return rate
    return None


def _saw(rate: Rate, limit: int) -> Saw:
    return {"scope": rate.scope, "window": rate.window, "limit": limit, "used": rate.used, "asking": rate.asking}


def _spent(rate: Rate, limit: int, wait: int) -> str:
    about, of = _ABOUT[rate.scope], _OF.get(rate.scope, "")
    if rate.asking > limit:
        return (
            f"This request asks for {rate.asking} messages{of}; {about} has {limit} a {rate.window}. "
            "Send fewer at a time."
        )
    return (
        f"{about[0].upper()}{about[1:]} has used {rate.used} of its {limit} messages{of} {_WITHIN[rate.window]}, "
        f"and this request asks for {rate.asking} more. Send it again in {spoken(wait)}."
    )


def spoken(seconds: int) -> str:
    """Give a wait in words, never too short: hours and minutes, rounded up."""
    if seconds <= _MINUTE:
        return _many(seconds, "second")
    hours, rest = divmod(-(-seconds // _MINUTE) * _MINUTE, _HOUR)
    return " and ".join(_many(n, unit) for n, unit in ((hours, "hour"), (rest // _MINUTE, "minute")) if n)


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
