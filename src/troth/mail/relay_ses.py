"""Feedback: what Amazon SES tells through SNS, as facts, one a recipient: feedback notifications and published events.

Source: the SES developer guide, "Amazon SNS notification contents" and "Contents of event data". A soft bounce is told
when SES has given up; its `Transient` ones without a diagnostic are often an answering machine's, so they say nothing.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from troth.mail import relay_facts as say
from troth.mail.relay_facts import Fact, Listed, Reason, Word
from troth.mail.reply import Failure

TAG = "troth"  # of X-SES-MESSAGE-TAGS: what comes back among the mail's tags
TAGS_HEADER = "X-SES-MESSAGE-TAGS"
_MOST = 100  # recipients of one notification: SES takes 50

_WORDS = MappingProxyType({
    "Send": Word.SENT, "Delivery": Word.DELIVERED, "DeliveryDelay": Word.DEFERRED, "Bounce": Word.BOUNCED,
    "Complaint": Word.COMPLAINED, "Reject": Word.REJECTED, "Rendering Failure": Word.FAILED, "Open": Word.OPENED,
    "Click": Word.CLICKED, "Received": Word.INBOUND, "Subscription": Word.SUBSCRIBED,
})  # fmt: skip
# What the sub-type alone says, where the diagnostic may not even be there.
_SUBTYPES = MappingProxyType({
    "MailboxFull": Failure("mailbox", permanent=False, address_bad=False, detail="full", rule="ses MailboxFull"),
    "MessageTooLarge": Failure("size", permanent=True, address_bad=False, rule="ses MessageTooLarge"),
    "ContentRejected": Failure("content", permanent=True, address_bad=False, rule="ses ContentRejected"),
    "AttachmentRejected": Failure("content", permanent=True, address_bad=False, rule="ses AttachmentRejected"),
})  # fmt: skip
# "A recent history of bouncing as an invalid address"; the account's list, as far as bounces brought it there.
_LISTS = frozenset({"Suppressed", "OnAccountSuppressionList"})
_CONDEMNED = Failure("hard", permanent=True, address_bad=True, rule="ses suppression list")
_DELAYS = MappingProxyType({
    "MailboxFull": ("mailbox", "full"), "SpamDetected": ("content", ""), "IPFailure": ("reputation", ""),
    "SendingDeferral": ("rate", ""),
})  # fmt: skip
# What a provider reports in the same form though nobody called the message unwanted (IANA's feedback types).
NO_COMPLAINT = frozenset({"not-spam", "auth-failure"})


def facts(event: Mapping[str, Any], event_id: str = "", at: datetime | None = None) -> tuple[Fact, ...]:
    """An event's or a notification's JSON. event_id and at: of the SNS message that brought it. Never empty."""
    name = say.text(event.get("eventType"), 60) or say.text(event.get("notificationType"), 60)
    word = _WORDS.get(name, Word.UNKNOWN)
    inner = say.mapping(event.get(_part(name)))
    said = [_said(word, inner, each) for each in _recipients(inner, say.mapping(event.get("mail")))]
    common = _common(event, word, name, event_id, at)
    return tuple(Fact(**{**common, **each}) for each in said)


def tokens(mail: Mapping[str, Any]) -> tuple[str, ...]:
    """Where our token may stand: the tag, the header that set it, and the envelope's sender, which we gave."""
    tags = say.mapping(mail.get("tags"))
    sender = say.text(mail.get("source"), 400)
    found = [*say.texts(tags.get(TAG), 2), *_header_tokens(mail), sender.partition("@")[0]]
    return tuple(dict.fromkeys(each for each in found if each))


def _part(name: str) -> str:
    """The object's name that belongs to an event's: `Rendering Failure` has `failure`."""
    return "failure" if name == "Rendering Failure" else name[:1].lower() + name[1:]


