"""Feedback: what a relay's fact sets in motion, once its call is believed: our own signed token must be in it as well.

    delivered, refused, put off     outcome.tell: an event of the message, its state, a suppression where it is due
    called unwanted                 complaining.complain
    opted out                       opt_out.carry_out, as by our own link
    on one of the relay's own lists refused, and that list's reason here too
    opened, clicked, taken, inbound nothing: Troth watches nobody

Every fact may come again, at any time: an event's source key is the relay's own id of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from troth.flow.feedback import opt_out, outcome
from troth.flow.feedback.complaining import Report, complain
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.outcome import Told
from troth.keys.consents import Said
from troth.keys.installation import Purpose
from troth.mail.relay_facts import Fact, Listed, Word
from troth.mail.relay_ses import NO_COMPLAINT
from troth.mail.reply import Failure
from troth.mail.tokens import ReturnPath, TokenError, verp_open
from troth.store import events as store
from troth.store.connection import Connection

COMPLAINT = 2  # suppression.reason
_KEPT_BACK = timedelta(days=1)
_ACTIONS = {
    Word.DELIVERED: outcome.DELIVERED, Word.DEFERRED: outcome.DELAYED, Word.BOUNCED: outcome.FAILED,
    Word.REJECTED: outcome.FAILED, Word.FAILED: outcome.FAILED,
}  # fmt: skip
# A relay that names no failure: SES's bounces without a diagnostic, which may be an answering machine's.
_MAYBE = Failure("connection", permanent=False, address_bad=False, rule="relay says nothing")
_UNWANTED = Failure("policy", permanent=True, address_bad=False, rule="relay's list of complaints")
_LONGEST = 100  # characters of a source key that the relay's own id may fill


@dataclass(frozen=True, slots=True)
class Heard:
    """One call's facts. relay: 'mailgun' or 'ses'; now: the house's clock; wall: the true time, which relays tell."""

    relay: str
    facts: Sequence[Fact]
    now: datetime
    wall: datetime

    def came_at(self, fact: Fact) -> datetime:
        """When the relay had it, by the house's clock: what it kept back counts, up to a day."""
        age = self.wall - fact.at if fact.at else timedelta()
        return self.now - min(max(age, timedelta()), _KEPT_BACK)


async def act(deps: Deps, connection: Connection, heard: Heard) -> Counter[str]:
    """What became of each, in numbers. outcome.Early, and what the store raises, is temporary: come again."""
    done: Counter[str] = Counter()
    for fact in heard.facts:
        done[await _one(deps, connection, heard, fact)] += 1
    return done


async def _one(deps: Deps, connection: Connection, heard: Heard, fact: Fact) -> str:
    if not _matters(fact):
        return f"ignored-{fact.word}"
    path = _path(deps, heard, fact)
    if path is None:
        return "no-token"
    if not await store.lock_messages(connection, [path.message]):
        return "no-message"
    new = await _carry_out(deps, connection, heard, fact, path)
    return str(fact.word) if new else "known"


def _matters(fact: Fact) -> bool:
    if fact.word is Word.COMPLAINED:
        return fact.feedback not in NO_COMPLAINT
    return fact.word in _ACTIONS or fact.word is Word.UNSUBSCRIBED


def _path(deps: Deps, heard: Heard, fact: Fact) -> ReturnPath | None:
    """The message and attempt that a token of ours in it names; whatever else it says of itself counts for nothing."""
    keys = deps.secrets.token_keys(Purpose.VERP)
    for token in fact.tokens:
        try:
            return verp_open(keys, token, heard.now)
        except TokenError:
            continue
    return None


async def _carry_out(deps: Deps, connection: Connection, heard: Heard, fact: Fact, path: ReturnPath) -> bool:
    message, key = path.message, _source_key(heard.relay, fact)
    if fact.word is Word.COMPLAINED and fact.listed is Listed.NO:
        return await complain(
            deps, connection, message, key, _detail(heard.relay, fact), Report(came_at=heard.came_at(fact))
        )
    if fact.word is Word.UNSUBSCRIBED:
        return await _opt_out(deps, connection, heard, fact, message)
    told = Told(message, _action(fact), key, _failure(fact), _detail(heard.relay, fact), path.attempt)
    new = await outcome.tell(deps, connection, [told])
    if fact.listed is Listed.COMPLAINTS:
        await _condemn(connection, heard.relay, message)
    elif fact.listed is Listed.OPT_OUTS:
        await _opt_out(deps, connection, heard, fact, message)
    return bool(new)


def _action(fact: Fact) -> str:
    """A bounce of which nothing says that it failed is told as a delay: the state stays."""
    if fact.word is Word.COMPLAINED:  # on the relay's list of complaints: it sent nothing
        return outcome.FAILED
    if fact.failure is None and fact.word is Word.BOUNCED:
        return outcome.DELAYED
    return _ACTIONS[fact.word]


def _failure(fact: Fact) -> Failure:
    return fact.failure or (_MAYBE if fact.listed is Listed.NO else _UNWANTED)


async def _opt_out(deps: Deps, connection: Connection, heard: Heard, fact: Fact, message: UUID) -> bool:
    """By the relay's own link, or by one of an earlier message, as its list tells."""
    letter = await opt_out.letter(deps, connection, message, heard.now)
    if letter is None:
        return False
    before = await store.told_already(connection, message, opt_out.SOURCE)
    how = "the relay's list of opt-outs" if fact.listed is Listed.OPT_OUTS else "the relay's own link"
    await opt_out.carry_out(deps, connection, letter, "relay", Said("", f"{how} ({heard.relay})", ""))
    return not before


async def _condemn(connection: Connection, relay: str, message: UUID) -> None:
    """Whoever complained to the relay of an earlier message is not written to again by anybody."""
    async with connection.transaction():
        [row] = await store.lock_messages(connection, [message])
        source = f"{relay}:{row.id}"
        await store.suppress(
            connection, [store.NewSuppression(row.blind_index, COMPLAINT, source, row.tenant_id, None)]
        )


def _source_key(relay: str, fact: Fact) -> str:
    """The relay's own id of the event; where it gives none, a digest of what it says."""
    if fact.key and len(fact.key) <= _LONGEST and fact.key.isascii() and fact.key.isprintable():
        return f"{relay}:{fact.key}"
    words = "\0".join((fact.word, fact.key, fact.message_id, fact.recipient, str(fact.at)))
    return f"{relay}:{sha256(words.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _detail(relay: str, fact: Fact) -> dict[str, Any]:
    """Small, and sealed under the person's key."""
    said = {
        "via": relay, "code": fact.code or None, "status": fact.enhanced, "enhanced": fact.enhanced,
        "diagnostic": fact.response, "text": fact.response or fact.description, "description": fact.description,
        "remote_mta": fact.remote_mta, "relay_reason": fact.reason, "relay_list": str(fact.listed),
        "feedback_type": fact.feedback, "told_at": fact.at.isoformat() if fact.at else None, "event": fact.name,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}
