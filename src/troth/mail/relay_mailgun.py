"""Feedback: what Mailgun's webhooks say, as facts: the JSON of today, and the forms of its older webhooks.

Sources: Mailgun's user manual, "Events" and "Webhooks". The signature is over its own time and token and over nothing
else, so it says only that Mailgun called: what a call is about is proved by our token inside.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from troth.mail import relay_facts as say
from troth.mail.relay_facts import Fact, Listed, Reason, Word
from troth.mail.relay_form import Fields
from troth.mail.relay_json import BodyError, read_object
from troth.mail.reply import Failure

VARIABLE = "troth"  # of X-Mailgun-Variables: what comes back as a user variable
_HEX = 64
_YEAR_2200 = 7_258_118_400

_WORDS = MappingProxyType({
    "accepted": Word.QUEUED, "rejected": Word.REJECTED, "delivered": Word.DELIVERED, "failed": Word.BOUNCED,
    "opened": Word.OPENED, "clicked": Word.CLICKED, "unsubscribed": Word.UNSUBSCRIBED, "complained": Word.COMPLAINED,
    "stored": Word.INBOUND,
    # the older webhooks' own
    "bounced": Word.BOUNCED, "dropped": Word.REJECTED,
})  # fmt: skip
_REASONS = MappingProxyType({
    "bounce": Reason.BOUNCED, "suppress-bounce": Reason.BOUNCED, "hardfail": Reason.BOUNCED,
    "suppress-complaint": Reason.SPAM, "suppress-unsubscribe": Reason.UNSUBSCRIBED, "espblock": Reason.BLOCKED,
    "old": Reason.TIMED_OUT,
})  # fmt: skip
_LISTS = MappingProxyType({
    "suppress-bounce": Listed.BOUNCES, "suppress-complaint": Listed.COMPLAINTS,
    "suppress-unsubscribe": Listed.OPT_OUTS,
})  # fmt: skip
# Its own codes: "not delivering to a previously bounced, unsubscribed, complaining address".
_LIST_CODES = MappingProxyType({605: Listed.BOUNCES, 606: Listed.OPT_OUTS, 607: Listed.COMPLAINTS})
_LISTED_REASONS = MappingProxyType({
    Listed.BOUNCES: Reason.BOUNCED, Listed.OPT_OUTS: Reason.UNSUBSCRIBED, Listed.COMPLAINTS: Reason.SPAM,
})  # fmt: skip
_FAILED = frozenset({Word.BOUNCED, Word.DEFERRED, Word.REJECTED})


@dataclass(frozen=True, slots=True)
class Signature:
    """timestamp: seconds since 1970, as text; token: 50 characters, used once; signature: HMAC-SHA-256 in hex."""

    timestamp: str
    token: str
    signature: str

    def holds(self, keys: Sequence[bytes]) -> bool:
        """Whether one of the keys made it; every key is tried, in constant time."""
        signed = f"{self.timestamp}{self.token}".encode()
        given = self.signature.lower().encode()
        good = [hmac.compare_digest(hmac.digest(key, signed, sha256).hex().encode(), given) for key in keys]
        return any(good) and bool(self.timestamp and self.token)

    @property
    def at(self) -> datetime | None:
        """When it was made; None for what is no time."""
        return _moment(self.timestamp)


@dataclass(frozen=True, slots=True)
class Call:
    """One POST: the signature that it carries, and what it says."""

    signature: Signature
    fact: Fact


def read_json(octets: bytes) -> Call:
    """BodyError for what is no webhook of Mailgun's."""
    return call(read_object(octets))


def call(given: Mapping[str, Any]) -> Call:
    """The JSON of today, taken apart."""
    if not isinstance(given.get("event-data"), Mapping):
        raise BodyError("The body is no Mailgun webhook: there is no object event-data in it.")
    signature = say.mapping(given.get("signature"))
    found = Signature(
        say.text(signature.get("timestamp"), 20), say.text(signature.get("token"), 100),
        say.text(signature.get("signature"), _HEX * 2),
    )  # fmt: skip
    return Call(found, fact(given["event-data"], found.token))


def fact(event: Mapping[str, Any], token: str = "") -> Fact:
    """An `event-data`, or an event of its API, as a fact."""
    name = say.text(event.get("event"), 60)
    word = _WORDS.get(name, Word.UNKNOWN)
    if word is Word.BOUNCED and say.text(event.get("severity")) == "temporary":
        word = Word.DEFERRED
    status, message = say.mapping(event.get("delivery-status")), say.mapping(event.get("message"))
    told = say.text(event.get("reason"), 100)
    code, response = say.whole(status.get("code")), say.text(status.get("message"))
    description = say.text(status.get("description")) or say.text(say.mapping(event.get("reject")).get("reason"))
    enhanced = say.status(say.text(status.get("enhanced-code"), 12))
    listed = (_LISTS.get(told) or _LIST_CODES.get(code, Listed.NO)) if word in _FAILED else Listed.NO
    variables = say.mapping(event.get("user-variables"))
    return Fact(
        word, name, say.text(event.get("recipient"), 320), _message_id(say.mapping(message.get("headers"))), token,
        say.text(event.get("id"), 100) or token, _moment(event.get("timestamp")), _reason(word, told, listed), listed,
        _failure(word, told, listed, (code, enhanced, (response, description))) if word in _FAILED else None,
        code, enhanced, response, description, say.text(status.get("mx-host"), 255),
        tags=say.texts(event.get("tags")), metadata=variables,
        tokens=_tokens(variables, say.text(say.mapping(event.get("envelope")).get("sender"), 400)),
        url=say.text(event.get("url"), 2_048),
        user_agent=say.text(say.mapping(event.get("client-info")).get("user-agent")),
    )  # fmt: skip