def _recipients(inner: Mapping[str, Any], mail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each as an object; those that the event names, else all that the mail went to."""
    for key in ("bouncedRecipients", "complainedRecipients", "delayedRecipients", "recipients"):
        found = say.listed(inner.get(key), _MOST)
        if found:
            return [each if isinstance(each, Mapping) else {"emailAddress": each} for each in found]
    return [{"emailAddress": each} for each in say.listed(mail.get("destination"), _MOST) or [""]]


def _common(event: Mapping[str, Any], word: Word, name: str, event_id: str, at: datetime | None) -> dict[str, Any]:
    mail, inner = say.mapping(event.get("mail")), say.mapping(event.get(_part(name)))
    tags, metadata = _tags(mail)
    key = say.text(inner.get("feedbackId"), 200)
    return {
        "word": word, "name": name, "message_id": say.text(mail.get("messageId"), 200), "event_id": event_id,
        "key": key or event_id, "at": at or moment(inner.get("timestamp")) or moment(mail.get("timestamp")),
        "tags": tags, "metadata": metadata, "tokens": tokens(mail), "url": say.text(inner.get("link"), 2_048),
        "user_agent": say.text(inner.get("userAgent")),
    }  # fmt: skip


def _said(word: Word, inner: Mapping[str, Any], recipient: Mapping[str, Any]) -> dict[str, Any]:
    """What is one recipient's own."""
    found: dict[str, Any] = {"recipient": say.text(recipient.get("emailAddress"), 320)}
    more = _MORE.get(word)
    return found | more(inner, recipient) if more else found


def _bounce(inner: Mapping[str, Any], recipient: Mapping[str, Any]) -> dict[str, Any]:
    kind, sub = say.text(inner.get("bounceType"), 60), say.text(inner.get("bounceSubType"), 60)
    told = say.text(recipient.get("diagnosticCode"))
    enhanced = say.status(say.text(recipient.get("status"), 12))
    condemned = kind == "Permanent" and sub in _LISTS
    return {
        "reason": Reason.BOUNCED, "description": f"{kind}: {sub}", "response": told, "enhanced": enhanced,
        "code": say.reply_code(told), "listed": Listed.BOUNCES if condemned else Listed.NO,
        "failure": _CONDEMNED if condemned else _failure(kind, sub, told, enhanced),
        "remote_mta": say.text(inner.get("remoteMtaIp"), 255), "feedback": say.text(recipient.get("action"), 40),
    }  # fmt: skip


def _failure(kind: str, sub: str, told: str, enhanced: str) -> Failure | None:
    """None: nothing says that it failed. With a diagnostic it is the receiver's words that count, not SES's class."""
    if sub in _SUBTYPES:
        return _SUBTYPES[sub]
    if told or enhanced:
        return say.failure(say.reply_code(told), enhanced, (told.partition(";")[2].strip() or told,), permanent=True)
    return say.failure(0, "", (), permanent=True) if kind == "Permanent" else None


def _delay(inner: Mapping[str, Any], recipient: Mapping[str, Any]) -> dict[str, Any]:
    sort, told = say.text(inner.get("delayType"), 60), say.text(recipient.get("diagnosticCode"))
    kind, detail = _DELAYS.get(sort, ("connection", ""))
    return {
        "reason": Reason.OTHER, "description": sort, "response": told, "code": say.reply_code(told),
        "enhanced": say.status(say.text(recipient.get("status"), 12)),
        "failure": Failure(kind, permanent=False, address_bad=False, detail=detail, rule=f"ses {sort}"),
    }  # fmt: skip


def _complaint(inner: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    sort = say.text(inner.get("complaintFeedbackType"), 40)
    listed = say.text(inner.get("complaintSubType"), 60) in _LISTS
    return {"reason": Reason.SPAM, "description": sort, "feedback": sort.lower(),
            "listed": Listed.COMPLAINTS if listed else Listed.NO}  # fmt: skip


def _delivery(inner: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    told = say.text(inner.get("smtpResponse"))
    return {"code": say.whole(told[:3]), "response": told, "remote_mta": say.text(inner.get("remoteMtaIp"), 255)}


def _reject(inner: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """SES found a virus, and sent nothing."""
    found = Failure("content", permanent=True, address_bad=False, rule="ses Reject")
    return {"reason": Reason.BLOCKED, "description": say.text(inner.get("reason")), "failure": found}


def _rendering(inner: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    found = Failure("protocol", permanent=True, address_bad=False, rule="ses Rendering Failure")
    return {"description": say.text(inner.get("errorMessage")), "failure": found}


def _subscription(inner: Mapping[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """SES's own preference page: whether the recipient left all of the list's topics."""
    left = say.mapping(inner.get("newTopicPreferences")).get("unsubscribeAll") is True
    return {"word": Word.UNSUBSCRIBED} if left else {}


type _Reader = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
_MORE: Mapping[Word, _Reader] = MappingProxyType({
    Word.BOUNCED: _bounce, Word.DEFERRED: _delay, Word.COMPLAINED: _complaint, Word.DELIVERED: _delivery,
    Word.REJECTED: _reject, Word.FAILED: _rendering, Word.SUBSCRIBED: _subscription,
})  # fmt: skip


def _headers(mail: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [say.mapping(each) for each in say.listed(mail.get("headers"), 200)]
    return [(say.text(each.get("name"), 100).lower(), say.text(each.get("value"), 4_000)) for each in found]


def _header_tokens(mail: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in _headers(mail):
        pairs = value.split(",") if name == TAGS_HEADER.lower() else []
        found += [text.strip() for key, _, text in (pair.partition("=") for pair in pairs) if key.strip() == TAG]
    return found


def _tags(mail: Mapping[str, Any]) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Tags and metadata, as a sender's headers X-Tag and X-Metadata have them, else SES's own tags."""
    headers = _headers(mail)
    tags = tuple(value for name, value in headers if name == "x-tag")
    given = next((value for name, value in headers if name == "x-metadata"), "")
    return tags, say.object_of(given)


def moment(value: object) -> datetime | None:
    """ISO 8601 with a zone, as all of AWS writes it."""
    try:
        found = datetime.fromisoformat(say.text(value, 40))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
