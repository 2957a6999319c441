"""The gate's decision made again: facts that were kept, tried on another policy by the very same chain.

What a policy makes of a message depends on the kind of message it is and on which of its counters are over, so each
pair need be decided once only (a million messages have a few hundred kinds). Counters and anomaly windows are the
replay's own (rules/recount.py).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from troth.rules import facts as f
from troth.rules.anomaly import judge
from troth.rules.chain import decide
from troth.rules.kept import (
    COUNTERS,
    CategoryPart,
    Count,
    DomainPart,
    Kept,
    KeyPart,
    RecipientPart,
    Shape,
    SuppressionPart,
    TemplatePart,
    TenantPart,
    Volume,
    shape_of,
)
from troth.rules.policy import Policy
from troth.rules.rates import limit_for, slowed

ANOMALY = "anomaly"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THEN = datetime(2000, 1, 1, tzinfo=UTC)  # any moment will do: all that was kept is a distance from it
_QUARTER = 900  # seconds; a night begins and ends on one (rules/quiet.py)
_FAR = 10**9
_MANY = 2**60
_PROBLEM = (None, f.FieldProblem("to", "address", ""), f.FieldProblem("to", "smtputf8", ""))
_HEADERS = tuple(
    tuple(f.FieldProblem("headers", code, "") for code in codes)
    for codes in ((), ("header-injection",), ("header-refused",))
)
_CONTENT = (f.FieldProblem("html", "content", ""),)
_MISFIT = (f.FieldProblem("template.variables", "misfit", ""),)
_DOMAIN, _SENDER, _OTHER = "sender.invalid", "sender@sender.invalid", "other.invalid"


class Result(Struct, frozen=True, array_like=True):
    """What would have become of a message. outcome: rules.decision.Outcome as a number; check: the one that gave it."""

    outcome: int
    code: str
    check: str


class Sort(Struct, frozen=True, array_like=True, gc=False):
    """One kind of message under one policy: what all of its messages share as far as that policy looks at them.

    quarter: of an hour in which it is due, counted from the epoch; None where the policy has no quiet hours.
    """

    shape: bytes
    recipients: int
    total_bytes: int
    variable_bytes: int
    checked_age: int | None
    good_age: int | None
    scheduled: int | None
    present: int
    quarter: int | None


def recorded(kept: Kept) -> Result:
    """What the gate itself decided."""
    return Result(kept.outcome, kept.code, kept.check)


def sort_of(kept: Kept, second: int, policy: Policy | None) -> Sort:
    """Leave out of a message what this policy does not tell from another. second: of its decision, in the epoch."""
    present = 0
    for count in kept.counts:
        present |= 1 << count.place
    if policy is None:
        return Sort(kept.shape, kept.recipients, kept.total_bytes, kept.variable_bytes, kept.checked_age,
                    kept.good_age, kept.scheduled, present, None)  # fmt: skip
    content, grace, scheduled = policy.content, policy.domain.grace_minutes * 60, kept.scheduled
    return Sort(
        kept.shape,
        1 if 1 <= kept.recipients <= content.max_recipients else kept.recipients,
        0 if kept.total_bytes <= content.message_bytes else kept.total_bytes,
        0 if kept.variable_bytes <= content.variable_bytes else kept.variable_bytes,
        _within(kept.checked_age, grace),
        _within(kept.good_age, grace),
        None if scheduled is None else _soon(scheduled, content.schedule_days),
        present,
        (second + max(scheduled or 0, 0) // 1_000_000) // _QUARTER if policy.quiet.hours else None,
    )


def _soon(scheduled: int, days: int) -> int:
    return 0 if 0 <= scheduled <= days * 86_400_000_000 else scheduled


def _within(age: int | None, grace: int) -> int | None:
    if age is None:
        return None
    return 0 if age <= grace else _FAR


class State(Struct, frozen=True, array_like=True):
    """How things stand when a message comes. over: the counters, as bits, that cannot take it; paused: by whom;
    unusual: with it the client's volume is an anomaly.
    """

    over: int = 0
    paused: str | None = None
    unusual: bool = False


def decide_sort(sort: Sort, policy: Policy | None, state: State) -> Result:
    """Run the chain."""
    decision = decide(_facts(sort, policy, state))
    return Result(int(decision.outcome), decision.deciding.code, decision.deciding.check)


def replay(kept: Kept, second: int, policy: Policy | None) -> Result:
    """Decide one message alone, its counters as the gate found them. second: of its decision, in the epoch."""
    sort = sort_of(kept, second, policy)
    seen = paused_of(shape_of(kept.shape))
    caps = limits(policy, slow=policy is not None and slowed(seen, policy))
    return decide_sort(sort, policy, State(over(kept.counts, caps), seen, unusual(kept.volume, policy)))


def unusual(volume: Volume | None, policy: Policy | None) -> bool:
    """Whether a message more makes an anomaly of the client's volume."""
    if volume is None or policy is None or volume.recent + volume.asking <= _floor(policy):
        return False
    found = judge(volume.recent + volume.asking, volume.previous, policy, volume.reviewed)
    return found.action is not None


