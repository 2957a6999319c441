"""Delivery's judgement: what an outcome makes of a claimed message: its events, its next place, who is suppressed.

Pure: the policy, the time and the operator's seal are handed in. recording.py writes what comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from troth.flow.delivery.smtp_types import Answer
from troth.flow.delivery.work import Back, Found, Hindrance, Outcome, Work
from troth.flow.events import Happening, Report, Settlement
from troth.mail.reply import Failure, Phase, classify
from troth.rules import quiet
from troth.rules.given_back import PLACE, Place
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.policy import Policy
from troth.rules.retry import FailureKind, Retry, Tries, counted, next_step, remembered
from troth.rules.states import Kind, State
from troth.store.events import Kept, NewSuppression

HARD, SOFT_SPENT = 1, 6  # suppression.reason
_SOON = timedelta(minutes=1)  # the night ended between the mark and its record
_TEXT = 1_000  # characters of a reply that are kept
_LINES = 30  # of a conversation
_ROUTE_TROUBLE = Failure(FailureKind.CONNECTION, permanent=False, address_bad=False, rule="unsent")


@dataclass(frozen=True, slots=True)
class Bench:
    """What judging needs. `seal` puts an address under the operator's keyset: (address, blind index) -> ciphertext."""

    policy: Callable[[UUID, UUID], Policy]
    now: datetime
    seal: Callable[[bytes, bytes], bytes]


def judge(work: Work, outcome: Outcome, bench: Bench) -> Settlement | Back | None:
    """None: there is nothing to do, the message is another worker's."""
    if isinstance(outcome, Back):
        return outcome
    if isinstance(outcome, Found):
        return _uncertain(work, work.claimed.attempts, {"reason": "worker-lost"}, bench)
    if isinstance(outcome, Hindrance):
        return _hindered(work, outcome)
    if isinstance(outcome, MarkVerdict):
        return stopped(work, outcome, bench.now)
    return _answered(work, outcome, bench)


def needs_policy(outcome: Outcome) -> bool:
    return isinstance(outcome, Found) or (isinstance(outcome, Answer) and outcome.outcome != "accepted")


# ---- what the checks and the composing say


def stopped(work: Work, verdict: MarkVerdict, now: datetime) -> Settlement | Back | None:
    """What a verdict other than OK does; None: nothing, the message is another worker's."""
    out = MARK_OUTCOME[verdict]
    if out.kind is None or out.target is None:
        return None if out.again_in is None else Back(out.again_in)
    detail = {"reason": out.reason, "sentence": out.sentence}
    source = f"claim:{work.claimed.token}"
    if out.target is not State.HELD:
        return _settlement(work, source, ((out.kind, detail),), out.target, None)
    if out.again_in is not None and work.told is State.HELD and not work.claimed.released:
        return Back(delay=out.again_in)  # its events tell of the hold already: not again every few minutes
    until = work.claimed.lifetime_ends
    if verdict in (MarkVerdict.QUIET, MarkVerdict.WARM_UP):
        until = min(_over(work, verdict, now), until)
        detail["until"] = until.isoformat()
    if out.again_in is not None:
        until = min(now + timedelta(seconds=out.again_in), until)
        detail["until"] = until.isoformat()
    return _settlement(work, source, ((Kind.HELD, detail),), State.HELD, _kept(work, State.HELD, until))


def _over(work: Work, verdict: MarkVerdict, now: datetime) -> datetime:
    """When what the mark found is over by itself: the quiet hours, or the route's day (UTC's)."""
    if verdict is MarkVerdict.QUIET:
        return quiet.ends(now, work.zone, work.quiet) or now + _SOON
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def _hindered(work: Work, why: Hindrance) -> Settlement:
    detail = {"reason": why.reason, "sentence": why.sentence}
    source = f"claim:{work.claimed.token}"
    if why.kind is Kind.FAILED:
        return _settlement(work, source, ((Kind.FAILED, detail),), State.FAILED, None)
    until = work.claimed.lifetime_ends
    if why.until is not None:
        until = min(why.until, until)
        detail["until"] = until.isoformat()
    return _settlement(work, source, ((Kind.HELD, detail),), State.HELD, _kept(work, State.HELD, until))


# ---- what the next hop says


def _answered(work: Work, answer: Answer, bench: Bench) -> Settlement | Back:
    if answer.outcome == "accepted":
        detail = {**_detail(work, answer), PLACE: _place(work)}
        return _settlement(work, _attempt(work.attempt), ((Kind.SENT, detail),), State.SENT, None)
    if answer.outcome == "lost":
        return _uncertain(work, work.attempt, {"reason": "answer-lost", **_detail(work, answer)}, bench)
    if answer.outcome == "refused" and answer.code is None:
        detail = {"reason": "not-sendable", **_detail(work, answer)}
        return _settlement(work, _attempt(work.attempt), ((Kind.FAILED, detail),), State.FAILED, None)
    return _failed_attempt(work, answer, _failure(answer), bench)


def _failure(answer: Answer) -> Failure:
    if answer.outcome == "unsent" and answer.code is None and answer.phase not in ("starttls", "auth"):
        return _ROUTE_TROUBLE
    phase: Phase = "connect" if answer.phase == "greeting" else answer.phase
    failure = classify(answer.code or 0, answer.enhanced, answer.text, phase)
    if answer.outcome == "unsent":  # the session ended, whatever the reply said: no word about the message
        return Failure(failure.kind, permanent=False, address_bad=False, rule=failure.rule)
    return failure


