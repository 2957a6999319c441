"""The door's vocabulary: every problem type that an answer may carry (RFC 9457), stable and documented.

A slug is for ever: programs switch on it. `name` is the word of Resend's API, whose clients choose their exception by
it and the status; where they know no word of that status, the nearest one that they print is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from troth.rules.facts import FieldProblem

_INVALID = "validation_error"
_MISSING = "missing_required_field"
_NO_KEY = "missing_api_key"
_BAD_KEY = "invalid_api_key"
_HOUR = "rate_limit_exceeded"
_DAY = "daily_quota_exceeded"
_OURS = "application_error"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """status: HTTP's. name: Resend's word. way_out: what the caller does. again: the same request may pass later."""

    slug: str
    status: int
    name: str
    title: str
    way_out: str
    again: bool = False

    @property
    def uri(self) -> str:
        """Give the type as a reference, resolved against the host that answered (RFC 9457, 3.1.1)."""
        return f"/problems/{self.slug}"


def _again(slug: str, status: int, name: str, title: str, way_out: str) -> ProblemType:
    return ProblemType(slug, status, name, title, way_out, again=True)


_P = ProblemType
_DOOR: tuple[ProblemType, ...] = (
    _P("malformed-json", 400, _INVALID, "The body is not JSON", "Send one JSON value, as the API says."),
    _P("bad-utf8", 400, _INVALID, "The body is not UTF-8", "Encode the body as UTF-8."),
    _P("duplicate-key", 400, _INVALID, "An object names a key twice", "Give each key once."),
    _P("not-a-number", 400, _INVALID, "NaN and Infinity are not JSON", "Send a number, or null."),
    _P("too-deep", 400, _INVALID, "The body is nested too deeply", "Flatten it; 32 levels are taken."),
    _P(
        "bad-idempotency-key",
        400,
        _INVALID,
        "The Idempotency-Key is not usable",
        "Use 1 to 256 printable ASCII characters.",
    ),
    _P("invalid-cursor", 400, _INVALID, "The cursor is not one of ours", "Use a cursor from an answer, unchanged."),
    _P("unauthorized", 401, _NO_KEY, "There is no API key", "Send the header Authorization: Bearer and the key."),
    _P(
        "invalid-api-key",
        403,
        _BAD_KEY,
        "The API key is not known",
        "Check the key for a slip of the hand, or make a new one.",
    ),
    _P("forbidden", 403, _BAD_KEY, "The API key may not do this", "Use a key with the permission."),
    _P(
        "not-found",
        404,
        "not_found",
        "There is no such thing here",
        "Check the id and the account that the key is for.",
    ),
    _P("method-not-allowed", 405, "method_not_allowed", "The method is not for this path", "See the header Allow."),
    _P("not-acceptable", 406, _INVALID, "No answer has the type asked for", "Accept application/json."),
    _P(
        "idempotency-mismatch",
        409,
        "invalid_idempotent_request",
        "The Idempotency-Key was used for another request",
        "Use a new key for a new request.",
    ),
    _again(
        "idempotency-in-flight",
        409,
        "concurrent_idempotent_requests",
        "The same request is being worked on",
        "Send it again in a moment; it gets the first one's answer.",
    ),
    _again(
        "receipt-not-sealed",
        409,
        _INVALID,
        "The email's newest event is not sealed yet",
        "Ask again after the seconds in Retry-After.",
    ),
    _P(
        "not-cancellable",
        409,
        _INVALID,
        "The email can no longer be cancelled",
        "It was sent, is being sent, or has ended.",
    ),
    _P(
        "not-reschedulable",
        409,
        _INVALID,
        "The email's time can no longer be changed",
        "It was sent, is being sent, or has ended.",
    ),
    _P(
        "body-too-large",
        413,
        _INVALID,
        "The request is too large",
        "Send fewer emails a request, or smaller attachments.",
    ),
    _P("request-timeout", 408, _INVALID, "The body came too slowly", "Send the request again, without pauses."),
    _P("unsupported-media-type", 415, _INVALID, "The body's type is not taken", "Send Content-Type: application/json."),
    _P("unknown-field", 422, _INVALID, "A field is not known", "Remove the field, or correct its name."),
    _P("missing-field", 422, _MISSING, "A field is missing", "Add the field."),
    _P("bad-type", 422, _INVALID, "A field has the wrong type", "Give the field the type that the API says."),
    _P("bad-value", 422, _INVALID, "A field has a value that is not taken", "The answer says which values are."),
    _P("bad-base64", 422, _INVALID, "Content is not base64", "Encode it as RFC 4648 says, with its padding."),
    _P("attachment-path", 422, _INVALID, "Attachments are not fetched from addresses", "Send the content itself."),
    _P("schedule-unreadable", 422, _INVALID, "The time cannot be read", "Use ISO 8601 with a time zone."),
    _P("batch-too-large", 422, _INVALID, "The batch holds too many emails", "Split it into smaller batches."),
    _P("empty-batch", 422, _INVALID, "The batch holds no email", "Send at least one."),
    _P("role-address", 422, _INVALID, "The address is a role's, not a person's", "Register the person's own address."),
    _P(
        "domain-takes-no-mail",
        422,
        _INVALID,
        "The address's domain takes no mail",
        "Check its spelling, or use another.",
    ),
    _again(
        "domain-unresolved",
        503,
        _OURS,
        "The DNS does not answer for the address's domain",
        "Send the same request again after the seconds in Retry-After; nothing was registered.",
    ),
    _P("disposable-address", 422, _INVALID, "The address is a disposable one", "Register a lasting address."),
    _P(
        "internal-error",
        500,
        _OURS,
        "Something broke on our side",
        "Send it again; if it stays, tell us the request's id.",
    ),
    _again(
        "overloaded", 503, _OURS, "Too much is being asked at once", "Send it again after the seconds in Retry-After."
    ),
)
_GATE: tuple[ProblemType, ...] = (
    _P("tenant-inactive", 403, _INVALID, "The account is not active", "Ask the operator to open it."),
    _P("tenant-paused", 403, _INVALID, "Sending is paused", "Wait for the release by two people, or ask the operator."),
    _P("anomaly-stop", 403, _INVALID, "An unusual volume stopped sending", "Wait for the review, or ask the operator."),
    _P("key-revoked", 403, _BAD_KEY, "The API key was revoked", "Use a key that is live."),
    _P("key-expired", 403, _BAD_KEY, "The API key has expired", "Make a new key."),
    _P(
        "key-elsewhere",
        403,
        _BAD_KEY,
        "The API key may not be used from this network",
        "Use it from one of its networks, or have one added to it.",
    ),
    _P("key-not-for-sending", 403, _BAD_KEY, "The API key may not send", "Use a key with the permission to send."),
    _P(
        "key-scope",
        403,
        _BAD_KEY,
        "The API key may not send this category",
        "Use a key whose scope names the category.",
    ),
    _P(
        "category-unknown", 422, _INVALID, "No category is known for the email", "Use a template or the tag `category`."
    ),
    _P("category-unapproved", 422, _INVALID, "The category is not approved", "Have a second person approve it."),
    _P(
        "lawful-basis-missing",
        422,
        _INVALID,
        "The category has no lawful basis on record",
        "Have a version of the category approved that says it.",
    ),
    _P(
        "sender-unidentified",
        422,
        _INVALID,
        "The sender has no name or postal address",
        "Have the missing one approved; every message shows both.",
    ),
    _P(
        "consent-missing",
        422,
        _INVALID,
        "A recipient's consent is not on record",
        "Ask the recipient, and record the answer with its wording: `consent` in POST /recipients.",
    ),
    _P(
        "consent-expired",
        422,
        _INVALID,
        "A recipient's consent has run out",
        "Ask the recipient anew, and record the answer with its wording: `consent` in POST /recipients.",
    ),
    _P("category-retired", 422, _INVALID, "The category was retired", "Use another category."),
    _P(
        "sender-mismatch",
        422,
        _INVALID,
        "`from` is not the category's sender",
        "Use the category's sender, or leave it out.",
    ),
    _P("unknown-template", 422, _INVALID, "There is no such template", "Use the id of one of the account's templates."),
    _P(
        "template-unapproved",
        422,
        _INVALID,
        "The template is not approved",
        "Have a second person approve the version.",
    ),
    _P("template-altered", 422, _INVALID, "The template is not what was approved", "Propose and approve it anew."),
    _P("raw-content-refused", 422, _INVALID, "The category sends templates only", "Send with a template."),
    _P("content-conflict", 422, _INVALID, "Both a template and content were sent", "Send one of the two."),
    _P("content-invalid", 422, _INVALID, "The content cannot be sent", "Change the field that the answer names."),
    _P(
        "variables-do-not-fit",
        422,
        _INVALID,
        "The variables do not fit the template",
        "Change the fields that are named.",
    ),
    _P("variables-too-large", 422, _INVALID, "The variables are too large", "Send less, or link to it."),
    _P("too-many-recipients", 422, _INVALID, "The email has too many recipients", "Send several emails."),
    _P("no-recipient", 422, _MISSING, "The email has no recipient", "Put at least one address in `to`."),
    _P("message-too-large", 422, _INVALID, "The message is too large", "Send less, or a link."),
    _P("too-many-attachments", 422, _INVALID, "There are too many attachments", "Send fewer, or a link."),
    _P("attachments-too-large", 422, _INVALID, "The attachments are too large", "Send smaller ones, or a link."),
    _P("attachment-type-refused", 422, _INVALID, "An attachment's type is not taken", "Send a PDF, or a link."),
    _P(
        "header-injection", 422, _INVALID, "A field would inject a header", "Remove line breaks and control characters."
    ),
    _P("header-refused", 422, _INVALID, "A header or field is not taken", "Change or remove the one that is named."),
    _P("schedule-in-past", 422, _INVALID, "The scheduled time lies in the past", "Give a time ahead, or none."),
    _P("schedule-too-far", 422, _INVALID, "The scheduled time is too far ahead", "Give an earlier time."),
    _P("domain-unready", 422, _INVALID, "The sending domain is not ready", "Publish the records that its page shows."),
    _again("domain-unverifiable", 503, _OURS, "The sending domain cannot be looked up", "Wait: it opens by itself."),
    _P("address-invalid", 422, _INVALID, "An address is not well formed", "Correct the address."),
    _P("smtputf8-unsupported", 422, _INVALID, "An address is beyond ASCII", "Use an address with an ASCII local part."),
    _P(
        "recipient-unverified",
        422,
        _INVALID,
        "A recipient is not verified",
        "Register it with POST /recipients, and have the mail that it gets confirmed.",
    ),
    _P("recipient-erased", 422, _INVALID, "A recipient was erased", "Nothing can be sent to them."),
    _P(
        "pathway-not-accepted",
        422,
        _INVALID,
        "A recipient's pathway is not accepted",
        "Verify the address another way.",
    ),
    _again(
        "rate-limited", 429, _HOUR, "The hour's limit is reached", "Send it again after the seconds in Retry-After."
    ),
    _again(
        "daily-limit-reached", 429, _DAY, "The day's limit is reached", "Send it again after the tenant's midnight."
    ),
    _again("recipient-limit-reached", 429, _HOUR, "The recipient had enough of this for today", "Send it tomorrow."),
    _again("store-unavailable", 503, _OURS, "We cannot look things up just now", "Send the same request again."),
)

# What a relay's webhook is told. Mailgun comes again for eight hours after anything but 200 and 406; SNS after 5xx.
_HOOKS: tuple[ProblemType, ...] = (
    _P("webhook-unreadable", 406, _INVALID, "This is no webhook of the relay", "Send what the relay's manual says."),
    _P("webhook-replayed", 406, _INVALID, "This webhook was taken before", "Nothing: what it told is on record."),
    _P("webhook-forged", 403, _INVALID, "The signature does not hold", "Put the relay's signing key, or both, here."),
    _P("webhook-old", 403, _INVALID, "The signature is too old", "Set both clocks right; sign each call anew."),
    _P("webhook-foreign", 403, _INVALID, "The webhook is not one of ours", "Allow its topic in the settings."),
    _again("webhook-unverifiable", 503, _OURS, "The signature cannot be verified now", "Send the same webhook again."),
    _again("webhook-early", 503, _OURS, "Its message is being sent just now", "Send the same webhook again."),
)

PROBLEMS: MappingProxyType[str, ProblemType] = MappingProxyType({p.slug: p for p in (*_DOOR, *_GATE, *_HOOKS)})

# Codes of verdicts that are no problem: the request is answered with 2xx and the message has this state.
NOT_PROBLEMS: MappingProxyType[str, str] = MappingProxyType(
    {
        "ok": "The check passed.",
        "anomaly-review": "Held until a person has looked at an unusual volume.",
        "quiet-hours": "Held until the recipient's quiet hours end; it goes then by itself.",
        "suppressed": "The address is suppressed: the message is stored as `suppressed` and not sent.",
        "consent-withdrawn": "The recipient took consent back: the message is stored as `suppressed` and not sent.",
        "opted-out": "The recipient opted out of this: the message is stored as `suppressed` and not sent.",
    }
)


def problem_document(
    slug: str, detail: str, *, field: str | None = None, errors: Sequence[FieldProblem] = ()
) -> dict[str, Any]:
    """Give the answer's body: RFC 9457's members, Resend's beside them; KeyError for an unregistered slug."""
    problem = PROBLEMS[slug]
    document: dict[str, Any] = {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "name": problem.name,
        "message": detail,
        "statusCode": problem.status,
    }
    if field is not None:
        document["field"] = field
    if errors:
        document["errors"] = [{"field": e.field, "code": e.code, "detail": e.hint} for e in errors]
    return document


def problems_markdown() -> str:
    """Give the documentation's page of problem types (Markdown)."""
    head = ["# Problem types", "", "Each answer that is not 2xx carries one of these as its `type`.", ""]
    parts = [_part(problem) for problem in sorted(PROBLEMS.values(), key=lambda p: (p.status, p.slug))]
    rest = ["## No problem at all", "", *(f"- `{code}`: {words}" for code, words in NOT_PROBLEMS.items())]
    return "\n".join([*head, *parts, *rest]) + "\n"


def _part(problem: ProblemType) -> str:
    again = " The same request may pass later." if problem.again else ""
    return (
        f"## {problem.slug}\n\n{problem.title}. {problem.way_out}{again}\n\n"
        f"Status {problem.status}, `name` `{problem.name}`, type `{problem.uri}`.\n"
    )