def _floor(policy: Policy) -> int:
    return min(policy.anomaly.floor, policy.anomaly.first_week_floor)


def paused_of(shape: Shape) -> str | None:
    """Who had paused sending when the gate looked."""
    return shape.tenant.paused if shape.tenant else None


def limits(policy: Policy | None, *, slow: bool) -> tuple[int, ...]:
    """Each counter's limit, in the order of COUNTERS."""
    if policy is None:
        return (_MANY,) * len(COUNTERS)
    return tuple(limit_for(policy, scope, window, slow=slow) for scope, window in COUNTERS)


def over(counts: Iterable[Count], caps: Sequence[int]) -> int:
    """Tell as bits which counters cannot take what is asked of them."""
    found = 0
    for count in counts:
        if count.place < len(caps) and count.used + count.asking > caps[count.place]:
            found |= 1 << count.place
    return found


def _facts(sort: Sort, policy: Policy | None, state: State) -> f.Facts:
    shape = shape_of(sort.shape)
    now = _THEN if sort.quarter is None else _EPOCH + timedelta(seconds=sort.quarter * _QUARTER)
    return f.Facts(
        now=now,
        tenant=_tenant(shape.tenant, state.paused) if shape.tenant else None,
        key=_key(shape.key, shape.category) if shape.key else None,
        category=_category(shape.category) if shape.category else None,
        template=_template(shape.template) if shape.template else None,
        domain=_domain(shape.domain, sort, now) if shape.domain else None,
        email=_email(shape, sort, now),
        recipient=_recipient(shape.recipient, now) if shape.recipient else None,
        suppression=_suppression(shape.suppression) if shape.suppression else None,
        opted_out=shape.opted_out,
        rates=_rates(sort.present, state.over, now),
        policy=policy,
        content_problems=_CONTENT if shape.content_problems else (),
        consent=f.Consent(shape.consent) if shape.consent is not None else None,
        volume=_volume(watched=shape.watched, unusual=state.unusual),
    )


def _rates(present: int, over: int, now: datetime) -> tuple[f.Rate, ...]:
    """Counters that are over, or have all the room there is."""
    resets = now + timedelta(hours=1)
    return tuple(
        f.Rate(scope, "", window, _MANY, _MANY if over >> place & 1 else -_MANY, 0, resets)
        for place, (scope, window) in enumerate(COUNTERS)
        if present >> place & 1
    )


def _volume(*, watched: bool | None, unusual: bool) -> f.Volume | None:
    if watched is None:
        return None
    return f.Volume(_MANY if unusual else 0, (), watched=watched)


def _tenant(one: TenantPart, paused: str | None) -> f.Tenant:
    return f.Tenant("", one.state, paused, one.timezone, one.addressed)


def _category(one: CategoryPart) -> f.Category:
    domain = "" if one.ours is None else _DOMAIN
    return f.Category(
        one.code, one.code, "", one.version, one.approved, _SENDER, domain, one.retired, one.legal_class, one.raw,
        one.lawful_basis, one.named,
    )  # fmt: skip


def _key(one: KeyPart, category: CategoryPart | None) -> f.Key:
    return f.Key("", one.live, frozenset((category.code,) if category and one.within else ()), one.sends, one.test)


def _template(one: TemplatePart) -> f.Template:
    return f.Template(one.code, "", one.version, one.approved, one.matches, _MISFIT if one.misfit else ())


def _domain(one: DomainPart, sort: Sort, now: datetime) -> f.Domain:
    name, problems = _DOMAIN if one.ours else _OTHER, ("wrong",) if one.wrong else ()
    checked, good = _ago(now, sort.checked_age), _ago(now, sort.good_age)
    return f.Domain(name, one.ready, problems, checked, good, one.failed)


def _ago(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now - timedelta(seconds=seconds)


def _email(shape: Shape, sort: Sort, now: datetime) -> f.Email:
    return f.Email(
        f"other@{_OTHER}" if shape.category and shape.category.ours is False else None,
        sort.recipients,
        sort.total_bytes,
        shape.raw,
        tuple(f.Attachment(size, kind) for size, kind in shape.attachments),
        sort.variable_bytes,
        None if sort.scheduled is None else now + timedelta(microseconds=sort.scheduled),
        _HEADERS[shape.problems],
    )


def _recipient(one: RecipientPart, now: datetime) -> f.Recipient:
    verified = now if one.verified else None
    return f.Recipient(one.status, _PROBLEM[one.problem], one.pathway, verified, timezone=one.timezone)


def _suppression(one: SuppressionPart) -> f.Suppression:
    return f.Suppression(one.listed, one.reason, "", one.own, one.override)