def read_form(content_type: str, octets: bytes) -> Call:
    """A POST of the older webhooks, urlencoded or multipart; BodyError for what is none."""
    return form_call(Fields.read(content_type, octets))


def form_call(fields: Fields) -> Call:
    """Custom variables are fields of their own there; where they bear a field's name, Mailgun's own comes last."""
    signature = Signature(fields.last("timestamp")[:20], fields.last("token")[:100], fields.last("signature")[:128])
    return Call(signature, form_fact(fields))


def form_fact(fields: Fields) -> Fact:
    name = next((each for each in reversed(fields.all("event")) if each in _WORDS), fields.last("event"))[:60]
    word = _WORDS.get(name, Word.UNKNOWN)
    if not name and ("body-plain" in fields or "body-mime" in fields):
        word = Word.INBOUND
    given, told = fields.last("code").strip(), fields.last("reason")[:100]
    response, description = say.text(fields.last("error")), say.text(fields.last("description"))
    code = say.whole(given) or say.reply_code(response)
    listed = _LIST_CODES.get(code, Listed.NO) if word in _FAILED else Listed.NO
    token, variables = fields.last("token")[:100], fields.variables()
    return Fact(
        word, name, say.text(fields.last("recipient"), 320), _bracketed(fields.message_id()), token, token,
        _moment(fields.last("timestamp")), _form_reason(word, told, listed), listed,
        _failure(word, told, listed, (code, say.status(given), (response, description))) if word in _FAILED else None,
        code, say.status(given), response or say.text(fields.last("notification")), description,
        say.text(fields.last("mx-host"), 255), tags=fields.tags(), metadata=variables,
        tokens=_tokens({**variables, VARIABLE: variables.get(VARIABLE, fields.last(VARIABLE))}, ""),
        url=say.text(fields.last("url"), 2_048), user_agent=say.text(fields.last("user-agent")),
    )  # fmt: skip


def _reason(word: Word, told: str, listed: Listed) -> Reason | None:
    if word is Word.COMPLAINED:
        return Reason.SPAM
    if word not in _FAILED:
        return None
    return _LISTED_REASONS.get(listed) or _REASONS.get(told, Reason.OTHER)


def _form_reason(word: Word, told: str, listed: Listed) -> Reason | None:
    """The older webhooks give no reason with a bounce: it is one."""
    return _reason(word, told or ("bounce" if word is Word.BOUNCED else ""), listed)


def _failure(word: Word, told: str, listed: Listed, reply: tuple[int, str, tuple[str, ...]]) -> Failure:
    """What its refusal means for the message and the address.

    Its list of bounces holds addresses "due to permanent recipient mailbox errors such as non-existent mailbox" and,
    as its manual says, no others: so the address is bad. Its other lists are somebody's wish, which is no failure.
    """
    if listed is Listed.BOUNCES:
        return Failure("hard", permanent=True, address_bad=True, rule="mailgun suppress-bounce")
    if listed is not Listed.NO:
        return Failure("policy", permanent=True, address_bad=False, rule=f"mailgun {listed}")
    if word is Word.REJECTED:
        return Failure("policy", permanent=True, address_bad=False, rule="mailgun rejected")
    if told == "espblock":
        return Failure("reputation", permanent=word is Word.BOUNCED, address_bad=False, rule="mailgun espblock")
    if told == "greylisted":
        return Failure("mailbox", permanent=False, address_bad=False, detail="greylisted", rule="mailgun greylisted")
    return say.failure(*reply, permanent=word is Word.BOUNCED)


def _tokens(variables: Mapping[str, Any], sender: str) -> tuple[str, ...]:
    """Where our token may stand: the variable, and the return path that we gave."""
    places = (say.text(variables.get(VARIABLE), 100), sender.partition("@")[0])
    return tuple(dict.fromkeys(each for each in places if each))


def _message_id(headers: Mapping[str, Any]) -> str:
    return _bracketed(say.text(headers.get("message-id"), 998))


def _bracketed(found: str) -> str:
    """As the header has it: Mailgun leaves the angle brackets out."""
    return found if not found or found.startswith("<") else f"<{found}>"


def _moment(value: object) -> datetime | None:
    try:
        seconds = float(say.text(value, 30))
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _YEAR_2200 else None
    except ValueError:
        return None
