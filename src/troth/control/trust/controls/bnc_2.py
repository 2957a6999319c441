"""Control of BNC-2: a soft bounce is retried up to 3 times with exponential back-off, then treated as a hard bounce."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from troth.control.trust import bounces, fences, sample
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import DENIED, refused
from troth.control.trust.sample import Message
from troth.rules.policy import Policy
from troth.rules.profile import load_profile
from troth.rules.retry import FailureKind, Retry, Spent, next_step
from troth.rules.states import Kind

_SLACK = timedelta(minutes=1)


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings, schema = Findings(), look.schema
    tries, window = _promise(programme)
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "suppression", "suppression_feed", "event", "spool"))
    findings.take(fences.functions(schema, "suppress_v1"))
    refused(findings, look, {"suppression-delete": DENIED, "event-update": DENIED})
    put_off = 0
    for tenant in look.of_programme(programme):
        ends = _policy(findings, look, tenant, tries, window)
        soft = [one for one in sample.messages(look, tenant) if _deferrals(one) or bounces.bounce(one, "soft_spent")]
        listed = bounces.suppressed(look, tenant, [one.blind_index for one in soft])
        for message in soft:
            findings.take(f"message {message.id}: {why}" for why in _message(message, tries, (ends, window), listed))
        put_off += len(soft)
    findings.take(bounces.unreadable(look, programme))
    findings.seen |= {"soft_bounces_looked_at": put_off, "tries": tries, "window_hours": window // timedelta(hours=1)}
    return findings.done()


def _promise(programme: Programme) -> tuple[int, timedelta]:
    bounce = load_profile(programme.profile).policy.bounce
    return len(bounce.soft_retry_minutes), timedelta(minutes=bounce.soft_window_minutes)


def _policy(findings: Findings, look: Look, tenant: Tenant, tries: int, window: timedelta) -> timedelta:
    """The window in force, which may be shorter than the one that was promised."""
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return window
    waits = policy.bounce.soft_retry_minutes
    findings.need(len(waits) == tries, f"the policy of {tenant.id} tries {len(waits)} times again, not {tries}")
    grows = all(later >= 2 * sooner for sooner, later in pairwise(waits))
    findings.need(grows, f"the waits of {tenant.id} do not grow exponentially")
    ends = timedelta(minutes=policy.bounce.soft_window_minutes)
    findings.need(ends <= window, f"the policy of {tenant.id} ends after {ends}, not {window}")
    findings.need(timedelta(minutes=sum(waits)) <= ends, f"the waits of {tenant.id} do not fit into {ends}")
    findings.take(_rule(policy, look.now, tries))
    return min(ends, window)


def _rule(policy: Policy, now: datetime, tries: int) -> Iterator[str]:
    """The worker's rule, shown one failure after the other."""
    for number in range(1, tries + 2):
        step = next_step(
            FailureKind.MAILBOX, permanent=False, address_bad=False, policy=policy, attempts_of_this_schedule=number,
            first_attempt_at=now, now=now, lifetime_ends_at=now + timedelta(days=30), message_id="a",
        )  # fmt: skip
        if number <= tries and not isinstance(step, Retry):
            yield f"failure {number} is not tried again"
        if number > tries and not (isinstance(step, Spent) and step.suppress):
            yield f"failure {number} does not count as a hard bounce"


def _deferrals(message: Message) -> list[sample.Event]:
    """Its soft failures; other trouble has its own schedule."""
    told = message.told(Kind.DEFERRED)
    return [each for each in told if each.detail is not None and each.detail.get("kind") == FailureKind.MAILBOX]


def _message(
    message: Message, tries: int, windows: tuple[timedelta, timedelta], listed: dict[tuple[bytes, int, str], datetime]
) -> Iterator[str]:
    soft, (ends, window) = _deferrals(message), windows
    if len(soft) > tries:
        yield f"it was put off {len(soft)} times"
    for one in soft:
        again = datetime.fromisoformat(str(one.detail["again"])) if one.detail and "again" in one.detail else None
        if again is None or again > soft[0].at + window + _SLACK:
            yield f"its attempt {bounces.attempt(one)} named no next one within the window"
        elif any(
            later.at < again - _SLACK for later in message.events if bounces.attempt(later) > bounces.attempt(one)
        ):
            yield f"it was tried again before its time after attempt {bounces.attempt(one)}"
    if bounces.bounce(message, "soft_spent"):
        if (message.blind_index, bounces.SOFT_SPENT, f"smtp:{message.id}") not in listed:
            yield "its retries are spent and its address is not suppressed"
        if len(soft) < tries and message.events[-1].at - soft[0].at < ends - _SLACK if soft else True:
            yield f"it was given up after {len(soft)} retries"


CONTROL = Control(
    "BNC-2",
    "bnc_2",
    HOUR,
    "The policies in force are compared with the promise's numbers; the worker's own rule is shown one failure "
    "after the other; and messages that were put off are read: how often, how long apart, and whether the spent "
    "ones are suppressed.",
    check,
)