def _failed_attempt(work: Work, answer: Answer, failure: Failure, bench: Bench) -> Settlement:
    claimed, now = work.claimed, bench.now
    before = Tries(claimed.schedule, claimed.schedule_attempts, claimed.first_failed_at)
    tries = counted(before, failure.kind, address_bad=failure.address_bad, now=now)
    step = next_step(
        failure.kind,
        permanent=failure.permanent,
        address_bad=failure.address_bad,
        policy=bench.policy(claimed.tenant_id, claimed.category_id),
        attempts_of_this_schedule=tries.attempts,
        first_attempt_at=tries.first or now,
        now=now,
        lifetime_ends_at=claimed.lifetime_ends,
        message_id=str(claimed.message_id),
    )
    source = _attempt(work.attempt)
    detail = {"kind": failure.kind, "rule": failure.rule, **_detail(work, answer)}
    if isinstance(step, Retry):
        detail["again"] = step.at.isoformat()
        kept_tries = remembered(before, tries)
        kept = Kept(
            claimed.message_id, int(State.DEFERRED), step.at, kept_tries.schedule, kept_tries.attempts,
            kept_tries.first, 0,
        )  # fmt: skip
        return _settlement(work, source, ((Kind.DEFERRED, detail),), State.DEFERRED, kept)
    detail["reason"] = step.reason
    target = State.FAILED if step.kind is Kind.FAILED else State.BOUNCED
    condemned = _suppression(work, step.reason, bench) if getattr(step, "suppress", False) else None
    return _settlement(work, source, ((step.kind, detail),), target, None, condemned)


def _suppression(work: Work, reason: str, bench: Bench) -> NewSuppression:
    assert work.composed is not None
    claimed = work.claimed
    return NewSuppression(
        claimed.blind_index,
        SOFT_SPENT if reason == "soft_spent" else HARD,
        f"smtp:{claimed.message_id}",
        claimed.tenant_id,
        bench.seal(work.composed.envelope.forward_path, claimed.blind_index),
    )


def _uncertain(work: Work, attempt: int, detail: dict[str, Any], bench: Bench) -> Settlement:
    """It may have been taken. The policy says whether it is sent again, with the same Message-ID, or held."""
    claimed = work.claimed
    policy = bench.policy(claimed.tenant_id, claimed.category_id)
    again = policy.delivery.uncertain == "redeliver"
    kind, state = (Kind.QUEUED, State.QUEUED) if again else (Kind.HELD, State.HELD)
    kept = _kept(work, state, bench.now if again else claimed.lifetime_ends, lost=0)
    told = ((Kind.UNCERTAIN, detail), (kind, {"reason": "uncertain", "policy": policy.delivery.uncertain}))
    return _settlement(work, _attempt(attempt), told, state, kept)


def _place(work: Work) -> dict[str, Any]:
    """What it would need to go into the spool again, should the next hop give it back."""
    claimed = work.claimed
    tries = Tries(claimed.schedule, claimed.schedule_attempts, claimed.first_failed_at)
    return Place(claimed.domain_id, claimed.lifetime_ends, claimed.on_consent, tries).to_document()


# ---- late answers


def late(work: Work, settlement: Settlement) -> Report | None:
    """What is worth telling of an attempt whose claim was lost meanwhile: that it was taken, or refused for good."""
    for happening in settlement.happenings:
        if happening.kind in (Kind.SENT, Kind.BOUNCED):
            return Report(
                work.claimed.message_id, happening.kind, happening.source_key, happening.detail, settlement.suppress
            )
    return None


# ---- shapes


def _attempt(number: int) -> str:
    return f"attempt:{number}"


def _settlement(
    work: Work,
    source: str,
    told: tuple[tuple[Kind, dict[str, Any]], ...],
    state: State,
    kept: Kept | None,
    suppress: NewSuppression | None = None,
) -> Settlement:
    """The events in order; a message whose hold is over says so first."""
    claimed = work.claimed
    first: tuple[Happening, ...] = ()
    if work.told is State.HELD and state not in (State.SUPPRESSED, State.CANCELLED, State.EXPIRED):
        kind, why = (Kind.RELEASED, "released") if claimed.released else (Kind.QUEUED, "hold-over")
        place = f"claim:{claimed.token}"
        first = (Happening(claimed.message_id, claimed.tenant_id, kind, place, work.key, {"reason": why}),)
    happenings = tuple(
        Happening(claimed.message_id, claimed.tenant_id, kind, source, work.key, detail) for kind, detail in told
    )
    return Settlement(claimed.token, first + happenings, state, kept, suppress)


def _kept(work: Work, state: State, due: datetime, lost: int | None = None) -> Kept:
    claimed = work.claimed
    return Kept(
        claimed.message_id,
        int(state),
        due,
        claimed.schedule,
        claimed.schedule_attempts,
        claimed.first_failed_at,
        claimed.lost_claims if lost is None else lost,
    )


def _detail(work: Work, answer: Answer) -> dict[str, Any]:
    """Small, and sealed under the person's key: header and conversation name the address. `headers` is there when the
    message as a whole went out, or may have.
    """
    detail: dict[str, Any] = {
        "attempt": work.attempt,
        "phase": answer.phase,
        "code": answer.code,
        "enhanced": answer.enhanced,
        "text": answer.text[:_TEXT],
    }
    if work.composed is not None:
        detail |= work.composed.facts.detail()
        if answer.phase == "eod":
            detail["headers"] = work.composed.facts.headers()
    detail["conversation"] = list(answer.conversation[-_LINES:])
    return detail
