"""Control of BNC-1: a hard bounce suppresses at once and for good, without a retry."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from troth.control.trust import bounces, fences, sample, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import DENIED, refused
from troth.control.trust.sample import Message
from troth.mail.reply import classify
from troth.rules.retry import Bounced, next_step
from troth.rules.states import Kind

_AT_ONCE = timedelta(minutes=1)  # the bounce and its suppression are one transaction, their clocks two readings
_REPLIES = ((550, "5.1.1"), (550, "5.1.6"), (550, "5.1.10"))


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "suppression", "suppression_feed", "event"))
    findings.take(fences.functions(schema, "suppress_v1"))
    refused(findings, look, {"suppression-delete": DENIED, "event-delete": DENIED})
    bounced = 0
    for tenant in look.of_programme(programme):
        _rule(findings, look, tenant)
        hard = [one for one in sample.messages(look, tenant) if bounces.bounce(one, "hard")]
        listed = bounces.suppressed(look, tenant, [one.blind_index for one in hard])
        for message in hard:
            findings.take(f"message {message.id}: {why}" for why in _message(message, listed))
        bounced += len(hard)
    findings.seen["hard_bounces_looked_at"] = bounced
    told_rows.as_told(findings, look, programme, "overrides")
    findings.take(bounces.unreadable(look, programme))
    return findings.done()


def _rule(findings: Findings, look: Look, tenant: Tenant) -> None:
    """The worker's rule, shown replies that say that an address is bad."""
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    findings.need(policy.bounce.hard_suppresses, f"the policy of {tenant.id} does not suppress hard bounces")
    for code, enhanced in _REPLIES:
        failure = classify(code, enhanced, "", "rcpt")
        step = next_step(
            failure.kind, permanent=failure.permanent, address_bad=failure.address_bad, policy=policy,
            attempts_of_this_schedule=1, first_attempt_at=look.now, now=look.now,
            lifetime_ends_at=look.now + timedelta(days=3), message_id="a",
        )  # fmt: skip
        findings.need(isinstance(step, Bounced) and step.suppress, f"a reply {code} {enhanced} does not suppress")


def _message(message: Message, listed: dict[tuple[bytes, int, str], datetime]) -> Iterator[str]:
    (event, *_) = bounces.bounce(message, "hard")
    at = listed.get((message.blind_index, bounces.HARD, _source(message.id)))
    if at is None:
        yield "it bounced hard and its address is not suppressed"
    elif abs(at - event.at) > _AT_ONCE:
        yield f"it bounced hard at {event.at} and was suppressed at {at}"
    later = [one for one in message.told(Kind.SENT, Kind.DEFERRED) if bounces.attempt(one) > bounces.attempt(event)]
    if later:
        yield "it was tried again after its hard bounce"


def _source(message: UUID) -> str:
    return f"smtp:{message}"


CONTROL = Control(
    "BNC-1",
    "bnc_1",
    HOUR,
    "Each hard bounce of the sample has its suppression, made in the same moment, and no later attempt; the "
    "worker's own rule is shown replies that say that an address is bad; and removing a suppression is tried each "
    "time.",
    check,
)
