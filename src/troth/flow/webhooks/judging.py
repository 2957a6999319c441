"""Webhooks, after an attempt: what it makes of the delivery and of its endpoint. Pure; times and chance are handed in.

A 2xx is a delivery; nothing else is: a redirect is not followed. 410 says that the endpoint is gone for good (Standard
Webhooks 1.0), 429 and 503 with Retry-After that the whole endpoint wants quiet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from troth.flow.webhooks.schedule import GiveUp, next_try, retry_after
from troth.outside.guarded_http import Answer
from troth.rules.hook_events import TEST_KIND
from troth.store.hooks import DELIVERED, GIVEN_UP, WAITING, Claimed, Clocks, Health, Settled

LATER = timedelta(seconds=30)  # for what could not be tried through our own fault
FAILING_FOR = timedelta(days=5)  # without one success, and the endpoint is disabled
_GONE = 410
_WANTS_QUIET = (429, 503)
_LONGEST = 300  # characters of an error that are kept


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer came: `code` of guarded_http, or `forbidden`, `url`."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Unmade:
    """Nothing was tried: our keys were away, or something of ours is broken."""

    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One claim, and what came of it."""

    claim: Claimed
    outcome: Answer | Failed | Unmade

    @property
    def good(self) -> bool:
        return isinstance(self.outcome, Answer) and 200 <= self.outcome.status < 300

    @property
    def gone(self) -> bool:
        return isinstance(self.outcome, Answer) and self.outcome.status == _GONE

    @property
    def status(self) -> int | None:
        return self.outcome.status if isinstance(self.outcome, Answer) else None

    @property
    def error(self) -> str | None:
        """For people: why it is no delivery; None when it is one."""
        match self.outcome:
            case Failed(code, sentence):
                return f"{code}: {sentence}"[:_LONGEST]
            case Unmade(why):
                return why[:_LONGEST]
            case Answer(status) if 300 <= status < 400:
                return f"HTTP {status}: a redirect is not followed; give the address that it names."
            case answer:
                return None if self.good else f"HTTP {answer.status}"


def settle(attempt: Attempt, clocks: Clocks, chance: float) -> Settled:
    """The delivery's new place. A test event is tried once."""
    claim, now = attempt.claim, clocks.now
    if isinstance(attempt.outcome, Unmade):
        return Settled(claim, WAITING, now + LATER, None, attempt.error, made=False)
    if attempt.good:
        return Settled(claim, DELIVERED, now, attempt.status)
    step = next_try(
        attempts=claim.attempts, first_at=claim.first_at, now=now, chance=chance, wait=_wait(attempt, clocks)
    )
    if isinstance(step, GiveUp) or attempt.gone or claim.kind == TEST_KIND:
        return Settled(claim, GIVEN_UP, now, attempt.status, attempt.error)
    return Settled(claim, WAITING, step.at, attempt.status, attempt.error)


def health(attempts: Sequence[Attempt], clocks: Clocks) -> Health | None:
    """How one endpoint did in these attempts, in the order in which they ended; None when none was made."""
    made = [each for each in attempts if not isinstance(each.outcome, Unmade)]
    if not made:
        return None
    last = made[-1]
    waits = [wait for each in made if each.status in _WANTS_QUIET and (wait := _wait(each, clocks))]
    quiet = clocks.now + max(waits) if waits else None
    return Health(
        last.claim.endpoint_id,
        good=any(each.good for each in made),
        bad=sum(not each.good for each in made),
        status=last.status,
        error=last.error,
        quiet=quiet,
    )


def by_endpoint(attempts: Iterable[Attempt]) -> list[list[Attempt]]:
    found: dict[object, list[Attempt]] = {}
    for each in attempts:
        found.setdefault(each.claim.endpoint_id, []).append(each)
    return list(found.values())


def _wait(attempt: Attempt, clocks: Clocks) -> timedelta | None:
    if not isinstance(attempt.outcome, Answer):
        return None
    return retry_after(attempt.outcome.headers.get("retry-after"), clocks.wall)
