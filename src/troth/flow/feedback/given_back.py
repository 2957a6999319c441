"""Feedback: a message that the next hop took and then gave back: what its spool row was, read from the event that it
was sent, what the live policy makes of one more failed attempt, and the row that it gets.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.knowing import address_of, key_of, policy_of
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import PersonKey
from troth.mail.reply import Failure
from troth.mail.tokens import LAST_ATTEMPT
from troth.rules.given_back import PLACE, Place
from troth.rules.policy import Policy
from troth.rules.retry import Retry, Step, Tries, counted, next_step, remembered
from troth.store import events as store
from troth.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Before:
    """How it stood when it was sent. place: None when that is not on record, or the person was erased; address: theirs;
    letter: whether what was sent is still kept; attempt: the newest; sent: the newest that the next hop took.
    """

    policy: Policy
    attempt: int
    sent: int
    place: Place | None
    address: bytes | None
    letter: bool

    def tried_since(self, attempt: int) -> bool:
        """Whether what is told of this attempt is overtaken: a later one was taken. 0: it does not say which."""
        return 0 < attempt < min(self.sent, LAST_ATTEMPT)

    @property
    def tries(self) -> Tries:
        return self.place.tries if self.place else Tries()


async def before(
    deps: Deps, connection: Connection, message: store.MessageRow, spool: tuple[int, int] | None, now: datetime
) -> Before:
    out = await store.went_out(connection, message.id)
    key = key_of(deps, message)
    sent = _number(out.source_key)
    attempt = spool[1] if spool is not None else sent
    policy = await policy_of(deps, connection, message.tenant_id, message.category_id, now)
    address = address_of(key, message.person_id, out.address_ct)
    return Before(policy, attempt, sent, _place(key, message.id, out), address, out.letter)


def judged(failure: Failure, message: UUID, was: Before, now: datetime) -> tuple[Step, Tries]:
    """What comes next after this failure, by the rule that a worker asks (rules/retry.py)."""
    tries = counted(was.tries, failure.kind, address_bad=failure.address_bad, now=now)
    step = next_step(
        failure.kind, permanent=failure.permanent, address_bad=failure.address_bad, policy=was.policy,
        attempts_of_this_schedule=tries.attempts, first_attempt_at=tries.first or now, now=now,
        lifetime_ends_at=was.place.ends if was.place else now, message_id=str(message),
    )  # fmt: skip
    return step, tries


def again(was: Before, step: Retry, tries: Tries) -> store.Again | None:
    """Its new row, `tries` with this failure counted; None when there is nothing to send any more."""
    if was.place is None or not was.letter:
        return None
    kept = remembered(was.tries, tries)
    place = was.place
    return store.Again(
        place.domain, step.at, place.ends, was.attempt, kept.schedule, kept.attempts, kept.first, place.consent
    )


def _number(source_key: str | None) -> int:
    """Of an attempt; 0 when none is on record."""
    name, _, number = (source_key or "").partition(":")
    return int(number) if name == "attempt" and number.isdecimal() else 0


def _place(key: PersonKey | None, message: UUID, out: store.WentOut) -> Place | None:
    if key is None or out.source_key is None or out.detail_ct is None:
        return None
    try:
        sealed = msgspec.json.decode(key.open(out.detail_ct, places.event(message, out.source_key)))
        return Place.of(sealed["detail"].get(PLACE))
    except (Undecryptable, msgspec.DecodeError):
        return None
