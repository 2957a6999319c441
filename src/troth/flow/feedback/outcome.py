"""Feedback: what became of a message after the next hop took it, as a notification or a relay's webhook tells it: told
here once its token is verified, and made an event of the message, in any order and however often it comes;
whoever has the mail can tell as often as they like, so that of each kind a few are events, and the rest a number.

    the address is bad                -> bounced, and suppressed in the same transaction
    an attempt that is not the newest -> no more than an event, unless the address is bad: that one was tried again
    refused for now                   -> one failed attempt of ours: back into the spool, when the policy says; when its
                                         retries are spent, bounced and suppressed; if it cannot be tried again, failed
    refused for good, address or not  -> bounced
    the next hop tries on by itself   -> an event; the state stays
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.flow import events
from troth.flow.feedback import given_back
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.given_back import Before
from troth.flow.gate.recall import opener
from troth.keys import places
from troth.mail.reply import Failure
from troth.rules.retry import Bounced, Failed, Retry, Spent, Tries
from troth.rules.states import Kind, State
from troth.store import events as store
from troth.store import gate, inbound
from troth.store.connection import Connection

HARD, SOFT_SPENT = 1, 6  # suppression.reason
MOST = 4  # events of a kind that others make of one message (of those that suppress, twice that): more are a number
FAILED, DELAYED, DELIVERED = "failed", "delayed", "delivered"
WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # seconds for a worker's record that the report outran
_TEXT, _NAMES = 1_000, 24  # characters of each word that is kept, and how many
_UNSAID = Failure("policy", permanent=True, address_bad=False, rule="unsaid")
_LATE = "The next hop says that it is late, and tries on by itself."
_BAD = "It was taken, and then refused: the address is bad, and suppressed."
_SPENT = "It was taken, and then refused for now once more: its retries are spent, and the address is suppressed."
_REFUSED = "It was taken, and then refused for good, through no fault of the address."
_AGAIN = "It was taken, and then refused for now: it is tried again."
_KNOWN = "A refusal for now, of an attempt that something is known of already."
_AFTER_ALL = "It had been taken for delivered; it is not sent again, since somebody may have it."
_TOO_LATE = "It was refused for now, and its lifetime is over."
_NO_LETTER = "It was refused for now, and it cannot be sent again: its letter is not kept any more."


class Early(TimeoutError):  # noqa: N818 - the name says what happened; every caller reads it so
    """The message is on the wire, and what the next hop answered is not on record yet: come again in a minute."""


@dataclass(frozen=True, slots=True)
class Told:
    """One fact about one message of ours, whose token was verified already.

    action: failed | delayed | delivered. source_key makes a repeat the same event: "dsn:<32 hex of the letter's
    digest>", "mailgun:<event id>", "ses:<id>". failure: of failed (and delayed). detail: small, sealed under the
    person's key: reason, status, diagnostic, remote_mta, via ("dsn", "mailgun", "ses"), class. attempt: which one it is
    about, as its token says; 0 where that does not say.
    """

    message_id: UUID
    action: str
    source_key: str
    failure: Failure | None
    detail: Mapping[str, Any]
    attempt: int = 0


async def tell(deps: Deps, connection: Connection, told: Sequence[Told]) -> int:
    """How many facts were new; each is a transaction of its own. Early, or what the store raises, is temporary."""
    return sum([await _patiently(deps, connection, each) for each in told])


async def _patiently(deps: Deps, connection: Connection, told: Told) -> int:
    for wait in WAITS:
        try:
            return await _tell(deps, connection, told)
        except Early:
            await asyncio.sleep(wait)
    return await _tell(deps, connection, told)


async def _tell(deps: Deps, connection: Connection, told: Told) -> int:
    async with connection.transaction():
        waiting = await store.lock_places(connection, [told.message_id])
        found = await store.lock_messages(connection, [told.message_id])
        if not found or await store.told_already(connection, told.message_id, told.source_key):
            return 0
        now = await gate.now(connection)
        report = await _report(deps, connection, told, _At(found[0], waiting.get(told.message_id), now))
        most = MOST if report.suppress is None else 2 * MOST
        if report.again is None and await store.told_later(connection, told.message_id, report.kind) >= most:
            await inbound.count(connection, "bounce", "told-enough")
            return 0
        return len(await events.report(connection, [report], now, opener(deps.keyring)))


@dataclass(frozen=True, slots=True)
class _At:
    """A message, locked; `spool`: state and attempts of its row there."""

    message: store.MessageRow
    spool: tuple[int, int] | None
    now: datetime


async def _report(deps: Deps, connection: Connection, told: Told, at: _At) -> events.Report:
    if told.action == DELIVERED:
        return _event(told, Kind.DELIVERED, _words(told))
    if told.action == DELAYED:
        return _event(told, Kind.DEFERRED, {"reason": "delayed", "sentence": _LATE, **_words(told)})
    before = await given_back.before(deps, connection, at.message, at.spool, at.now)
    return _failed(deps, told, at, before)


def _event(told: Told, kind: Kind, detail: dict[str, Any], **more: Any) -> events.Report:
    return events.Report(told.message_id, kind, told.source_key, detail, **more)


def _failed(deps: Deps, told: Told, at: _At, before: Before) -> events.Report:
    failure = told.failure or _UNSAID
    step, tries = given_back.judged(failure, at.message.id, before, at.now)
    detail = {**_words(told), "kind": failure.kind, "rule": failure.rule, "attempt": told.attempt or before.attempt}
    if not failure.address_bad and before.tried_since(told.attempt):
        return _event(told, Kind.DEFERRED, {**detail, "kind": "known", "sentence": _KNOWN})
    if isinstance(step, Bounced):
        return _bounced(deps, told, step, at, before, detail)
    state = State(at.message.state)
    if state is State.SENT:
        return _given_back(deps, told, step, at, before, tries, detail)
    if at.spool is not None and at.spool[0] == State.SENDING:
        raise Early
    if state is State.DELIVERED:
        return _event(told, Kind.BOUNCED, {**detail, "reason": failure.kind, "sentence": _AFTER_ALL})
    return _event(told, Kind.DEFERRED, {**detail, "kind": "known", "sentence": _KNOWN})


def _given_back(
    deps: Deps, told: Told, step: Retry | Spent | Failed, at: _At, before: Before, tries: Tries, detail: dict[str, Any]
) -> events.Report:
    detail = {**detail, "tries": tries.attempts}
    if isinstance(step, Spent):
        return _bounced(deps, told, step, at, before, detail)
    if isinstance(step, Failed):
        return _event(told, Kind.FAILED, {**detail, "reason": step.reason, "sentence": _TOO_LATE})
    again = given_back.again(before, step, tries)
    if again is None:
        return _event(told, Kind.FAILED, {**detail, "reason": "no-letter", "sentence": _NO_LETTER})
    return _event(told, Kind.DEFERRED, {**detail, "again": step.at.isoformat(), "sentence": _AGAIN}, again=again)


def _bounced(
    deps: Deps, told: Told, step: Bounced | Spent, at: _At, before: Before, detail: dict[str, Any]
) -> events.Report:
    suppress, sentence = None, _REFUSED
    if step.suppress:
        message, sentence = at.message, _BAD if isinstance(step, Bounced) else _SPENT
        suppress = store.NewSuppression(
            message.blind_index, HARD if isinstance(step, Bounced) else SOFT_SPENT, f"smtp:{message.id}",
            message.tenant_id, _sealed(deps, message.blind_index, before.address),
        )  # fmt: skip
    return _event(told, Kind.BOUNCED, {**detail, "reason": step.reason, "sentence": sentence}, suppress=suppress)


def _sealed(deps: Deps, index: bytes, address: bytes | None) -> bytes | None:
    if address is None or deps.operator is None:
        return None
    return deps.operator.seal(address, places.suppression(index))


def _words(told: Told) -> dict[str, Any]:
    """As little of a stranger's words as tells what happened."""
    given = list(told.detail.items())[:_NAMES]
    return {name[:60]: value[:_TEXT] if isinstance(value, str) else value for name, value in given}
